"""Protocols of the operator's reports, which the core offers to adapters.

Rule: an adapter shows the reports only to people whom the operator admitted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.reports import (
    CallSum,
    ChangeReport,
    Pace,
    Quality,
    Reader,
    SettingReport,
    ThreadReport,
    Transcript,
    UsageKey,
    UsageRow,
)
from bot.domain.scope import EVERYWHERE, Scope, ThreadKey
from bot.domain.setting import Refusal
from bot.domain.vitals import Ages, Vitals


class MoneyReports(Protocol):
    """Spending and quality of answers in all workspaces. Each method raises
    StorageError."""

    async def usage(
        self, since: float, by: Sequence[UsageKey], within: Scope = EVERYWHERE
    ) -> list[UsageRow]:
        """Return the usage in `within` since `since`, grouped by `by`.

        Rows by day are in order of time; all others are sorted by cost, highest first.
        """
        ...

    async def budgets(self) -> list[Pace]:
        """Return every budget with its pace, soonest exhausted first."""
        ...

    async def quality(self, since: float, most: int = 20) -> Quality:
        """Return the quality of the answers that ended since `since`.

        Each list has at most `most` entries.
        """
        ...


class ThreadReports(Protocol):
    """The stored threads of all workspaces. Each method raises StorageError."""

    async def threads(
        self,
        reader: Reader,
        within: Scope = EVERYWHERE,
        wanted: str = "",
        most: int = 50,
        before: int | None = None,
    ) -> list[ThreadReport]:
        """Return the newest threads in `within` that contain all words of `wanted`.

        With `before`, only threads older than the one with that id. "" as `wanted`
        matches all threads.
        """
        ...

    async def transcript(
        self, reader: Reader, thread: ThreadKey, *, export: bool = False
    ) -> Transcript | None:
        """Return the stored content of `thread`, or None if nothing is stored.

        The access is recorded in the audit log. Raises Denied if `reader` may not read
        the thread.
        """
        ...

    async def delete(self, reader: Reader, thread: ThreadKey) -> bool:
        """Delete everything stored of `thread`, and store nothing more of it.

        Returns whether anything was stored. The deletion is recorded in the audit log.
        Raises Denied if `reader` may not read the thread.
        """
        ...


class SettingReports(Protocol):
    """Settings of all workspaces and their changes. Each method raises StorageError."""

    async def settings(self, within: Scope = EVERYWHERE) -> list[SettingReport]:
        """Return every setting stored in `within`."""
        ...

    async def changes(
        self, within: Scope, since: float, most: int
    ) -> list[ChangeReport]:
        """Return at most `most` changes and accesses in `within` since `since`, newest
        first.

        Each has the texts before and after.
        """
        ...

    async def refusals(self, within: Scope, since: float, most: int) -> list[Refusal]:
        """Return at most `most` counted refusals in `within` since `since`, the last
        refused first."""
        ...


class Monitor(Protocol):
    """The state of this process."""

    def vitals(self) -> Vitals:
        """Return the vital signs of the process."""
        ...

    async def open_turns(self) -> list[Ages]:
        """Return the number and the ages of the open turns. Raises StorageError."""
        ...

    async def calls(self) -> list[CallSum]:
        """Return the calls to models since the process started, by kind and model.
        Raises StorageError."""
        ...

    async def unready(self) -> list[str]:
        """Return why the process is not ready, one sentence for each reason.

        Reasons are a database that cannot be written to, and a platform that is not
        connected or was silent for longer than the operator allows. Never raises.
        """
        ...


@dataclass(frozen=True, slots=True)
class Reports:
    """The reports for operators, over all workspaces.

    An adapter shows the reports only to people whom the operator admitted.
    """

    money: MoneyReports
    threads: ThreadReports
    settings: SettingReports
    monitor: Monitor
