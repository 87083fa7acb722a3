"""Reports of the spending, and of the quality of answers."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from bot.domain.budget import Budget
from bot.domain.reports import AnswerReport, Pace, Quality, UsageKey, UsageRow
from bot.domain.scope import EVERYWHERE, Scope, ScopeLevel
from bot.ports.ledger import Accounts
from bot.ports.reports import ReportStore
from bot.ports.settings import SettingsStore
from bot.reports import usage
from bot.reports.labels import Labels
from bot.runtime.offload import offload
from bot.settings.effective import totals

# The characters that take as long to process as a row of usage.
ROW_CHARS = 100


class MoneyReports:
    """Implements `bot.ports.operator_reports.MoneyReports`; `values` are the operator's
    values of options."""

    def __init__(
        self,
        store: ReportStore,
        accounts: Accounts,
        settings: SettingsStore,
        values: Mapping[str, str],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._settings = settings
        self._values = values
        self._now = now

    async def usage(
        self, since: float, by: Sequence[UsageKey], within: Scope = EVERYWHERE
    ) -> list[UsageRow]:
        """Return the usage in `within` since `since`, in groups."""
        parts_of = {part for key in by for part in usage.PARTS[key]}
        rows = await self._accounts.usage(since, within, parts_of)
        work = partial(usage.group, rows, by, Labels(await self._store.names()))
        # A row takes as long as `ROW_CHARS` characters.
        return await offload(work, ROW_CHARS * len(rows))

    async def budgets(self) -> list[Pace]:
        """Return every budget with its pace, sorted by the projected use, the highest
        first."""
        now, labels = self._now(), Labels(await self._store.names())
        found: list[Budget] = [
            *totals(self._values),
            *usage.budgets(
                await self._settings.list_settings(EVERYWHERE),
                self._values,
                await self._store.workspaces(),
            ),
        ]
        paces = []
        for budget in found:
            balance = await self._accounts.balance(budget.place, budget.period, now)
            share = usage.share_passed(budget.period, now)
            paces.append(Pace(budget, labels.place(budget.place), balance, share))
        return sorted(
            paces, key=lambda each: -each.budget.share(max(0.0, each.projected))
        )

    async def quality(self, since: float, most: int = 20) -> Quality:
        """Return the quality of the answers that ended since `since`."""
        found = await self._store.quality(since, most)
        labels = Labels(await self._store.names())

        def named(rows: Sequence[AnswerReport]) -> tuple[AnswerReport, ...]:
            return tuple(
                replace(each, name=labels.place(_channel(each))) for each in rows
            )

        return replace(
            found,
            slowest=named(found.slowest),
            unfinished=named(found.unfinished),
            disliked=named(found.disliked),
        )


def _channel(answer: AnswerReport) -> Scope:
    return Scope.of(answer.thread).at(ScopeLevel.CHANNEL)
