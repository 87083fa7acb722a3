"""Formats entries of the audit as lines for people. Pure."""

from collections.abc import Sequence

from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import AuditEntry, Refusal
from bot.messages import phrases
from bot.messages import settings as messages
from bot.settings.describe import format_value
from bot.settings.options import BY_NAME, Option
from bot.text.references import channel
from bot.ui.formatting import here, minute, person

#: The words for the store's names of actions.
_ACTIONS = {
    "set": messages.SET,
    "cleared": messages.CLEARED,
    "rolled back": messages.ROLLED_BACK,
    "imported": messages.IMPORTED,
}
# The prefix of a version number in the audit.
_VERSION = "version "


def change(entry: AuditEntry) -> str:
    """Describe one entry of the audit in a sentence, without its time."""
    who = person(entry.who)
    option = BY_NAME.get(entry.name)
    label = option.label if option else entry.name
    before, after = (_audit_value(option, each) for each in (entry.before, entry.after))
    return messages.changed(
        person=who,
        action=_ACTIONS.get(entry.action, entry.action),
        setting=label,
        before=before,
        after=after,
    )


def _audit_value(option: Option | None, value: str | None) -> str:
    if value is None:
        return phrases.NOT_SET
    if option is not None and option.versioned:
        return phrases.version(number=value.removeprefix(_VERSION))
    return value if option is None else format_value(option, value)


def audit(entries: Sequence[AuditEntry], place: Scope) -> str:
    """Describe the latest entries, the newest first."""
    if not entries:
        return messages.nothing_changed(where=here(place.level, place.platform))
    lines = [messages.changes_in(where=here(place.level, place.platform))]
    for entry in entries:
        where = "" if entry.place == place else f" · {_spot(entry.place)}"
        lines.append(f"- {minute(entry.at)}{where} · {change(entry)}")
    return "\n".join(lines)


def refusals(found: Sequence[Refusal], place: Scope) -> str:
    """Describe refusals, the newest first; "" for none."""
    if not found:
        return ""
    lines = [messages.refused_in(where=here(place.level, place.platform))]
    for each in found:
        where = "" if each.place == place else f" · {_spot(each.place)}"
        lines.append(f"- {minute(each.at)}{where} · {_audit_refusal(each)}")
    return "\n".join(lines)


def _audit_refusal(refusal: Refusal) -> str:
    if not refusal.who:
        return messages.others_refused(count=refusal.count)
    what = messages.tried(person=person(refusal.who), action=refusal.name)
    if refusal.count == 1:
        return what
    return f"{what}{messages.times_that_hour(count=refusal.count)}"


def _spot(place: Scope) -> str:
    if place.level is ScopeLevel.WORKSPACE:
        return here(place.level, place.platform)
    name = channel(place.channel)
    if place.level is ScopeLevel.THREAD:
        return phrases.a_thread_of(channel=name)
    return name
