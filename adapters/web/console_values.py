"""Formats values for the console's pages. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.web.console_charts import Bar
from bot.domain.reports import Quality, Transcript, UsageRow
from bot.domain.turn import Ended
from bot.messages import console as texts
from bot.ui import formatting

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0

#: How an answer ended, in words.
ENDED: Mapping[Ended, str] = {
    Ended.DONE: texts.FINISHED,
    Ended.INTERRUPTED: texts.INTERRUPTED,
    Ended.REFUSED: texts.REFUSED,
    Ended.FAILED: texts.FAILED,
    Ended.STOPPED: texts.STOPPED,
}


def age(seconds: float) -> str:
    """Return a duration in its largest unit."""
    seconds = max(0.0, seconds)
    if seconds < MINUTE:
        return texts.seconds(count=f"{seconds:.0f}")
    if seconds < 2 * HOUR:
        return texts.minutes(count=int(seconds / MINUTE))
    if seconds < 2 * DAY:
        return texts.hours(count=int(seconds / HOUR))
    return texts.days(count=int(seconds / DAY))


def clock(at: float) -> str:
    """Return a time (UTC) to the minute."""
    return formatting.timestamp(at)


def percent(share: float) -> str:
    """Return a share in percent."""
    return f"{share:.0%}"


def day_bars(rows: Sequence[UsageRow], since: float, now: float) -> list[Bar]:
    """Return a bar for each day from `since` to `now`, including days without usage;
    for a long range, return a bar for each week."""
    known = {each.keys[0]: each for each in rows}
    first = datetime.fromtimestamp(since, UTC).date()
    last = datetime.fromtimestamp(now, UTC).date()
    step = 7 if (last - first).days > 100 else 1
    found = []
    begin = first
    while begin <= last:
        span = [str(begin + timedelta(days=each)) for each in range(step)]
        inside = [known[day] for day in span if day in known]
        cost = sum(each.cost for each in inside)
        found.append(
            Bar(
                span[0].removeprefix(f"{begin.year}-"),
                cost,
                texts.spent_on(
                    day=span[0],
                    usd=formatting.exact_usd(cost),
                    answers=sum(each.answers for each in inside),
                ),
            )
        )
        begin += timedelta(days=step)
    return found


def ended_tiles(found: Quality) -> list[tuple[str, int]]:
    """Return the numbers of answers, by how they ended and how they were rated."""
    tiles = [(name, found.ended.get(how, 0)) for how, name in ENDED.items()]
    return [*tiles, (texts.GOOD, found.good), (texts.BAD, found.bad)]


def exported(found: Transcript) -> dict[str, Any]:
    """Return a thread as plain values."""
    return {
        "thread": str(found.report.thread),
        "channel": found.report.name,
        "messages": [
            {
                "role": "user" if each.author else "assistant",
                "author": each.author,
                "name": each.name,
                "text": each.text,
            }
            for each in found.lines
        ],
        "answers": [
            {
                "turn": each.turn,
                "at": datetime.fromtimestamp(each.at, UTC).isoformat(),
                "ended": each.ended.value,
                "model": each.model,
                "seconds": round(each.seconds, 3),
                "usd": each.cost,
            }
            for each in found.answers
        ],
    }
