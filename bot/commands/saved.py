"""Describes saved settings, with a button that undoes the change. Pure."""

from collections.abc import Sequence

from bot.domain.scope import ScopeLevel
from bot.domain.setting import AuditEntry
from bot.messages import commands as messages
from bot.messages import labels, phrases
from bot.messages.commands import THREADS_CHANGE, THREADS_KEEP
from bot.settings import describe
from bot.settings.effective import EffectiveSettings
from bot.settings.options import BY_NAME
from bot.ui.elements import Button, Command


def undo_button(entries: Sequence[AuditEntry], running: bool) -> tuple[Button, ...]:
    """Return the button that undoes the change recorded as `entries`; () without
    entries."""
    if not entries:
        return ()
    command = Command(
        "undo", {"first": str(entries[0].id), "last": str(entries[-1].id)}
    )
    if running:
        command = command.having({"running": "yes"})
    return (Button(labels.UNDO, command),)


def describe_changes(
    head: str, entries: Sequence[AuditEntry], policy: EffectiveSettings, running: bool
) -> str:
    """Describe the changes in `entries`, made in the scope of `policy`, below the line
    `head`. `running` says whether they also apply to running threads."""
    if not entries:
        return messages.NO_CHANGE
    lines = [head]
    for entry in entries:
        option = BY_NAME[entry.name]
        after = phrases.NOT_SET if entry.after is None else entry.after
        if entry.after is not None and not option.versioned:
            after = describe.format_value(option, entry.after)
        lines.append(f"- **{option.label}**: {after}")
    kept = any(BY_NAME[entry.name].kept for entry in entries)
    if kept and policy.place.level is not ScopeLevel.THREAD:
        lines.append(THREADS_CHANGE if running else THREADS_KEEP)
    return "\n".join(lines)
