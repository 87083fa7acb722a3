"""Describes settings and prompts for people. Pure.

Texts are the Markdown of `bot.ui.elements`; people are references.
"""

from collections.abc import Iterable, Sequence

from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import OPERATOR, Setting, Version
from bot.messages import phrases, plurals
from bot.messages import settings as messages
from bot.settings import ceilings
from bot.settings.effective import EffectiveSettings, EffectiveValue
from bot.settings.options import BY_NAME, Option
from bot.text import references
from bot.text.comparison import count_changed_lines, unified_diff
from bot.ui.elements import Kind
from bot.ui.formatting import day, excerpt, here, minute, person

#: The most lines of a diff that a message shows.
DIFF_LINES = 60


def format_value(option: Option, value: str) -> str:
    """Format a canonical value."""
    if option.versioned:
        return phrases.version(number=value) if value else phrases.NONE
    text = option.show(value)
    names = option.names_channel or option.kind is Kind.PEOPLE
    return references.from_setting(text) if names else text


def settings(
    policy: EffectiveSettings, prompt: Version, options: Iterable[Option]
) -> str:
    """Describe the values of `options` in the scope of `policy`, and their sources."""
    head = messages.settings_of(where=here(policy.place.level, policy.place.platform))
    return "\n".join([head, values(policy, prompt, options)])


def values(
    policy: EffectiveSettings, prompt: Version, options: Iterable[Option]
) -> str:
    """Return a list of the values of `options` in the scope of `policy`, and their
    sources."""
    lines: list[str] = []
    for option in options:
        if option.each_level:
            lines += everywhere(policy, option)
        elif option.versioned:
            version = version_name(prompt)
            lines += [f"- {_describe_applied(policy, option, version)}"]
            lines += [f"> {line}" for line in excerpt(prompt.text or "").splitlines()]
        else:
            value = format_value(option, policy[option.name])
            lines.append(f"- {_describe_applied(policy, option, value)}")
    return "\n".join(lines)


def version_name(version: Version) -> str:
    """Return the name of a version: its number, or "the default" for the operator's
    version, whose number people would take for that of a channel's version."""
    if version.place.level is ScopeLevel.OPERATOR:
        return phrases.THE_DEFAULT
    return phrases.version(number=version.number)


def prompt_source(policy: EffectiveSettings, version: Version) -> str:
    """Describe which prompt applies and where it was set."""
    applied = policy.applied["prompt"]
    name = version_name(version)
    if applied.place.level is ScopeLevel.OPERATOR:
        return name
    return f"{name} · {source(applied)}"


def _describe_applied(
    policy: EffectiveSettings, option: Option, value: str, label: str = ""
) -> str:
    applied = policy.applied[option.name]
    unused = f" {messages.not_used(why=applied.unused)}" if applied.unused else ""
    over = "" if option.each_level else ceilings.above(policy, option, applied.value)
    held = f" _{over}_" if over else ""
    origin = f" · {source(applied, policy.route)}"
    if option.versioned and applied.place.level is ScopeLevel.OPERATOR:
        # "the default" already says where it comes from.
        origin = ""
    return f"{label or f'**{option.label}**'}: {value}{origin}{unused}{held}"


def one(policy: EffectiveSettings, option: Option, label: str = "") -> str:
    """Describe the value of one option and its source; `label` is its name in the text,
    by default its label in bold."""
    return _describe_applied(
        policy, option, format_value(option, policy[option.name]), label
    )


def own(setting: Setting) -> str:
    """Describe a channel's own setting."""
    option = BY_NAME.get(setting.name)
    label = option.label if option else setting.name
    value = (
        phrases.ITS_OWN
        if option is None or option.versioned
        else format_value(option, setting.value)
    )
    return f"- **{label}**: {value} · {_setter(setting.who, setting.at)}"


def source(applied: EffectiveValue, route: str = "") -> str:
    """Describe where a value was set; `route` is the reason why `auto` chose the model
    of a thread."""
    level = applied.place.level
    if applied.kept and applied.name == "model" and route:
        return messages.chosen_by_auto(why=route)
    if applied.kept:
        return messages.AS_THREAD_BEGAN
    if level is ScopeLevel.OPERATOR:
        return messages.BY_DEFAULT
    return f"{here(level, applied.place.platform)}, {_setter(applied.who, applied.at)}"


def _setter(who: str, at: float) -> str:
    return messages.set_by_on(person=person(who), day=day(at))


def everywhere(policy: EffectiveSettings, option: Option) -> list[str]:
    """Return a line for each value of an option that applies at each level."""
    found = list(policy.everywhere(option.name))
    if not found:
        return [f"- **{option.label}**: {phrases.NONE}"]
    return [
        "- "
        + messages.setting_of(
            setting=option.label, where=here(each.place.level, each.place.platform)
        )
        + f": {format_value(option, each.value) or each.value}"
        + (
            f", {messages.set_by(person=person(each.who))}"
            if each.who != OPERATOR
            else messages.OPERATOR_MOST
        )
        for each in found
    ]


def versions(all_of_them: Sequence[Version], place: Scope, most: int) -> str:
    """Describe the newest `most` versions of a prompt, the newest first."""
    where = here(place.level, place.platform)
    if not all_of_them:
        return messages.no_prompt(where=where.capitalize())
    lines = [messages.versions_of(where=where)]
    for nth, version in enumerate(all_of_them[:most]):
        size = (
            messages.REMOVED
            if version.text is None
            else plurals.CHARACTERS(len(version.text))
        )
        earlier = all_of_them[nth + 1 : nth + 2]
        changed = _describe_change(earlier[0], version) if earlier else ""
        now = f" · {messages.CURRENT}" if nth == 0 and version.text is not None else ""
        lines.append(
            f"- **{version.number}** · {minute(version.at)} · {person(version.who)} · "
            f"{size}{changed}{now}"
        )
        if version.text:
            lines.append(f"> {' '.join(version.text.split())[:80]}")
    return "\n".join(lines)


def _describe_change(old: Version, new: Version) -> str:
    """Return how many lines were added to `old` and removed from it; "" if there are
    none, or if either version has no text."""
    if not old.text or not new.text:
        return ""
    more, less = count_changed_lines(old.text, new.text)
    return f" · {messages.lines_changed(more=more, less=less)}" if more or less else ""


def difference(old: Version, new: Version) -> str:
    """Return the changes from `old` to `new` as a fenced diff, or both sizes if they
    differ too much. It may take tenths of a second: call it off the event loop."""
    before, after = old.text or "", new.text or ""
    hunks = unified_diff(before, after)
    if hunks is None:
        return messages.too_different(
            old=old.number,
            new=new.number,
            old_size=_size(before),
            new_size=_size(after),
        )
    if not hunks:
        return messages.same_text(old=old.number, new=new.number)
    heads = (phrases.version(number=each.number) for each in (old, new))
    lines = [*map(" ".join, zip(("---", "+++"), heads, strict=True)), *hunks]
    more = len(lines) - DIFF_LINES
    # A fence in the prompt must not close this one.
    body = "\n".join(lines[:DIFF_LINES]).replace("```", "'''")
    tail = f"\n{phrases.more_lines(count=more)}" if more > 0 else ""
    return f"```diff\n{body}\n```{tail}"


def _size(text: str) -> str:
    return messages.size(
        lines=plurals.LINES(len(text.splitlines())),
        characters=plurals.CHARACTERS(len(text)),
    )
