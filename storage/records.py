"""What a MemoryStore keeps in place of rows.

Rule: they hold what was stored and say what follows from it; what becomes of it is
for the verbs in `memory` to decide.
"""

from dataclasses import dataclass, field, replace
from operator import attrgetter

from bot.values import (
    LOOP_SECONDS,
    Ended,
    Heard,
    Outcome,
    Said,
    Spoken,
    State,
    ThreadFacts,
    ThreadKey,
    Turn,
    TurnFacts,
    Waiting,
)
from storage.queries import exchange


@dataclass(slots=True, eq=False)
class Line:
    """Something said: by a person where there is a `heard`, else in answer."""

    at: float
    heard: Heard | None
    turn: "TurnRecord | None"
    #: It is to be answered, not just read along.
    asks: bool = False
    #: As Claude reads it, or will as soon as the turn has `given` it.
    content: str | None = None
    #: Nobody sees it any more.
    erased: bool = False
    #: It was said before the thread began anew.
    past: bool = False


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
        return self.value.state is not State.DELIVERED

    @property
    def over(self) -> bool:
        """Its words are final, and it reads no more."""
        return self.value.state not in (State.WAITING, State.ANSWERING)

    @property
    def unsure(self) -> bool:
        """Of some message of its reply it is not known whether it was posted."""
        return any(shown.message is None for shown in self.value.shown)

    def entries(self) -> list[Said]:
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
        self, heard: Heard, turn: TurnRecord | None = None, *, asks: bool = False
    ) -> None:
        """Add `heard` and what it quotes, unless they are known."""
        for quoted in heard.quotes:
            if not quoted.echo:
                self._add(Line(quoted.at, quoted, turn))
        self._add(Line(heard.at, heard, turn, asks=asks))
        self.follows |= heard.opens and heard.addressed

    def seen(self) -> list[Line]:
        """What people see of it, by the platform's time."""
        lines = (line for line in self.lines if not line.erased)
        return sorted(lines, key=attrgetter("at"))

    def spoken(self, turn: TurnRecord) -> list[Spoken]:
        """What `turn` is to read; nothing if nothing is left of what it is to
        answer."""
        lines = [line for line in self.seen() if line.turn is turn and not line.past]
        if not any(line.asks for line in lines):
            return []
        return [
            Spoken(
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

    def opening(self) -> Heard | None:
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

    def waits(self) -> Waiting | None:
        """The thread with who waits in it; None where nobody does."""
        open_turns = [turn for turn in self.turns if turn.open]
        if not open_turns:
            return None
        asker = next(iter(self.askers(open_turns[0])), "")
        at = min(turn.asked_at for turn in open_turns)
        return Waiting(self.key, asker, at)

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

    def _told(self, heard: Heard) -> Heard:
        return replace(heard, thread=self.key, quotes=())

    def _add(self, line: Line) -> None:
        if line.heard and line.heard.message not in self.known:
            self.known[line.heard.message] = line
            self.lines.append(line)
