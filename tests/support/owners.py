"""Records the owners of threads, and finds writes by a former owner after a later one.

A process that has finished an answer may remove its buttons at any time. So a post is
compared with all writers in the thread, and an edit with the writers of that message.

Triggers in the database keep the record, so that no owner is missed. The URL at which
the platform was called identifies the process that made a call.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import psycopg

from storage.connection import Connection
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.emulator import SlackEmulator

RECORD = """
    CREATE TABLE owners_seen (
        thread bigint, epoch bigint, owner text, at double precision
    );
    CREATE TABLE processes_seen (id text, name text);
    CREATE FUNCTION see_owner() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO owners_seen VALUES (
            NEW.id, NEW.epoch, NEW.owner, extract(epoch FROM clock_timestamp())
        );
        RETURN NULL;
    END $$;
    CREATE FUNCTION see_process() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO processes_seen VALUES (NEW.id, NEW.name);
        RETURN NULL;
    END $$;
    CREATE TRIGGER see_owner AFTER UPDATE ON threads FOR EACH ROW
        WHEN (OLD.epoch <> NEW.epoch) EXECUTE FUNCTION see_owner();
    CREATE TRIGGER see_process AFTER INSERT OR UPDATE ON processes FOR EACH ROW
        WHEN (NEW.name <> '') EXECUTE FUNCTION see_process()
"""

TAKEN = """
    SELECT platform, channel, threads.thread, owners_seen.epoch,
        owners_seen.owner, owners_seen.at
    FROM owners_seen JOIN threads ON threads.id = owners_seen.thread
    ORDER BY owners_seen.at
"""

#: The Slack methods that write in a thread.
WRITES = (
    *("chat.postMessage", "chat.update", "chat.startStream"),
    *("chat.appendStream", "chat.stopStream"),
)

#: The method by which a process that was frozen deletes a post that it made when it
#: woke.
DELETE = "chat.delete"

#: Seconds within which a late write must be corrected.
SOON = 60.0

#: The platform, the channel and the id of a thread.
Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Write:
    """A call that writes in a thread."""

    place: Place
    #: The name of the process that made the call.
    by: str
    #: In seconds since 1970.
    at: float
    what: str
    #: The id of the edited message; "" for a post.
    message: str

    @property
    def posts(self) -> bool:
        return not self.message


@dataclass(frozen=True, slots=True)
class Late:
    """A write by a process that had lost the thread."""

    write: Write
    why: str
    #: Whether the effect was soon undone. A post was deleted, or Discord answered it
    #: with the existing message. An edit was followed by one of a newer owner.
    corrected: bool = False

    def __str__(self) -> str:
        write = self.write
        return (
            f"{write.what} in {write.place} by {write.by} at {write.at:.3f}{self.why}"
        )


def record(address: str) -> None:
    """Make the database at `address` record the owners of threads from now on. Its
    tables must exist."""
    with psycopg.connect(address) as connection:
        connection.execute(RECORD)


def slack_writes(slack: SlackEmulator, epoch: float) -> Iterator[Write]:
    """Yield the bot's writes in threads. `epoch` is added to the emulator's clock to
    get seconds since 1970."""
    messages = slack.world.messages
    for call in slack.calls:
        if call.method not in WRITES:
            continue
        channel, ts = call.text("channel"), call.text("ts")
        message = messages.get(channel, {}).get(ts)
        thread = call.text("thread_ts") or (message and message.thread_ts)
        if thread:
            place = "slack", channel, thread
            yield Write(place, call.by, call.at + epoch, call.method, ts)


def discord_writes(
    discord: DiscordEmulator, channels: Iterable[str]
) -> Iterator[Write]:
    """Yield the bot's writes in the threads of `channels`."""
    places = {
        thread: channel for channel in channels for thread in discord.threads(channel)
    }
    for call in discord.calls:
        if call.method not in ("POST", "PATCH"):
            continue
        match call.path.split("/")[1:]:
            case ["channels", thread, "messages", *message] if thread in places:
                place = "discord", places[thread], thread
                what = f"{call.method} {call.path}"
                yield Write(place, call.by, call.at, what, "/".join(message))


def slack_deletions(slack: SlackEmulator, epoch: float) -> Iterator[Write]:
    """Yield the bot's deletions in channels. `epoch` is as in `slack_writes`."""
    for call in slack.calls_of(DELETE):
        place = "slack", call.text("channel"), ""
        yield Write(place, call.by, call.at + epoch, call.method, call.text("ts"))


def late(
    db: Connection,
    writes: Iterable[Write],
    deletions: Iterable[Write],
    names: Mapping[str, str],
) -> Iterator[Late]:
    """Yield each write by a process that had lost the thread to another one, which had
    already written there. `names` maps the callers to their names in the database."""
    ids = {
        name: id
        for id, name in db.execute("SELECT id, name FROM processes_seen").fetchall()
    }
    taken = defaultdict[tuple[Place, str], list[tuple[float, int]]](list)
    for *place, epoch, owner, at in db.execute(TAKEN).fetchall():
        found: Place = (place[0], place[1], place[2])
        taken[found, owner].append((at, epoch))
    #: The newest epoch and owner that wrote a message or, with the message "", in a
    #: thread.
    newest = dict[tuple[Place, str], tuple[int, str]]()
    #: The times and epochs of the edits of a message.
    edits = defaultdict[tuple[Place, str], list[tuple[float, int]]](list)
    found_late = list[tuple[Late, int]]()
    for write in sorted(writes, key=lambda each: each.at):
        owner = ids.get(names.get(write.by, ""), "")
        had = [epoch for at, epoch in taken[write.place, owner] if at <= write.at]
        if not had:
            found_late.append((Late(write, ", which never had the thread"), 0))
            continue
        edits[write.place, write.message].append((write.at, had[-1]))
        epoch, other = newest.get((write.place, write.message), (0, ""))
        if had[-1] < epoch:
            why = f", of epoch {had[-1]}, after {other} of epoch {epoch}"
            found_late.append((Late(write, why), epoch))
        for message in {write.message, ""}:
            before = newest.get((write.place, message), (0, ""))
            newest[write.place, message] = max(before, (had[-1], write.by))
    deleted = [*deletions]
    for each, epoch in found_late:
        write = each.write
        after = edits[write.place, write.message]
        yield replace(
            each,
            corrected=epoch > 0
            and (
                _is_taken_back(write, deleted)
                if write.posts
                else any(
                    write.at < at < write.at + SOON and by >= epoch for at, by in after
                )
            ),
        )


def _is_taken_back(write: Write, deletions: Iterable[Write]) -> bool:
    platform, channel, _ = write.place
    # For a known nonce, Discord returns the existing message.
    return platform == "discord" or any(
        each.place[1] == channel
        and each.by == write.by
        and write.at < each.at < write.at + SOON
        for each in deletions
    )
