"""Measures the lag between answers as Claude sent them and as readers saw them."""

import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.bound import Growth
from benchmarks.platforms import Platform, Question
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.prompt import Body

#: The mark of an unfinished text, which is not part of the answer.
MORE = " …"

#: (characters, seconds that they waited to be seen).
Lag = tuple[int, float]


@dataclass(frozen=True, slots=True)
class Watched:
    """A reply as it was sent and as it was seen."""

    question: Question
    sent: Growth
    seen: Growth
    #: The reply as everybody except the asker saw it.
    by_others: Growth
    #: The time at which it was complete; None if it never was.
    whole: float | None

    @property
    def first(self) -> float:
        """Seconds from the question until a part of the answer was seen."""
        return self.seen[0][0] - self.question.at if self.seen else float("inf")

    @property
    def end(self) -> float:
        """Seconds from Claude's last word until all of it was seen."""
        return float("inf") if self.whole is None else self.whole - self.sent[-1][0]


def watched(
    platform: Platform,
    claude: ClaudeEmulator,
    asked: Sequence[Question],
    answer: str,
) -> list[Watched]:
    """Return what readers saw of the answers to `asked`. The nth question must read
    `question(n)`."""
    sent = {_asked_in(each.body): each.sent for each in claude.questions}
    return [
        _watched(platform, each, sent[question(nth)], answer)
        for nth, each in enumerate(asked)
    ]


def question(nth: int) -> str:
    """Return the question in the nth thread."""
    return f"question {nth}?"


def reads(platform: Platform, asked: Question) -> str:
    """Return the current text of the answer to `asked`."""
    return next((text for _, text in reversed(platform.answer(asked))), "")


def lags(
    sent: Sequence[Growth], seen: Sequence[Growth], until: float = float("inf")
) -> list[Lag]:
    """Return how long the characters of each reply waited. Those that were never seen
    waited until `until`."""
    pairs = zip(sent, seen, strict=True)
    return [lag for arrived, shown in pairs for lag in _lags_of(arrived, shown, until)]


def mean(found: Sequence[Lag]) -> float:
    """Return the mean over all characters."""
    chars = sum(count for count, _ in found)
    return sum(count * lag for count, lag in found) / chars


def worst(found: Sequence[Lag]) -> float:
    """Return the longest wait of a character in seconds."""
    return max(lag for _, lag in found)


def average(values: Sequence[float]) -> float:
    """Return the mean of durations."""
    return statistics.fmean(values)


def _watched(platform: Platform, asked: Question, sent: Growth, answer: str) -> Watched:
    others = platform.others_see(asked)
    return Watched(
        question=asked,
        sent=sent,
        seen=_growth(platform.answer(asked), answer),
        by_others=_growth(others, answer),
        whole=next((at for at, text in others if text == answer), None),
    )


def _growth(shown: Sequence[tuple[float, str]], answer: str) -> Growth:
    texts = [(at, text.removesuffix(MORE)) for at, text in shown]
    # A placeholder is not part of the answer.
    return [(at, len(text)) for at, text in texts if text and answer.startswith(text)]


def _lags_of(sent: Growth, seen: Growth, until: float) -> Iterator[Lag]:
    views = iter([*seen, (until, sent[-1][1])])
    when, visible = next(views)
    done = 0
    for at, chars in sent:
        # A visible text may end inside a delta, so each piece has its own lag.
        while done < chars:
            while visible <= done:
                when, visible = next(views)
            count = min(visible, chars) - done
            done += count
            yield count, when - at


def _asked_in(body: Body) -> str:
    """Return the question that a request ends with."""
    (found,) = re.findall(r"question -?\d+\?", body["messages"][-1]["content"])
    return str(found)
