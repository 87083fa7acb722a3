"""Retention periods. Frozen values."""

from dataclasses import dataclass

DAY = 86_400.0

#: The defaults in days. A year of refusals shows who keeps trying; a case that nobody
#: corrected is of use for days, not for months.
AUDIT_DAYS, CASE_DAYS = 365, 90

#: The retention in days of a correction that is no example: the default range of
#: `threadkeep triage corrections`.
CORRECTION_DAYS = 365


#: The retention in days of a name that was not seen since: as long as the refusals that
#: it may belong to.
NAME_DAYS = 365

#: The retention in days of a workspace that removed the app: time to notice a mistake.
PURGE_DAYS = 30


@dataclass(frozen=True, slots=True)
class Retention:
    """Retention periods in seconds.

    Changes of settings, versions of prompts and spending are kept for ever.
    """

    #: Refusals.
    refusals: float = AUDIT_DAYS * DAY
    #: Triage cases that nobody corrected.
    cases: float = CASE_DAYS * DAY
    #: Corrected cases, from the correction on; examples are kept for ever.
    corrections: float = CORRECTION_DAYS * DAY
    #: Names of people, channels and workspaces, from when they were last looked up.
    names: float = NAME_DAYS * DAY
    #: Everything of a workspace that removed the app, but what was spent.
    uninstalled: float = PURGE_DAYS * DAY
    #: Conversations, from their last message on; None for ever.
    threads: float | None = None


#: The defaults.
KEPT = Retention()
