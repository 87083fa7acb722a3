"""Settings that admins made: values, changes, audit entries. Frozen values.

A *setting* is the value of one option (`bot.settings.options`) in one scope. Every
change is an entry of the audit. A form remembers the number of the scope's newest entry
as its revision, so that an outdated form is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.scope import Scope, ScopeLevel


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of one option in one scope."""

    place: Scope
    #: An option's name.
    name: str
    #: In canonical form; for a versioned option, the id of the version.
    value: str
    #: The person who set it: a platform's user id, or "operator".
    who: str
    #: Seconds since 1970.
    at: float
    #: The id of the audit entry that set it.
    revision: int


@dataclass(frozen=True, slots=True)
class StoredSettings:
    """The settings of one scope and of the scopes that enclose it."""

    settings: tuple[Setting, ...] = ()
    #: The values that a thread pinned when it began, by option.
    kept: Mapping[str, str] = field(default_factory=dict)
    #: The pinned options that an admin has since changed for running threads.
    stale: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one option in one scope.

    A `value` of None deletes the setting, so that the enclosing scope applies again.
    """

    place: Scope
    name: str
    #: In canonical form; for a versioned option, the text itself.
    value: str | None
    versioned: bool = False


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry of the audit: a change, or a refusal."""

    id: int
    at: float
    place: Scope
    #: A platform's user id, or "operator".
    who: str
    #: "set", "cleared", "rolled back", "copied", "undid", "imported" or "denied".
    action: str
    #: The option's name; for "denied", the refused action.
    name: str
    #: The values before and after; None for no value. For a versioned option, a form
    #: like "version 3", never the text.
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The refusals of one person for one action in a channel within an hour."""

    #: A channel or wider.
    place: Scope
    #: A platform's user id; "" for all people beyond the number that is recorded
    #: individually.
    who: str
    #: The refused action.
    name: str
    count: int
    #: The time of the last refusal, in seconds since 1970.
    at: float


@dataclass(frozen=True, slots=True)
class EditConflict:
    """Nothing was changed: others changed the same option since the form was drawn."""

    #: Their changes, oldest first.
    entries: tuple[AuditEntry, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a versioned option, such as the prompt."""

    id: int
    place: Scope
    #: Counts from 1 in each scope.
    number: int
    #: None if this version deleted the scope's own text.
    text: str | None
    who: str
    at: float


@dataclass(frozen=True, slots=True)
class AppliedSetting:
    """The value of one option that an answer used, and where the value was set."""

    name: str
    #: In canonical form; "" if it may contain people's words.
    value: str
    level: ScopeLevel
    #: The person who set it: a platform's user id, or "operator".
    who: str
    #: Whether the thread pinned the value when it began.
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that somebody wrote and has not saved yet. Kept for a week."""

    id: int
    place: Scope
    name: str
    value: str
    who: str
    at: float


#: The author of settings from the environment.
OPERATOR = "operator"
