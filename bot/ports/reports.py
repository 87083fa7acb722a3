"""Ports of the store for the operator's reports, and for health checks.

Each method is one transaction, and may raise StorageError.
"""

from typing import Protocol

from bot.domain.names import LastName
from bot.domain.reports import AnswerReport, CallSum, Quality, ThreadReport
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import AuditEntry
from bot.domain.vitals import Ages


class ReportStore(Protocol):
    """Counts and lists for the operator; those of all workspaces."""

    async def open_turns(self) -> list[Ages]:
        """Return how many turns are not DELIVERED, and how old, by platform and
        state."""
        ...

    async def call_sums(self, since: float, until: float) -> list[CallSum]:
        """Return the calls that ended at or after `since` and before `until`, by kind
        and model."""
        ...

    async def quality(self, since: float, most: int) -> Quality:
        """Return how the answers went that ended at or after `since`; at most `most`
        answers in each list."""
        ...

    async def answers_of(self, thread: ThreadKey) -> list[AnswerReport]:
        """Return the ended answers of `thread`, oldest first."""
        ...

    async def all_threads(
        self, within: Scope, most: int, before: int | None = None
    ) -> list[ThreadReport]:
        """Return at most `most` threads in `within`, of those with an id below
        `before`, the newest first; all of them as private, with their titles."""
        ...

    async def thread_report(self, thread: ThreadKey) -> ThreadReport | None:
        """Return the report of one thread; None if it is not known."""
        ...

    async def workspaces(self) -> list[Scope]:
        """Return the workspaces that have threads."""
        ...

    async def names(self) -> list[LastName]:
        """Return the last known names, the newest at the end."""
        ...

    async def record_look(self, entry: AuditEntry) -> None:
        """Add `entry`, whose id is ignored, to the audit: somebody looked at or deleted
        what people wrote. The same within an hour counts once."""

    async def require_writable(self) -> None:
        """Do nothing to the database, in a transaction that can only succeed if it
        could be written to."""
