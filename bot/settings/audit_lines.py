"""Entries of the audit as lines for people. Pure."""

from collections.abc import Sequence

from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import AuditEntry, Refusal
from bot.settings.describe import shown
from bot.settings.options import BY_NAME, Option
from bot.text.references import channel
from bot.ui.formatting import here, minute, person


def change(entry: AuditEntry) -> str:
    """Describe one entry of the audit in a sentence, without its time."""
    who = person(entry.who)
    option = BY_NAME.get(entry.name)
    label = option.label if option else entry.name
    before, after = (_audited(option, each) for each in (entry.before, entry.after))
    return f"{who} {entry.action} **{label}**: {before} → {after}"


def _audited(option: Option | None, value: str | None) -> str:
    if value is None:
        return "not set"
    return value if option is None or option.versioned else shown(option, value)


def audit(entries: Sequence[AuditEntry], place: Scope) -> str:
    """Describe the latest entries, the newest first."""
    if not entries:
        return f"Nothing was changed in {here(place.level)} so far."
    lines = [f"**Changes in {here(place.level)}**"]
    for entry in entries:
        where = "" if entry.place == place else f" · {_spot(entry.place)}"
        lines.append(f"- {minute(entry.at)}{where} · {change(entry)}")
    return "\n".join(lines)


def refusals(found: Sequence[Refusal], place: Scope) -> str:
    """Describe refusals, the newest first; "" for none."""
    if not found:
        return ""
    lines = [f"**Refused in {here(place.level)}**"]
    for each in found:
        where = "" if each.place == place else f" · {_spot(each.place)}"
        who = person(each.who) if each.who else "Others"
        times = f" ({each.count:,} times that hour)" if each.count > 1 else ""
        lines.append(
            f"- {minute(each.at)}{where} · {who} was not allowed to: {each.name}{times}"
        )
    return "\n".join(lines)


def _spot(place: Scope) -> str:
    if place.level is ScopeLevel.WORKSPACE:
        return "the workspace"
    thread = " (a thread)" if place.level is ScopeLevel.THREAD else ""
    return f"{channel(place.channel)}{thread}"
