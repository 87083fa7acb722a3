"""How long what is remembered is kept. Values only."""

from dataclasses import dataclass

DAY = 86_400.0

#: In days, where the operator says nothing. A year of refusals shows who tries again
#: and again; a case that nobody corrected is looked at for days, not for months.
AUDIT_DAYS, CASE_DAYS = 365, 90

#: For how many days a correction is kept that no admin made an example: as far back as
#: `threadkeep triage corrections` looks by itself.
CORRECTION_DAYS = 365


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many seconds what is kept. Changes of settings, versions of prompts and
    what was spent are kept for as long as the database."""

    #: Who was refused what.
    refusals: float = AUDIT_DAYS * DAY
    #: Messages that were sorted and that nobody corrected.
    cases: float = CASE_DAYS * DAY
    #: Those that somebody corrected, from then on; those that are examples stay.
    corrections: float = CORRECTION_DAYS * DAY
    #: Conversations, from what was last said or answered in them on; None for ever.
    threads: float | None = None


#: What applies where nobody says anything.
KEPT = Retention()
