"""Formats amounts, dates, counts and bars for people. Pure."""

import math
import re
from datetime import UTC, datetime

from bot.domain.completion import Usage
from bot.domain.scope import ScopeLevel
from bot.domain.setting import OPERATOR
from bot.messages import phrases, plurals
from bot.text import references

#: The characters of a prompt that a list shows.
EXCERPT_CHARS = 280

#: Bars of zero to eight eighths of a character.
_EIGHTHS = " ▏▎▍▌▋▊▉█"
BAR_CHARS = 5

#: The share from which a budget's bar has a warning sign.
NEARLY = 0.95
WARNING = "⚠️"

CENT = 0.01
# The largest rounding error by which a sum of floats may exceed whole cents.
_ROUNDING = 1e-6

_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]++([^\s#][^\n]*+)$", re.MULTILINE)

_HERE = {
    ScopeLevel.THREAD: phrases.THIS_THREAD,
    ScopeLevel.CHANNEL: phrases.THIS_CHANNEL,
    ScopeLevel.OPERATOR: phrases.THE_OPERATOR,
}


def here(level: ScopeLevel, platform: str) -> str:
    """Return the name of a scope of `level` on `platform`, for people in that scope."""
    if level is ScopeLevel.WORKSPACE:
        return phrases.WORKSPACES.get(platform, phrases.THE_WORKSPACE)
    return _HERE[level]


def day(at: float) -> str:
    """Return the day of `at`. People read it in their own time zone."""
    return references.day(at)


def minute(at: float) -> str:
    """Return `at` to the minute. People read it in their own time zone."""
    return references.time(at)


def timestamp(at: float) -> str:
    """Format `at` in UTC, in sortable form: "2026-11-28 10:00"."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"


def usd(amount: float) -> str:
    """Format spending for the chat, in cents.

    Use `exact_usd` for limits that people set, for unit prices, and on the command
    line.
    """
    if 0 < amount < CENT:
        return phrases.UNDER_A_CENT
    return f"${amount:,.2f}"


def exact_usd(amount: float) -> str:
    """Format USD with enough decimals to show a non-zero amount."""
    if amount >= 1:
        return f"${amount:,.2f}"
    if 0 < amount < 0.00005:
        return f"${max(amount, 0.000001):.6f}".rstrip("0")
    return f"${amount:.4f}".removesuffix("00")


def person(who: str) -> str:
    """Return the operator's name in texts, or a reference to the person `who`."""
    return phrases.THE_OPERATOR if who == OPERATOR else references.user(who)


def without_headings(markdown: str) -> str:
    """Return a model's Markdown with bold text in place of headings.

    Texts of responses have no headings.
    """

    return _HEADING.sub(
        lambda found: f"**{found[1].strip().replace('*', '')}**", markdown
    )


def excerpt(text: str) -> str:
    """Return the beginning of a long text."""
    text = text.strip()
    return text if len(text) <= EXCERPT_CHARS else text[:EXCERPT_CHARS].rstrip() + "…"


def blocks(share: float, chars: int, *, plain: bool = False) -> str:
    """Return a bar of `share` (0 to 1) with up to `chars` characters.

    The bar is exact to an eighth of a character; `plain` uses whole ASCII characters.
    """
    if plain:
        return "#" * round(share * chars)
    full, rest = divmod(round(max(0.0, min(1.0, share)) * chars * 8), 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def bar(share: float) -> str:
    """Return a bar with the percentage of `share`: "▰▰▱▱▱ 38 %".

    `share` is from 0 to 1, or more if a budget is exceeded. The bar is not code, which
    Slack shows in red.
    """
    full = min(BAR_CHARS, max(0, round(share * BAR_CHARS)))
    if share < 1:
        # Only a budget that is used up has a full bar.
        full = min(full, BAR_CHARS - 1)
    percent = "< 1" if 0 < share < 0.01 else f"{int(share * 100)}"
    return f"{'▰' * full}{'▱' * (BAR_CHARS - full)} {percent} %"


def gauge(share: float) -> str:
    """Return the `bar` of a budget, with a warning sign if it is nearly used up."""
    return f"{WARNING} {bar(share)}" if share >= NEARLY else bar(share)


def file_size(count: int) -> str:
    """Format a number of bytes."""
    if count < 1_000:
        return plurals.BYTES(count)
    if count < 1_000_000:
        return phrases.kilobytes(count=count / 1_000)
    return phrases.megabytes(count=count / 1_000_000)


def amount(cost: float | None, *, bounded: bool, exact: bool = False) -> str:
    """Format a cost, in cents for the chat unless `exact`.

    `bounded` marks the cost as an upper bound, because the usage is unknown.
    """
    if cost is None:
        return phrases.PRICE_UNKNOWN
    if not bounded:
        return exact_usd(cost) if exact else usd(cost)
    # An upper bound is rounded up.
    cents = math.ceil(cost / CENT - _ROUNDING)
    most = exact_usd(cost) if exact else usd(cents * CENT)
    return phrases.at_most(amount=most)


def footer(
    model: str,
    usage: Usage,
    cost: float | None,
    *,
    bounded: bool = False,
    exact: bool = False,
) -> str:
    """Return the line below an answer with its model, tokens and cost.

    `cost`, `bounded` and `exact` are as in `amount`. If `bounded`, the output is
    unknown and left out.
    """
    cached = phrases.tokens_cached(count=usage.cache_read) if usage.cache_read else ""
    searched = (
        f" · {phrases.web_searches(count=usage.searches)}" if usage.searches else ""
    )
    written = "" if bounded else phrases.tokens_written(count=usage.output)
    read = phrases.tokens_read(count=usage.prompt)
    total = amount(cost, bounded=bounded, exact=exact)
    return f"{model} · {read}{cached}{written}{searched} · {total}"
