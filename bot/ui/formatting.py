"""Format amounts, dates, counts and bars for people. Pure."""

from datetime import UTC, datetime

from bot.domain.completion import Usage
from bot.domain.scope import ScopeLevel
from bot.domain.setting import OPERATOR

#: How much of the prompt a list shows.
EXCERPT_CHARS = 280

#: Eighths of a character, for bars.
_EIGHTHS = " ▏▎▍▌▋▊▉█"
BAR_CHARS = 10

_HERE = {
    ScopeLevel.THREAD: "this thread",
    ScopeLevel.CHANNEL: "this channel",
    ScopeLevel.WORKSPACE: "the workspace",
    ScopeLevel.OPERATOR: "the operator",
}


def here(level: ScopeLevel) -> str:
    """What a place of `level` is called by those who are there."""
    return _HERE[level]


def day(at: float) -> str:
    """The day of `at`, for people."""
    return f"{datetime.fromtimestamp(at, UTC):%d %b %Y}".lstrip("0")


def minute(at: float) -> str:
    """The minute of `at`, for people."""
    return f"{datetime.fromtimestamp(at, UTC):%d %b %Y, %H:%M} UTC".lstrip("0")


def usd(amount: float) -> str:
    """An amount, with as many places as it needs to be told from nothing."""
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}".removesuffix("00")


def person(who: str) -> str:
    """Somebody, as texts name them."""
    return "the operator" if who == OPERATOR else f"user:{who}"


def count(number: int, what: str) -> str:
    """So many of something, with the plural that most words have."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def excerpt(text: str) -> str:
    """The beginning of a long text."""
    text = text.strip()
    return text if len(text) <= EXCERPT_CHARS else text[:EXCERPT_CHARS].rstrip() + "…"


def blocks(share: float, chars: int, *, plain: bool = False) -> str:
    """`share` of `chars` characters, from 0 to 1, to the eighth of one; `plain` for
    where only ASCII can be shown."""
    if plain:
        return "#" * round(share * chars)
    full, rest = divmod(round(max(0.0, min(1.0, share)) * chars * 8), 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def bar(share: float) -> str:
    """A bar that `share` of is full, from 0 to 1."""
    return f"`{blocks(share, BAR_CHARS):░<{BAR_CHARS}}`"


def amount(cost: float | None, *, bounded: bool) -> str:
    """What something cost; `bounded` if that is the most that it can have cost, since
    it broke off before anybody said."""
    if cost is None:
        return "price unknown"
    return f"at most {usd(cost)}" if bounded else usd(cost)


def footer(
    model: str, usage: Usage, cost: float | None, *, bounded: bool = False
) -> str:
    """What stands under an answer where that is wanted. Of one that broke off, how much
    was written is not known, thinking included."""
    cached = f" ({usage.cache_read:,} cached)" if usage.cache_read else ""
    searched = f" · {usage.searches} searches" if usage.searches else ""
    written = "" if bounded else f", {usage.output:,} written"
    return (
        f"{model} · {usage.prompt:,} tokens read{cached}{written}{searched} · "
        f"{amount(cost, bounded=bounded)}"
    )
