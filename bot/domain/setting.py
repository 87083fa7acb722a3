"""Settings that admins made: values, changes, audit entries. Frozen values.

A *setting* is the value of one option (`bot.config.options`) in one scope. Every
change is an entry of the audit; the number of the newest entry of a scope is the
revision that a form was drawn from, so that an older form is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.scope import Scope


@dataclass(frozen=True, slots=True)
class Setting:
    """One option's value at one place."""

    place: Scope
    #: An option's name.
    name: str
    #: In the option's canonical form; of a versioned one, the id of its version.
    value: str
    #: Who set it: a platform's user id, or "operator".
    who: str
    #: Seconds since 1970.
    at: float
    #: The number of the audit's entry that set it.
    revision: int


@dataclass(frozen=True, slots=True)
class StoredSettings:
    """All that was set for one place: there, and around it."""

    settings: tuple[Setting, ...] = ()
    #: What a running thread keeps of the day on which it began, by option.
    kept: Mapping[str, str] = field(default_factory=dict)
    #: The kept options that an admin has changed for running threads, too.
    stale: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be set at one place. A `value` of None takes the setting back, so
    that what applies around the place applies there again."""

    place: Scope
    name: str
    #: Canonical; of a versioned option the text itself, of which every one is kept.
    value: str | None
    versioned: bool = False


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something for the audit: a change, or a refusal, which is kept folded."""

    id: int
    at: float
    place: Scope
    #: A platform's user id, or "operator".
    who: str
    #: "set", "cleared", "rolled back", "imported" or "denied".
    action: str
    #: The option's name; for "denied", what was to be done.
    name: str
    #: Values as they were and are; None for none. Of a versioned option
    #: "version 3", never the text.
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """How often somebody was refused the same thing in a channel within an hour."""

    #: Never narrower than a channel.
    place: Scope
    #: A platform's user id; "" for all whose refusals were too many to keep apart.
    who: str
    #: What was to be done.
    name: str
    count: int
    #: When it was refused last, in seconds since 1970.
    at: float


@dataclass(frozen=True, slots=True)
class EditConflict:
    """Nothing was changed: others changed the same since the form was drawn."""

    #: What they did, oldest first.
    entries: tuple[AuditEntry, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a text that is kept in versions, of which the prompt is one."""

    id: int
    place: Scope
    #: Counts from 1 at each place.
    number: int
    #: None where it was taken back, so that the place has none of its own.
    text: str | None
    who: str
    at: float


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wrote and has not saved (yet). Kept for a week."""

    id: int
    place: Scope
    name: str
    value: str
    who: str
    at: float


OPERATOR = "operator"
