"""What a MemoryStore keeps in place of rows.

Rule: they hold what was stored and say what follows from it; what becomes of it is
for the verbs in `memory` to decide.
"""

from dataclasses import dataclass, field, replace
from operator import attrgetter

from bot.domain.completion import ChatMessage
from bot.domain.message import LOOP_SECONDS, Message, ThreadFacts
from bot.domain.reply import PRESSED, PostedPart
from bot.domain.scope import ThreadKey
from bot.domain.turn import (
    Ended,
    Outcome,
    ThreadSummary,
    Turn,
    TurnFacts,
    TurnMessage,
    TurnState,
    WaitingThread,
)
from storage.thread_queries import exchange, title


@dataclass(slots=True, eq=False)
class Line:
    """Something said: by a person where there is a `heard`, else in answer."""

    at: float
    heard: Message | None
    turn: "TurnRecord | None"
    #: It is to be answered, not just read along.
    asks: bool = False
    #: As Claude reads it, or will as soon as the turn has `given` it.
    content: str | None = None
    #: Nobody sees it any more.
    erased: bool = False
    #: It was said before the thread began anew.
    past: bool = False

    def erase(self) -> None:
        """Forget what it says, but not that it was said."""
        if self.heard:
            self.heard = replace(self.heard, text="", files=())
        self.content = None
        self.erased = True


@dataclass(slots=True, eq=False)
class TurnRecord:
    """A turn, and what only the store knows of it."""

    value: Turn
    asked_at: float
    preface: str | None = None
    #: What Claude was given, in that order.
    given: list[Line] = field(default_factory=list)
    outcome: Outcome | None = None
    ended_at: float = 0.0
    #: How often it could not be taken to its end.
    failures: int = 0
    #: How good people found it; None as long as nobody said so.
    feedback: bool | None = None

    @property
    def open(self) -> bool:
        return self.value.state is not TurnState.DELIVERED

    @property
    def over(self) -> bool:
        """Its words are final, and it reads no more."""
        return self.value.state not in (TurnState.WAITING, TurnState.ANSWERING)

    @property
    def unsure(self) -> bool:
        """Of some message of its reply it is not known whether it was posted."""
        return any(shown.message is None for shown in self.value.shown)

    def put(self, shown: PostedPart) -> None:
        """Note what one message of its answer reads."""
        parts = {each.index: each for each in self.value.shown} | {shown.index: shown}
        self.value = replace(
            self.value, shown=tuple(parts[index] for index in sorted(parts))
        )

    def entries(self) -> list[ChatMessage]:
        """What Claude reads of it."""
        if self.value.ended is Ended.REFUSED:
            return []
        contents = [line.content for line in self.given if not line.past]
        answer = self.outcome.replay if self.outcome else None
        return exchange(self.preface, contents, answer)


@dataclass(slots=True, eq=False)
class ThreadRecord:
    """A thread, with all that was said in it."""

    key: ThreadKey
    unread: bool
    follows: bool = False
    #: In order of arrival.
    lines: list[Line] = field(default_factory=list)
    #: What people said, by message id.
    known: dict[str, Line] = field(default_factory=dict)
    turns: list[TurnRecord] = field(default_factory=list)

    def remember(
        self, heard: Message, turn: TurnRecord | None = None, *, asks: bool = False
    ) -> None:
        """Add `heard` and what it quotes, unless they are known."""
        for quoted in heard.quotes:
            if not quoted.echo:
                self._add(Line(quoted.at, quoted, turn))
        self._add(Line(heard.at, heard, turn, asks=asks))
        self.follows |= heard.opens and heard.addressed

    def erase(self, message: str) -> None:
        """Forget `message`, what holds its words, the question that this thread began
        with if it stands on it, and the answer that it is part of."""
        opened = self.key.thread == message
        for line in self.lines:
            if line.heard and (
                line.heard.message == message or (opened and line.heard.opens)
            ):
                line.erase()
        self.erase_held(message)
        for turn in self.turns:
            if not turn.open and any(s.message == message for s in turn.value.shown):
                self.forget_answer(turn)

    def erase_held(self, message: str) -> None:
        """Forget what holds the words of `message`, which stands elsewhere."""
        for line in self.lines:
            if line.heard and message in line.heard.holds:
                line.erase()

    def forget(self) -> None:
        """Forget all that was said here and is complete."""
        for line in self.lines:
            if line.heard:
                line.erase()
        for turn in self.turns:
            if not turn.open:
                self.forget_answer(turn)

    def forget_answer(self, turn: TurnRecord) -> None:
        """Forget what was answered in `turn`, which is delivered."""
        shown = tuple(replace(each, text="") for each in turn.value.shown)
        turn.value = replace(turn.value, text="", shown=shown)
        if turn.outcome:
            turn.outcome = replace(turn.outcome, text="", replay="")
        for line in self.lines:
            if line.turn is turn and line.heard is None:
                line.erase()

    def seen(self) -> list[Line]:
        """What people see of it, by the platform's time."""
        lines = (line for line in self.lines if not line.erased)
        return sorted(lines, key=attrgetter("at"))

    def spoken(self, turn: TurnRecord) -> list[TurnMessage]:
        """What `turn` is to read; nothing if nothing is left of what it is to
        answer."""
        lines = [line for line in self.seen() if line.turn is turn and not line.past]
        if not any(line.asks for line in lines):
            return []
        return [
            TurnMessage(
                self._told(line.heard),
                line.content if line in turn.given else None,
            )
            for line in lines
            if line.heard
        ]

    def begins(self, turn: TurnRecord) -> bool:
        """Whether `turn` answers the root, which addressed the bot."""
        return self.follows and not any(
            line.heard and line.turn and line.turn.value.id < turn.value.id
            for line in self.lines
        )

    def opening(self) -> Message | None:
        """The first message that was to be answered and is still there."""
        asked = (line.heard for line in self.seen() if line.asks and line.heard)
        first = next(asked, None)
        return self._told(first) if first else None

    def facts(self, at: float) -> ThreadFacts:
        """What is known of it when something is said at `at`."""
        automated = sum(
            at - LOOP_SECONDS < line.at <= at
            for line in self.lines
            if line.heard and line.heard.automated
        )
        return ThreadFacts(follows=self.follows, automated=automated)

    def askers(self, turn: TurnRecord) -> list[str]:
        """Who asked what `turn` answers, first who asked first."""
        asked = [line for line in self.lines if line.turn is turn and line.asks]
        asked.sort(key=lambda line: (line.erased, line.at))
        return [line.heard.author for line in asked if line.heard]

    def add_answer(self, turn: TurnRecord) -> None:
        """Insert the answer after the last message that this or an earlier turn
        covers."""
        covered = [
            line.at
            for line in self.lines
            if line.turn and line.turn.value.id <= turn.value.id
        ]
        self.lines.append(Line(max(covered, default=turn.asked_at), None, turn))

    def next_turn(self) -> Turn | None:
        """The oldest turn that is open, with what is known of its thread."""
        for turn in self.turns:
            if turn.open:
                return replace(
                    turn.value,
                    thread=self.key,
                    begins=self.begins(turn),
                    opening=self.opening(),
                    asker=next(iter(self.askers(turn)), ""),
                )
        return None

    def transcript(self) -> list[tuple[str, str]]:
        """What was said, oldest first: (author, text); the author is "" for the bot."""
        said = []
        for line in self.seen():
            if line.heard:
                said.append((line.heard.author, line.heard.text))
            elif line.turn and line.turn.value.text:
                said.append(("", line.turn.value.text))
        return said

    def waits(self) -> WaitingThread | None:
        """The thread with who waits in it; None where nobody does."""
        open_turns = [turn for turn in self.turns if turn.open]
        if not open_turns:
            return None
        asker = next(iter(self.askers(open_turns[0])), "")
        at = min(turn.asked_at for turn in open_turns)
        return WaitingThread(self.key, asker, at)

    def turn_facts(self, turn: TurnRecord) -> TurnFacts:
        """What is known of `turn`, which is one of ours."""
        return TurnFacts(
            key=turn.value.key,
            state=turn.value.state,
            ended=turn.value.ended,
            stop_reason=turn.value.stop_reason,
            has_text=bool(turn.value.text.strip()),
            askers=frozenset(self.askers(turn)),
            newest=turn is self.turns[-1],
        )

    def newest(self) -> Message | None:
        """What a person said last, also if it was deleted."""
        said = [
            line.heard
            for name, line in self.known.items()
            if line.heard and not name.startswith(PRESSED)
        ]
        return max(reversed(said), key=attrgetter("at"), default=None)

    def ended_before(self, moment: float) -> bool:
        """Whether all was said and answered before `moment`, and nothing waits."""
        times = [line.at for line in self.lines] + [t.ended_at for t in self.turns]
        return not any(t.open for t in self.turns) and max(times, default=0.0) < moment

    def summary(self) -> ThreadSummary:
        """It, as a list of threads shows it."""
        texts = (line.heard.text for line in self.seen() if line.heard)
        said = (line.at for line in self.lines)
        ended = (turn.ended_at for turn in self.turns)
        return ThreadSummary(
            thread=self.key,
            title=title(next(texts, "")),
            turns=len(self.turns),
            last=max(*said, *ended),
        )

    def _told(self, heard: Message) -> Message:
        return replace(heard, thread=self.key, quotes=(), holds=())

    def _add(self, line: Line) -> None:
        if line.heard and line.heard.message not in self.known:
            self.known[line.heard.message] = line
            self.lines.append(line)
