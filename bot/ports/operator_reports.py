"""Protocols of the operator's reports, as the core offers them to an adapter.

Rule: an adapter shows them to nobody but those whom the operator let in.
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
    """Spending and quality of answers in all workspaces. Each raises StorageError."""

    async def usage(
        self, since: float, by: Sequence[UsageKey], within: Scope = EVERYWHERE
    ) -> list[UsageRow]:
        """Return the usage in `within` since `since`, in groups: those by day in order,
        all others by cost, the dearest first."""
        ...

    async def budgets(self) -> list[Pace]:
        """Return every budget with its pace, those that are used up soonest first."""
        ...

    async def quality(self, since: float, most: int = 20) -> Quality:
        """Return how the answers went that ended since `since`; at most `most` in each
        list."""
        ...


class ThreadReports(Protocol):
    """The stored threads of all workspaces. Each raises StorageError."""

    async def threads(
        self,
        reader: Reader,
        within: Scope = EVERYWHERE,
        wanted: str = "",
        most: int = 50,
        before: int | None = None,
    ) -> list[ThreadReport]:
        """Return the newest threads in `within`, older than the one with the id
        `before`: those that have all words of `wanted`, if there are any."""
        ...

    async def transcript(
        self, reader: Reader, thread: ThreadKey, *, export: bool = False
    ) -> Transcript | None:
        """Return what is stored of `thread`; None if nothing is. The audit says so.

        Raises Denied if `reader` may not read it.
        """
        ...

    async def delete(self, reader: Reader, thread: ThreadKey) -> bool:
        """Delete all that is stored of `thread`, and store no more of it; return
        whether there was anything. The audit says so.

        Raises Denied if `reader` may not read it.
        """
        ...


class SettingReports(Protocol):
    """Settings of all workspaces and their changes. Each raises StorageError."""

    async def settings(self, within: Scope = EVERYWHERE) -> list[SettingReport]:
        """Return every setting that is set in `within`."""
        ...

    async def changes(
        self, within: Scope, since: float, most: int
    ) -> list[ChangeReport]:
        """Return at most `most` changes and looks in `within` since `since`, the newest
        first, with the texts before and after."""
        ...

    async def refusals(self, within: Scope, since: float, most: int) -> list[Refusal]:
        """Return at most `most` counted refusals in `within` since `since`, the last
        refused first."""
        ...


class Monitor(Protocol):
    """The state of this process."""

    def vitals(self) -> Vitals:
        """Return what the process tells of itself."""
        ...

    async def open_turns(self) -> list[Ages]:
        """Return how many turns are open, and how old. Raises StorageError."""
        ...

    async def calls(self) -> list[CallSum]:
        """Return the calls to models since the process started, by kind and model.
        Raises StorageError."""
        ...

    async def unready(self) -> list[str]:
        """Return why the process is not ready, a sentence for each reason: a database
        that cannot be written to, a platform that is not connected or was not heard for
        longer than the operator allows. Never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Reports:
    """The reports for operators, over all workspaces. An adapter shows them only to
    people whom the operator admitted."""

    money: MoneyReports
    threads: ThreadReports
    settings: SettingReports
    monitor: Monitor
