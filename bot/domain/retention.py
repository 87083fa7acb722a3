"""Retention periods. Frozen values."""

from dataclasses import dataclass

DAY = 86_400.0

#: The defaults in days. A year of refusals shows who keeps trying. A case that nobody
#: corrected is useful for days, not for months.
AUDIT_DAYS, CASE_DAYS = 365, 90

#: The retention in days of a correction that is not an example. Equal to the default
#: range of `threadkeep triage corrections`.
CORRECTION_DAYS = 365


#: The retention in days of a name that was not looked up again. Equal to the retention
#: of refusals, which may need the name.
NAME_DAYS = 365

#: The retention in days for a workspace that removed the app, which leaves time to
#: notice a mistake.
PURGE_DAYS = 30


@dataclass(frozen=True, slots=True)
class Retention:
    """Retention periods in seconds.

    Changes of settings, versions of prompts and spending are kept forever.
    """

    #: Refusals.
    refusals: float = AUDIT_DAYS * DAY
    #: Triage cases that nobody corrected.
    cases: float = CASE_DAYS * DAY
    #: Corrected cases, counted from the correction. Examples are kept forever.
    corrections: float = CORRECTION_DAYS * DAY
    #: Names of people, channels and workspaces, counted from the last lookup.
    names: float = NAME_DAYS * DAY
    #: Everything from a workspace that removed the app, except its spending.
    uninstalled: float = PURGE_DAYS * DAY
    #: Conversations, counted from their last message; None keeps them forever.
    threads: float | None = None


#: The defaults.
KEPT = Retention()
