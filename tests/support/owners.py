"""A record of the owners of threads, and a check that no former owner writes in a
thread after a later one. A process that has finished an answer may remove its buttons
at any time: a post is compared with all who wrote in the thread, an edit with those who
wrote that message.

The database itself keeps the record, by triggers, so that nobody can have a thread
unseen. Who made a call is told by the address at which the platform was called.
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

#: The calls of Slack's that write in a thread.
WRITES = (
    *("chat.postMessage", "chat.update", "chat.startStream"),
    *("chat.appendStream", "chat.stopStream"),
)

#: The calls by which one that was frozen takes back what it posted when it woke.
DELETE = "chat.delete"

#: How soon a late write must be corrected, in seconds.
SOON = 60.0

#: Where a platform shows a thread: its platform, channel and id.
Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Write:
    """A call that writes in a thread."""

    place: Place
    #: The process that made it.
    by: str
    #: In seconds since 1970.
    at: float
    what: str
    #: The message that it edits; "" for one that posts.
    message: str

    @property
    def posts(self) -> bool:
        return not self.message


@dataclass(frozen=True, slots=True)
class Late:
    """A write by a process that had lost the thread."""

    write: Write
    why: str
    #: Whether what it did was soon undone: a post that was deleted, or that Discord
    #: answered with the message which was there; an edit that a newer owner followed.
    corrected: bool = False

    def __str__(self) -> str:
        write = self.write
        return (
            f"{write.what} in {write.place} by {write.by} at {write.at:.3f}{self.why}"
        )


def record(address: str) -> None:
    """Have the database at `address`, which has its tables, keep who takes a thread
    from now on."""
    with psycopg.connect(address) as connection:
        connection.execute(RECORD)


def slack_writes(slack: SlackEmulator, epoch: float) -> Iterator[Write]:
    """Yield what the bot wrote in threads; `epoch` is what the emulator's clock lacks
    of seconds since 1970."""
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
    """Yield what the bot wrote in the threads of `channels`."""
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
    """Yield what the bot deleted in channels; `epoch` as in `slack_writes`."""
    for call in slack.calls_of(DELETE):
        place = "slack", call.text("channel"), ""
        yield Write(place, call.by, call.at + epoch, call.method, call.text("ts"))


def late(
    db: Connection,
    writes: Iterable[Write],
    deletions: Iterable[Write],
    names: Mapping[str, str],
) -> Iterator[Late]:
    """Yield each write by a process that had lost the thread to one that had written
    there by then; `names` are the database's for those who made calls."""
    ids = {
        name: id
        for id, name in db.execute("SELECT id, name FROM processes_seen").fetchall()
    }
    taken = defaultdict[tuple[Place, str], list[tuple[float, int]]](list)
    for *place, epoch, owner, at in db.execute(TAKEN).fetchall():
        found: Place = (place[0], place[1], place[2])
        taken[found, owner].append((at, epoch))
    #: The newest owner who wrote a message, or in a thread.
    newest = dict[tuple[Place, str], tuple[int, str]]()
    #: When a message was edited, and by whom, of which epoch.
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
    # For the same nonce, Discord returns the message that is there.
    return platform == "discord" or any(
        each.place[1] == channel
        and each.by == write.by
        and write.at < each.at < write.at + SOON
        for each in deletions
    )
