"""What must be true once a conversation is over, whatever happened on its way.

`check` reads what Slack and Claude saw and what the database says, and believes
none of them alone. It is for the time when Threadkeep has nothing left to do.

Rule: nothing here is about one scenario. Numbers in comments are those of the
invariants in the durability facts, section 5.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import attrgetter
from pathlib import Path

from adapters.slack.adapter import LIMITS
from adapters.slack.surface import EVENT_TYPE, MORE, PLACEHOLDER
from bot.renderer import Renderer
from tests.emulators.claude import ClaudeEmulator
from tests.emulators.slack import SlackEmulator
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.socketmode import Delivery
from tests.emulators.slack.world import Message, Seen


@dataclass(frozen=True, slots=True)
class Reply:
    """A message of a reply, as the database remembers it."""

    part: int
    message: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn, as the database remembers it."""

    id: int
    key: str
    channel: str
    thread: str
    state: str
    ended: str | None
    attempts: int
    text: str
    note: str
    #: The ids of the messages that it answers.
    answers: tuple[str, ...]
    #: What Claude reads of it: (role, content).
    entries: tuple[tuple[str, str], ...]
    replies: tuple[Reply, ...]

    @property
    def parts(self) -> list[str]:
        """What its messages are to read in the end."""
        renderer = Renderer(LIMITS)
        if self.text:
            renderer.feed(self.text)
        renderer.finish(self.note)
        return [part.text for part in renderer.parts]


def check(slack: SlackEmulator, claude: ClaudeEmulator, database: Path) -> None:
    """Raise AssertionError that names everything which is not as it must be."""
    found = problems(slack, claude, database)
    assert not found, "\n".join([*found, slack.dump()])


def problems(slack: SlackEmulator, claude: ClaudeEmulator, database: Path) -> list[str]:
    """Everything that is not as it must be, a sentence each."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        turns = _turns(db)
        damage = list(_damage(db))
    return [
        *damage,
        *_unanswered(slack, turns),
        *_unfinished(turns),
        *_misshown(slack, turns),
        *_stray(slack, turns),
        *_unsteady(slack, turns),
        *_out_of_order(slack, turns),
        *_misasked(claude, turns),
    ]


def _damage(db: sqlite3.Connection) -> Iterator[str]:
    """I7: the file is whole."""
    for row in db.execute("PRAGMA integrity_check"):
        if row[0] != "ok":
            yield f"the database is damaged: {row[0]}"
    for row in db.execute("PRAGMA foreign_key_check"):
        yield f"a row of {row[0]} refers to nothing"


def _unanswered(slack: SlackEmulator, turns: Sequence[Turn]) -> Iterator[str]:
    """I1: what was said to the bot, and only that, is answered, exactly once."""
    answered = Counter((turn.channel, each) for turn in turns for each in turn.answers)
    for message in _said_to_the_bot(slack):
        name = f"{message.ts} ({message.text!r})"
        if not any(each.acked for each in _events(slack, message)):
            yield f"{name} was never acknowledged"
        if (times := answered[message.channel, message.ts]) != 1:
            yield f"{name} belongs to {times} turns, not to one"
    for channel, ts in answered:
        if slack.world.messages[channel][ts].user == slack.bot_user:
            yield f"the bot answers itself in {ts}"


def _unfinished(turns: Sequence[Turn]) -> Iterator[str]:
    """I1: every turn has come to its end."""
    for turn in turns:
        if turn.state != "delivered" or turn.ended is None:
            yield f"{_name(turn)} is {turn.state}, ended: {turn.ended}"
        if not turn.answers:
            yield f"{_name(turn)} answers nothing"


def _misshown(slack: SlackEmulator, turns: Sequence[Turn]) -> Iterator[str]:
    """I2: readers see each answer once, whole, and as it is remembered."""
    for turn in turns:
        seen, parts = _reply(slack, turn), turn.parts
        if [part for part, _ in seen] != list(range(len(parts))):
            yield f"{_name(turn)} shows parts {[part for part, _ in seen]}"
        if [each.text for _, each in seen] != parts:
            yield f"{_name(turn)} does not read what it was to read"
        if [Reply(part, each.ts, each.text) for part, each in seen] != [*turn.replies]:
            yield f"{_name(turn)} is remembered otherwise than it is shown"
        for _, each in seen:
            if each.text == PLACEHOLDER or each.text.endswith(MORE):
                yield f"{_name(turn)} looks unfinished: {each.text[-40:]!r}"


def _stray(slack: SlackEmulator, turns: Sequence[Turn]) -> Iterator[str]:
    """I6: nothing of the bot's is anywhere else, and nobody was pinged."""
    known = {(turn.channel, turn.thread, turn.key) for turn in turns}
    for message in _all_messages(slack):
        if message.user == slack.bot_user:
            key = _payload(message.metadata).get("turn")
            if (message.channel, message.thread_ts, key) not in known:
                yield f"{message.ts} belongs to no turn of its thread"
    for ping in slack.pings:
        yield f"{ping.ts} pings {ping.target}"
    for channel, thread, _ in known:
        if status := slack.status(channel, thread):
            yield f"the thread {thread} still {status}"


def _unsteady(slack: SlackEmulator, turns: Sequence[Turn]) -> Iterator[str]:
    """I8: the last word is the last word, and words do not become a placeholder."""
    for turn in turns:
        seen = [each for _, each in _reply(slack, turn)]
        for each in seen:
            for before, after in pairwise(each.versions):
                if after.text == PLACEHOLDER != before.text:
                    yield f"{_name(turn)} took its words back"
        last = {each.ts: each.text for each in seen}
        now: dict[str, str] = {}
        whole = False
        history = [(v.at, each.ts, v.text) for each in seen for v in each.versions]
        for _, ts, text in sorted(history):
            now[ts] = text
            if whole and now != last:
                yield f"{_name(turn)} was changed after it was finished"
            whole = whole or now == last


def _out_of_order(slack: SlackEmulator, turns: Sequence[Turn]) -> Iterator[str]:
    """I3: a thread's replies come one after the other, as the questions did."""
    # What Slack had to repeat may come late, and is then answered late.
    prompt = {
        (each.channel, each.ts)
        for each in _said_to_the_bot(slack)
        if all(len(event.attempts) == 1 for event in _events(slack, each))
    }
    for _, thread in groupby(turns, attrgetter("channel", "thread")):
        for earlier, later in pairwise(thread):
            first, second = (
                [ts for ts in turn.answers if (turn.channel, ts) in prompt]
                for turn in (earlier, later)
            )
            if first and second and min(first) > min(second):
                yield f"{_name(later)} was asked before the one that it follows"
            if _written(slack, earlier)[-1:] > _written(slack, later)[:1]:
                yield f"{_name(later)} began before the one that it follows had ended"


def _misasked(claude: ClaudeEmulator, turns: Sequence[Turn]) -> Iterator[str]:
    """I4: Claude reads all that was said before, as it was said. I9: Claude is
    asked once, and once more for each attempt that was cut."""
    asked: Counter[int] = Counter()
    for request in claude.requests:
        read = [(each["role"], each["content"]) for each in request.body["messages"]]
        meant = [turn for turn in turns if _is_prompt_of(turn, read, turns)]
        if len(meant) != 1:
            yield f"Claude read what is the prompt of {len(meant)} turns: {read}"
        asked.update(turn.id for turn in meant)
    for turn in turns:
        if asked[turn.id] > turn.attempts:
            times = f"{asked[turn.id]} times in {turn.attempts} attempts"
            yield f"Claude was asked {_name(turn)} {times}"
        if turn.ended == "done" and not asked[turn.id]:
            yield f"Claude was never asked {_name(turn)}"


def _is_prompt_of(
    turn: Turn, read: Sequence[tuple[str, str]], turns: Sequence[Turn]
) -> bool:
    place = turn.channel, turn.thread
    earlier = [t for t in turns if (t.channel, t.thread) == place and t.id < turn.id]
    *before, (role, content) = read
    # A second attempt may have brought along more, behind what the first one read.
    return (
        before == [entry for each in earlier for entry in each.entries]
        and role == "user"
        and turn.entries[:1] != ()
        and turn.entries[0][1].startswith(content)
    )


def _said_to_the_bot(slack: SlackEmulator) -> Iterator[Message]:
    """What people said by mention, in private, or below where the bot was called."""
    for message in _all_messages(slack):
        root = slack.world.messages[message.channel].get(message.root, message)
        private = slack.world.channels[message.channel].kind == "im"
        called = any(slack.mention in each.text for each in (message, root))
        if not slack.world.users[message.user].bot and (private or called):
            yield message


def _all_messages(slack: SlackEmulator) -> Iterator[Message]:
    for messages in slack.world.messages.values():
        yield from messages.values()


def _events(slack: SlackEmulator, message: Message) -> list[Delivery]:
    """How the app was told of `message`."""
    name = message.channel, message.ts
    return [
        each
        for each in slack.deliveries
        if (each.event.get("channel"), each.event.get("ts")) == name
    ]


def _reply(slack: SlackEmulator, turn: Turn) -> list[tuple[int, Seen]]:
    """What readers see of the answer to `turn`: (part, message), by part."""
    seen = slack.thread(turn.channel, turn.thread)
    payloads = [(_payload(each.metadata), each) for each in seen]
    ours = [(p["part"], each) for p, each in payloads if p.get("turn") == turn.key]
    return sorted(ours, key=lambda each: (each[0], each[1].ts))


def _payload(metadata: Json | None) -> Json:
    if not metadata or metadata["event_type"] != EVENT_TYPE:
        return {}
    payload: Json = metadata["event_payload"]
    return payload


def _written(slack: SlackEmulator, turn: Turn) -> list[float]:
    """When the answer to `turn` was written at, in order."""
    return sorted(v.at for _, each in _reply(slack, turn) for v in each.versions)


def _name(turn: Turn) -> str:
    return f"turn {turn.id} of {turn.channel}:{turn.thread}"


def _turns(db: sqlite3.Connection) -> list[Turn]:
    """All turns, thread by thread and in order."""
    rows = db.execute(
        "SELECT turns.*, channel, thread FROM turns JOIN threads "
        "ON threads.id = thread_id ORDER BY channel, thread, turns.id"
    )
    return [
        Turn(
            id=row["id"],
            key=row["key"],
            channel=row["channel"],
            thread=row["thread"],
            state=row["state"],
            ended=row["ended"],
            attempts=row["attempts"],
            text=row["text"],
            note=row["note"],
            answers=tuple(
                each["message"]
                for each in db.execute(
                    "SELECT message FROM messages "
                    "WHERE turn_id = ? AND role = 'user' ORDER BY at",
                    [row["id"]],
                )
            ),
            entries=tuple(_entries(db, row)),
            replies=tuple(
                Reply(each["part"], each["message"], each["text"])
                for each in db.execute(
                    "SELECT * FROM replies WHERE turn_id = ? ORDER BY part",
                    [row["id"]],
                )
            ),
        )
        for row in rows.fetchall()
    ]


def _entries(db: sqlite3.Connection, turn: sqlite3.Row) -> Iterator[tuple[str, str]]:
    rows = db.execute(
        "SELECT role, content FROM messages "
        "WHERE turn_id = ? AND content IS NOT NULL ORDER BY place",
        [turn["id"]],
    ).fetchall()
    said = [row["content"] for row in rows if row["role"] == "user"]
    if said:
        yield "user", "\n".join([turn["preface"], *said])
    for row in rows:
        if row["role"] == "assistant":
            yield "assistant", row["content"]
