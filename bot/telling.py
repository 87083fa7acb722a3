"""Says in words what is set, what changed and what was spent. Pure.

The texts are those of `bot.dialogue`: small Markdown, people as `user:ID`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from bot import ceilings
from bot.catalogue import saved
from bot.comparison import compared
from bot.dialogue import REFERENCE
from bot.money import Alert, Balance, Cap, Period, Shortfall, Spending
from bot.options import BY_NAME, Option
from bot.policy import OPERATOR, Applied, Policy
from bot.rules import Level, Place, Setting, Version
from bot.values import Usage

#: How much of the prompt a list shows.
EXCERPT_CHARS = 280

#: How much of a difference a message shows.
DIFF_LINES = 60

# How many places and people a list of what was spent shows.
MOST_SPENDERS = 8

#: Eighths of a character, for bars.
_EIGHTHS = " ▏▎▍▌▋▊▉█"
BAR_CHARS = 10

#: What a budget or limit of 0 means.
NOTHING = "nothing may be spent"

_HERE = {
    Level.THREAD: "this thread",
    Level.CHANNEL: "this channel",
    Level.WORKSPACE: "the workspace",
    Level.OPERATOR: "the operator",
}


def here(level: Level) -> str:
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


def harmless(said: str) -> str:
    """What a model says, without what would be shown as somebody's name."""
    return REFERENCE.sub(lambda match: match[0].replace(":", ":\u200b"), said)


def shown(option: Option, value: str) -> str:
    """A canonical value as people read it."""
    if option.versioned:
        return f"version {value}" if value else "none"
    return option.show(value)


def settings(policy: Policy, prompt: Version, options: Iterable[Option]) -> str:
    """What applies of `options` at the place of `policy`, and why."""
    lines = [f"**What applies in {here(policy.place.level)}**"]
    for option in options:
        if option.each_level:
            lines += _each_level(policy, option)
        elif option.versioned:
            lines += [f"- {_applied(policy, option, f'version {prompt.number}')}"]
            lines += [f"> {line}" for line in excerpt(prompt.text or "").splitlines()]
        else:
            value = option.show(policy[option.name])
            lines.append(f"- {_applied(policy, option, value)}")
    return "\n".join(lines)


def _applied(policy: Policy, option: Option, value: str) -> str:
    applied = policy.applied[option.name]
    unused = f" _Not used: {applied.unused}_" if applied.unused else ""
    over = "" if option.each_level else ceilings.above(policy, option, applied.value)
    held = f" _{over}_" if over else ""
    return (
        f"**{option.label}**: {value} · {source(applied, policy.route)}{unused}{held}"
    )


def one(policy: Policy, option: Option) -> str:
    """What applies of one option, and why."""
    return _applied(policy, option, option.show(policy[option.name]))


def own(setting: Setting) -> str:
    """A setting of a channel's own."""
    option = BY_NAME.get(setting.name)
    label = option.label if option else setting.name
    value = (
        "its own" if option is None or option.versioned else option.show(setting.value)
    )
    return f"- **{label}**: {value} · set by {person(setting.who)} on {day(setting.at)}"


def beginning(month: str) -> float:
    """When a month ("2026-11") began, in seconds since 1970."""
    return datetime.fromisoformat(f"{month}-01T00:00:00+00:00").timestamp()


def source(applied: Applied, route: str = "") -> str:
    """Where a value comes from; `route` says why `auto` chose a thread's model."""
    level = applied.place.level
    if applied.kept and applied.name == "model" and route:
        return f"chosen by `auto`: {route}"
    if applied.kept:
        return "as this thread began"
    if level is Level.OPERATOR:
        return "by default"
    return f"{here(level)}, set by {person(applied.who)} on {day(applied.at)}"


def _each_level(policy: Policy, option: Option) -> list[str]:
    found = list(policy.everywhere(option.name))
    if not found:
        return [f"- **{option.label}**: none"]
    return [
        f"- **{option.label}** of {here(each.place.level)}: "
        f"{option.show(each.value) if option.show(each.value) else each.value}"
        + (
            f", set by {person(each.who)}"
            if each.who != OPERATOR
            else ", the most that the operator allows"
        )
        for each in found
    ]


def excerpt(text: str) -> str:
    """The beginning of a long text."""
    text = text.strip()
    return text if len(text) <= EXCERPT_CHARS else text[:EXCERPT_CHARS].rstrip() + "…"


def versions(all_of_them: Sequence[Version], place: Place) -> str:
    """The history of a prompt, the newest first."""
    where = here(place.level)
    if not all_of_them:
        return f"No prompt was ever set for {where} itself."
    lines = [f"**Versions of the prompt of {where}**"]
    for nth, version in enumerate(all_of_them):
        size = (
            "taken back"
            if version.text is None
            else f"{len(version.text):,} characters"
        )
        now = " · **now**" if nth == 0 and version.text is not None else ""
        lines.append(
            f"- **{version.number}** · {minute(version.at)} · {person(version.who)} · "
            f"{size}{now}"
        )
        if version.text:
            lines.append(f"> {' '.join(version.text.split())[:80]}")
    return "\n".join(lines)


def difference(old: Version, new: Version) -> str:
    """What changed from `old` to `new`, as a fenced difference; both sizes where they
    are too different for one. It may take tenths of a second: run it off the loop."""
    before, after = old.text or "", new.text or ""
    hunks = compared(before, after)
    if hunks is None:
        return (
            f"Version {old.number} and version {new.number} are too different to be "
            f"compared line by line: {_size(before)} and {_size(after)}. "
            "`prompt show` shows the one that applies now."
        )
    if not hunks:
        return f"Versions {old.number} and {new.number} read the same."
    lines = [f"--- version {old.number}", f"+++ version {new.number}", *hunks]
    more = len(lines) - DIFF_LINES
    # A fence in the prompt must not close ours.
    body = "\n".join(lines[:DIFF_LINES]).replace("```", "'''")
    tail = f"\n… and {more} more lines." if more > 0 else ""
    return f"```diff\n{body}\n```{tail}"


def _size(text: str) -> str:
    lines = count(len(text.splitlines()), "line")
    return f"{lines} of {count(len(text), 'character')}"


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


def budget(cap: Cap, balance: Balance) -> str:
    """How a budget stands."""
    period = "today" if cap.period is Period.DAY else "this month"
    reserved = f" (and {usd(balance.reserved)} set aside)" if balance.reserved else ""
    of = usd(cap.usd) if cap.usd > 0 else f"$0.00: {NOTHING}"
    return (
        f"- **{here(cap.place.level).capitalize()}, {period}**: "
        f"{bar(cap.share(balance.spent))} {usd(balance.spent)} of {of}{reserved}"
    )


def alert(alert: Alert) -> str:
    """What admins are told when a budget has come to one of its marks."""
    cap = alert.budget
    period = "today" if cap.period is Period.DAY else "this month"
    place = "the workspace"
    if cap.place.level is Level.CHANNEL:
        place = f"channel:{cap.place.channel}"
    raiser = "`budget` raises it"
    if cap.who == OPERATOR:
        raiser = "this bot's operator can raise it"
    return (
        f"**{alert.share:.0%} of a budget is used up**: {usd(alert.spent)} of "
        f"{usd(cap.usd)} for {period} in {place}. When all of it is, I say so there "
        f"and answer no more; {raiser}."
    )


def shortfall(short: Shortfall, now: float, names: Mapping[str, str]) -> str:
    """Why somebody gets no answer now, and what can be done about it."""
    if short.unpriced:
        return (
            f"What `{short.unpriced}` costs is not known, so the budget here cannot "
            "be kept. Please have an admin choose another model."
        )
    if short.person is not None and 0 in (short.person.messages, short.person.usd):
        return (
            f"One person's limit in {here(short.person.place.level)} is 0: {NOTHING}. "
            "Please have an admin raise it."
        )
    if short.person is not None:
        minutes = max(1, round(((short.until or now) - now) / 60))
        what = (
            count(short.person.messages, "question")
            if short.person.messages is not None
            else f"{usd(short.person.usd or 0)}"
        )
        return (
            "You have used what one person may use in "
            f"{here(short.person.place.level)} within an hour ({what}). Please ask "
            f"again in {minutes} {'minute' if minutes == 1 else 'minutes'}."
        )
    cap = short.budget
    assert cap is not None
    period = "today" if cap.period is Period.DAY else "this month"
    if cap.place.level is Level.OPERATOR:
        return ceilings.shortfall(short, cap)
    where = here(cap.place.level)
    if cap.usd <= 0:
        return (
            f"The budget of {where} for {period} is $0.00: {NOTHING}. I answer again "
            f"as soon as {_raiser(cap, names)} raises it."
        )
    if short.reserved > 0 and short.spent < cap.usd:
        return (
            f"The rest of the budget of {where} for {period} ({usd(cap.usd)}) is set "
            "aside for answers that are being written now. Please ask again in a "
            "minute."
        )
    again = "tomorrow" if cap.period is Period.DAY else "next month"
    used = f"{usd(short.spent)} of {usd(cap.usd)}"
    if cap.place.level is Level.WORKSPACE:
        # What others spent elsewhere is not for guests, nor for direct messages.
        used = usd(cap.usd)
    return (
        f"The budget of {where} for {period} is used up ({used}, and this answer could "
        f"cost more than is left). I answer again {again} (UTC), or as soon as "
        f"{_raiser(cap, names)} raises it."
    )


def _raiser(cap: Cap, names: Mapping[str, str]) -> str:
    """Who can raise a budget."""
    if cap.who == OPERATOR:
        return "the bot's operator"
    return f"{names.get(cap.who, cap.who)}, who set it, or another admin"


def spent(title: str, rows: Iterable[Spending], of: float = 0.0) -> str:
    """A line that adds up `rows`, with a bar for its share of `of` USD."""
    answers = unpriced = bounded = 0
    usage, cost, spared = Usage(), 0.0, 0.0
    for row in rows:
        answers += row.turns if row.kind == "answer" else 0
        unpriced += row.unpriced
        bounded += row.bounded
        usage += row.usage
        cost += row.cost
        spared += saved(row.model, row.usage, _noon(row.day))
    drawn = f"{bar(cost / of)} " if of > 0 else ""
    count = f"{answers} answer" if answers == 1 else f"{answers} answers"
    unknown = f" (and {unpriced} of unknown price)" if unpriced else ""
    cached = f", caching saved {usd(spared)}" if spared > 0 else ""
    total = amount(cost, bounded=bounded > 0)
    return (
        f"- **{title}**: {drawn}{total}{unknown} · {count}, "
        f"{usage.prompt:,} tokens read, {usage.output:,} written{cached}"
    )


def grouped(rows: list[Spending], key: Callable[[Spending], str]) -> list[str]:
    """A line for each group of `rows`, the dearest first."""
    groups: dict[str, list[Spending]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    costs = {name: sum(row.cost for row in group) for name, group in groups.items()}
    dearest = sorted(costs, key=lambda name: -costs[name])
    most = max(costs.values(), default=0.0)
    lines = [spent(name, groups[name], most) for name in dearest[:MOST_SPENDERS]]
    if left := len(dearest) - len(lines):
        lines.append(f"- … and {left} more")
    return lines or ["- nobody asked anything"]


def _noon(date: str) -> float:
    return datetime.fromisoformat(f"{date}T12:00:00+00:00").timestamp()


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
