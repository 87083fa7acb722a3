"""Invariants of conversations that have ended, after any faults.

`check` compares the database with the calls to the platforms and to Claude. Call it
when Threadkeep has nothing left to do. The `Witness` of a platform, in `witnesses`,
returns what its users saw.

Rule: nothing here depends on one scenario. The numbers I1 to I9 are those of the
invariants in the durability facts, section 5.
"""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import groupby, pairwise, zip_longest
from operator import attrgetter
from typing import Any, Protocol

from bot.conversation.outcomes import WITHDRAWN
from bot.domain.platform import Limits
from bot.domain.reply import MORE, PLACEHOLDER, READY
from bot.rendering.renderer import Renderer
from bot.settings import attaching
from storage.connection import Connection
from storage.reading import Where
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.support import books, stored


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn in the database."""

    id: int
    key: str
    platform: str
    channel: str
    thread: str
    state: str
    ended: str | None
    reason: str | None
    attempts: int
    text: str
    head: str
    note: str
    #: The person mentioned by a message below the answer; "" for nobody.
    calls: str
    #: The ids of the messages that the turn answers.
    answers: tuple[str, ...]
    #: The entries that Claude reads: (role, content).
    entries: tuple[tuple[str, str], ...]
    #: The messages of its reply: (part, id, text).
    replies: tuple[tuple[int, str | None, str], ...]
    #: The files of its answer: (name, id on the platform).
    uploads: tuple[tuple[str, str], ...]
    #: True if its messages were moved to a later turn, to be answered again.
    repeated: bool

    @property
    def place(self) -> tuple[str, str, str]:
        return self.platform, self.channel, self.thread


@dataclass(frozen=True, slots=True)
class Said:
    """A message from a person to the bot."""

    channel: str
    message: str
    text: str
    #: Whether the bot acknowledged the message.
    acked: bool = True
    #: Whether the platform had to deliver the message more than once.
    late: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A message of a reply, as readers see it."""

    part: int
    message: str
    text: str
    #: Its texts, each with its time by the emulator's clock, oldest first.
    versions: Sequence[tuple[float, str]]


class Witness(Protocol):
    """What people on one platform see."""

    platform: str
    limits: Limits

    def said(self) -> Iterable[Said]:
        """Yield the messages to the bot that were not deleted: mentions, direct
        messages, and messages in its threads."""
        ...

    def reply(self, turn: Turn) -> list[Shown]:
        """Return the messages of the answer to `turn` as readers see them, by part."""
        ...

    def files(self, turn: Turn) -> dict[str, dict[str, bytes]]:
        """Return the content of the files that readers see below the answers in the
        thread of `turn`, by the id that Threadkeep stores and by name."""
        ...

    def is_gone(self, turn: Turn) -> bool:
        """Return whether the place for the answer to `turn` no longer exists."""
        ...

    def final(self, text: str) -> str:
        """Return `text` as the platform shows it in a finished message."""
        ...

    def troubles(self, turns: Sequence[Turn]) -> Iterable[str]:
        """Yield a sentence for each other message or control of the bot that should not
        exist."""
        ...


def check(claude: ClaudeEmulator, database: Where, *witnesses: Witness) -> None:
    """Raise AssertionError with every violation of an invariant."""
    assert not (found := faults(claude, database, *witnesses)), "\n".join(found)


def faults(
    claude: ClaudeEmulator,
    database: Where,
    *witnesses: Witness,
    late: Container[str] = (),
) -> list[str]:
    """Return a sentence for each violation of an invariant. `late` has the ids of
    messages that were written again after they were finished."""
    with stored.opened(database) as db:
        everything = _turns(db)
        found = [*stored.damage(db), *books.faults(db, claude)]
    found += _unfinished(everything)
    for witness in witnesses:
        turns = [each for each in everything if each.platform == witness.platform]
        found += [
            *_unanswered(witness, turns),
            *_misshown(witness, turns),
            *_misfiled(witness, turns),
            *witness.troubles(turns),
            *_unsteady(witness, turns, late),
            *_out_of_order(witness, turns, late),
        ]
    return [*found, *_misasked(claude, everything)]


def _unfinished(turns: Sequence[Turn]) -> Iterator[str]:
    """I1: every turn has ended."""
    for turn in turns:
        if turn.state != "delivered" or turn.ended is None:
            yield f"{_name(turn)} is {turn.state}, ended: {turn.ended}"
        if not (turn.answers or turn.repeated):
            yield f"{_name(turn)} answers nothing"


def _unanswered(witness: Witness, turns: Sequence[Turn]) -> Iterator[str]:
    """I1: every message to the bot is answered exactly once."""
    answered = Counter((turn.channel, each) for turn in turns for each in turn.answers)
    for said in witness.said():
        name = f"{said.message} ({said.text!r})"
        if not said.acked:
            yield f"{name} was never acknowledged"
        if (times := answered[said.channel, said.message]) != 1:
            yield f"{name} belongs to {times} turns, not to one"


def _misshown(witness: Witness, turns: Sequence[Turn]) -> Iterator[str]:
    """I2: readers see each answer once, complete, and as it is stored."""
    for turn in turns:
        if witness.is_gone(turn):
            continue
        seen, parts = witness.reply(turn), _parts(witness, turn)
        if [each.part for each in seen] != list(range(len(parts))):
            yield f"{_name(turn)} shows parts {[each.part for each in seen]}"
        if [each.text for each in seen] != parts:
            yield f"{_name(turn)} does not read what it was to read"
        # A ping is stored without a text.
        ping = f"<@{turn.calls}>, {READY}" if turn.calls else ""
        remembered = [
            (*each, witness.final(text) if text else ping)
            for *each, text in turn.replies
        ]
        if [(each.part, each.message, each.text) for each in seen] != remembered:
            yield f"{_name(turn)} is remembered otherwise than it is shown"
        for each in seen:
            if each.text == PLACEHOLDER or each.text.endswith(MORE):
                yield f"{_name(turn)} looks unfinished: {each.text[-40:]!r}"


def _misfiled(witness: Witness, turns: Sequence[Turn]) -> Iterator[str]:
    """I2: readers see each file of an answer once, complete, and as it is stored."""
    for _, group in groupby(turns, attrgetter("place")):
        thread = list(group)
        if witness.is_gone(thread[0]):
            continue
        seen = witness.files(thread[0])
        known = {id for turn in thread for _, id in turn.uploads}
        if seen.keys() != known:
            yield f"the files of {_name(thread[0])} are {sorted(seen)}, not {known}"
        for turn in thread:
            files = _rendered(witness, turn).files()
            wanted = {each.name: each.data for each in files}
            shown = {name: seen.get(id, {}).get(name) for name, id in turn.uploads}
            if shown != ({} if _has_no_answer(turn) else wanted):
                yield f"{_name(turn)} has the files {sorted(shown)}"


def _has_no_answer(turn: Turn) -> bool:
    return turn.repeated or turn.reason == WITHDRAWN.reason


#: Rendered answers, by platform and input. Rendering a long answer takes longer than
#: anything else here, and each answer is checked repeatedly.
_LAID_OUT: dict[tuple[str, ...], Renderer] = {}


def _rendered(witness: Witness, turn: Turn) -> Renderer:
    """Return the answer to `turn`, rendered with the default settings."""
    key = witness.platform, turn.head, turn.text, turn.note, turn.calls
    if key not in _LAID_OUT:
        renderer = Renderer(witness.limits, float(attaching.LINES))
        if turn.text:
            renderer.begin(turn.head)
            renderer.feed(turn.text)
        renderer.finish(turn.note, calls=turn.calls)
        _LAID_OUT[key] = renderer
    return _LAID_OUT[key]


def _parts(witness: Witness, turn: Turn) -> list[str]:
    """Return the final texts of the messages of `turn`."""
    if _has_no_answer(turn):
        return []
    renderer = _rendered(witness, turn)
    return [
        f"<@{part.calls}>, {READY}" if part.calls else witness.final(part.text)
        for part in renderer.parts
    ]


def _unsteady(
    witness: Witness, turns: Sequence[Turn], late: Container[str]
) -> Iterator[str]:
    """I8: a finished answer does not change, and a text does not become a
    placeholder."""
    for turn in turns:
        seen = [each for each in witness.reply(turn) if each.message not in late]
        for each in seen:
            for (_, before), (_, after) in pairwise(each.versions):
                if after == PLACEHOLDER != before:
                    yield f"{_name(turn)} took its words back"
        last = {each.message: each.text for each in seen}
        now, whole = dict[str, str](), False
        history = [(at, e.message, text) for e in seen for at, text in e.versions]
        for _, message, text in sorted(history):
            now[message] = text
            if whole and now != last:
                yield f"{_name(turn)} was changed after it was finished"
            whole |= now == last


def _out_of_order(
    witness: Witness, turns: Sequence[Turn], late: Container[str]
) -> Iterator[str]:
    """I3: the replies in a thread do not overlap, and follow the order of the
    questions."""
    # A message that the platform had to deliver again may arrive late, and is then
    # answered late.
    prompt = {(e.channel, e.message) for e in witness.said() if not e.late}
    for _, thread in groupby(turns, attrgetter("place")):
        for earlier, later in pairwise(thread):
            first, second = (
                [each for each in turn.answers if (turn.channel, each) in prompt]
                for turn in (earlier, later)
            )
            if first and second and min(first) > min(second):
                yield f"{_name(later)} was asked before the one that it follows"
            ended = _written(witness, earlier, late)[-1:]
            began = _written(witness, later, late)[:1]
            if ended and began and ended > began:
                yield f"{_name(later)} began before the one that it follows had ended"


def _misasked(claude: ClaudeEmulator, turns: Sequence[Turn]) -> Iterator[str]:
    """I4: Claude reads the whole conversation before a question, unchanged. I9: Claude
    is asked once, and once more for each interrupted attempt. The stored answer is the
    text that Claude sent."""
    asked, spent, before = Counter[int](), Counter[int](), 0
    heard = defaultdict[int, set[str]](set)
    for turn in turns:
        # The next turn after a repeated one asks its questions again.
        spent[turn.id] = before + turn.attempts
        before = spent[turn.id] if turn.repeated else 0
    by_history = _by_history(turns)
    for request in claude.questions:
        read = [(each["role"], _said(each)) for each in request.body["messages"]]
        *history, (role, asks) = read
        # A second attempt may include more messages, after those of the first.
        meant = [
            turn
            for turn in by_history[tuple(history)]
            if role == "user" and turn.entries and turn.entries[0][1].startswith(asks)
        ]
        if len(meant) != 1:
            yield f"Claude read what is the prompt of {len(meant)} turns: {asks}"
        # A request that was refused before it began costs nothing, and may be repeated.
        if not request.failed:
            asked.update(turn.id for turn in meant)
            for turn in meant:
                heard[turn.id].add(request.text)
    for turn in turns:
        if asked[turn.id] > spent[turn.id]:
            times = f"{asked[turn.id]} times in {spent[turn.id]} attempts"
            yield f"Claude was asked {_name(turn)} {times}"
        if turn.ended == "done" and not turn.repeated and not asked[turn.id]:
            yield f"Claude was never asked {_name(turn)}"
        if turn.ended == "done" and heard[turn.id] and turn.text not in heard[turn.id]:
            yield f"Claude never answered {_name(turn)} with {turn.text[:40]!r}"


def _said(message: Mapping[str, Any]) -> str:
    """Return the text of a message, which follows its files."""
    content = message["content"]
    return str(content if isinstance(content, str) else content[-1]["text"])


def _by_history(
    turns: Sequence[Turn],
) -> Mapping[tuple[tuple[str, str], ...], list[Turn]]:
    """Return the turns by the earlier entries of their threads: (role, content)."""
    found = defaultdict[tuple[tuple[str, str], ...], list[Turn]](list)
    for _, thread in groupby(turns, attrgetter("place")):
        before = list[tuple[str, str]]()
        for turn in thread:
            found[tuple(before)].append(turn)
            # Claude does not read the entries of a refused turn again.
            if turn.ended != "refused":
                before += turn.entries
    return found


def _written(witness: Witness, turn: Turn, late: Container[str]) -> list[float]:
    """Return the times at which the answer to `turn` was written, in order. Edits that
    do not change the text are left out: they remove controls, and may come later."""
    return sorted(
        at
        for each in witness.reply(turn)
        if each.message not in late
        for nth, (at, text) in enumerate(each.versions)
        if nth == 0 or text != each.versions[nth - 1][1]
    )


def _name(turn: Turn) -> str:
    return f"turn {turn.id} of {turn.channel}:{turn.thread}"


def _turns(db: Connection) -> list[Turn]:
    """Return all turns, thread by thread and in order."""
    rows = db.execute(
        "SELECT turns.*, platform, channel, thread FROM turns JOIN threads "
        "ON threads.id = thread_id ORDER BY platform, channel, thread, turns.id"
    ).fetchall()
    return [_turn(db, *pair) for pair in zip_longest(rows, rows[1:])]


def _turn(db: Connection, row: Any, later: Any) -> Turn:
    asked = (
        "SELECT message FROM messages WHERE turn_id = ? AND role = 'user' ORDER BY at"
    )
    answers = db.execute(asked, [row["id"]]).fetchall()
    uploads = (
        "SELECT name, file FROM uploads WHERE turn_id = ? ORDER BY batch, position"
    )
    shown = "SELECT part, message, text FROM replies WHERE turn_id = ? ORDER BY part"
    # A turn that repeats another one has the same `asked_at`.
    when = [each and (each["thread_id"], each["asked_at"]) for each in (row, later)]
    known = {each.name for each in fields(Turn)}
    return Turn(
        **{name: row[name] for name in known & {*row.keys()}},
        answers=tuple(each["message"] for each in answers),
        entries=tuple(_entries(db, row)),
        replies=tuple(tuple(each) for each in db.execute(shown, [row["id"]])),
        uploads=tuple(tuple(each) for each in db.execute(uploads, [row["id"]])),
        repeated=not answers and when[0] == when[1],
    )


def _entries(db: Connection, turn: Any) -> Iterator[tuple[str, str]]:
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
