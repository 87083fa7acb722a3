"""Describes the settings that differ from the default, by section, for people. Pure.

Rule: a page shows which values were set and by whom, and one line with important values
even if they were not set. The full list (`bot.settings.describe.settings`) shows the
rest.
"""

from collections.abc import Iterable

from bot.domain.person import EVERYONE
from bot.domain.scope import ScopeLevel
from bot.domain.setting import Version
from bot.messages import settings as messages
from bot.settings import describe
from bot.settings.effective import EffectiveSettings
from bot.settings.options import BY_NAME, Option
from bot.settings.sections import (
    ACCESS,
    ANSWERS,
    INSTRUCTIONS,
    SPENDING,
    TRIAGE,
    SettingsSection,
)

#: The most characters of the prompt that a page shows: two lines.
EXCERPT_CHARS = 160

#: The options whose values are in the first line about answers.
_SUMMARY = ("model", "effort", "max_tokens")


def differs(policy: EffectiveSettings, option: Option) -> bool:
    """Return True if a value of `option` was set at any level of a chat or, for an
    option that applies at each level, by the operator."""
    if option.each_level:
        return any(True for _ in policy.everywhere(option.name))
    return policy.applied[option.name].place.level is not ScopeLevel.OPERATOR


def text(
    section: SettingsSection,
    policy: EffectiveSettings,
    prompt: Version,
    known: Iterable[Option],
    budgets: str = "",
) -> str:
    """Describe `section` at the place of `policy`.

    `known` are the options that apply on the platform. `budgets` describes the budgets
    and their use; "" if the person may not see them.
    """
    set_ = [
        option
        for option in known
        if option.name in section.options and differs(policy, option)
    ]
    lines = {
        INSTRUCTIONS.name: lambda: _instructions(policy, prompt),
        ANSWERS.name: lambda: _answers(policy, set_),
        SPENDING.name: lambda: _spending(policy, set_, budgets),
        ACCESS.name: lambda: _access(policy, set_),
        TRIAGE.name: lambda: _triage(policy, set_),
    }[section.name]()
    return "\n".join(lines)


def is_default(
    section: SettingsSection, policy: EffectiveSettings, known: Iterable[Option]
) -> bool:
    """Return True if nothing in `section` differs from the default."""
    return not any(
        option.name in section.options and differs(policy, option) for option in known
    )


def _instructions(policy: EffectiveSettings, prompt: Version) -> list[str]:
    head = describe.prompt_source(policy, prompt)
    lines = [f"{head[0].upper()}{head[1:]}"]
    words = " ".join((prompt.text or "").split())
    if len(words) > EXCERPT_CHARS:
        words = f"{words[:EXCERPT_CHARS].rsplit(' ', 1)[0]}…"
    return [*lines, f"> {words}"] if words else lines


def _answers(policy: EffectiveSettings, set_: list[Option]) -> list[str]:
    effort = "" if policy.applied["effort"].unused else policy["effort"]
    longest = BY_NAME["max_tokens"].show(str(policy.max_tokens))
    summary = messages.answers_with(
        model=policy["model"], effort=effort, longest=longest
    )
    lines = [summary]
    for option in set_:
        applied = policy.applied[option.name]
        if option.name in _SUMMARY and not applied.unused:
            # The line above shows the value.
            source = describe.source(applied, policy.route)
            lines.append(f"- {option.label}: {source}")
        else:
            lines.append(f"- {describe.one(policy, option, label=option.label)}")
    return lines


def _spending(policy: EffectiveSettings, set_: list[Option], budgets: str) -> list[str]:
    lines = budgets.splitlines()
    for option in set_:
        if budgets and option.name in ("budget_day", "budget_month"):
            continue
        lines += describe.everywhere(policy, option)
    return lines or [messages.NO_LIMITS]


def _access(policy: EffectiveSettings, set_: list[Option]) -> list[str]:
    lines = [] if policy["who"] != EVERYONE else [messages.EVERYBODY_ASKS]
    return [*lines, *_lines(policy, set_)]


def _triage(policy: EffectiveSettings, set_: list[Option]) -> list[str]:
    lines = [] if policy.on("auto_triage") else [messages.NO_AUTO_TRIAGE]
    return [*lines, *_lines(policy, set_)]


def _lines(policy: EffectiveSettings, set_: list[Option]) -> list[str]:
    lines: list[str] = []
    for option in set_:
        if option.each_level:
            lines += describe.everywhere(policy, option)
        else:
            lines.append(f"- {describe.one(policy, option, label=option.label)}")
    return lines
