"""Ports of the store for the operator's reports and for health checks.

Each method is one transaction, and may raise StorageError.
"""

from typing import Protocol

from bot.domain.names import LastName
from bot.domain.reports import AnswerReport, CallSum, Quality, ThreadReport
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import AuditEntry
from bot.domain.vitals import Ages


class ReportStore(Protocol):
    """Counts and lists for the operator, over all workspaces."""

    async def open_turns(self) -> list[Ages]:
        """Return the number and the ages of the turns that are not DELIVERED, by
        platform and state."""
        ...

    async def call_sums(self, since: float, until: float) -> list[CallSum]:
        """Return the calls that ended at or after `since` and before `until`, by kind
        and model."""
        ...

    async def quality(self, since: float, most: int) -> Quality:
        """Return the quality of the answers that ended at or after `since`.

        Each list has at most `most` answers.
        """
        ...

    async def answers_of(self, thread: ThreadKey) -> list[AnswerReport]:
        """Return the ended answers of `thread`, oldest first."""
        ...

    async def all_threads(
        self, within: Scope, most: int, before: int | None = None
    ) -> list[ThreadReport]:
        """Return at most `most` threads in `within`, newest first.

        With `before`, only threads with ids below it. All threads are marked private
        and have their titles.
        """
        ...

    async def thread_report(self, thread: ThreadKey) -> ThreadReport | None:
        """Return the report of one thread, or None if the thread is unknown."""
        ...

    async def workspaces(self) -> list[Scope]:
        """Return the workspaces that have threads."""
        ...

    async def names(self) -> list[LastName]:
        """Return the last known names, newest last."""
        ...

    async def record_look(self, entry: AuditEntry) -> None:
        """Add `entry`, about a reader who opened or deleted a thread, to the audit log.

        The id of `entry` is ignored. The same entry within an hour counts once.
        """

    async def require_writable(self) -> None:
        """Run a transaction that changes nothing but fails if the database is not
        writable."""
