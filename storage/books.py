"""The verbs about settings, money and cases, over a database, however that is reached.

Rule: both stores have these verbs from here, so what is set and spent is kept by the
same statements, in a file or in memory. It is the one thing that they inherit: all
else is kept so differently that it would not be shorter.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sqlite_utils import Database

from bot.domain.budget import (
    Alert,
    Balance,
    Budget,
    BudgetExceeded,
    BudgetLimits,
    Charge,
    Period,
    Spending,
)
from bot.domain.completion import Usage
from bot.domain.retention import Retention
from bot.domain.scope import EVERYWHERE, Scope, ThreadKey
from bot.domain.setting import (
    AuditEntry,
    Change,
    Draft,
    EditConflict,
    Refusal,
    Setting,
    StoredSettings,
    Version,
)
from bot.domain.triage_case import TriageCase
from bot.domain.turn import Turn
from bot.ports.cases import all_places
from storage import ledger, refusals, spending, tombstones, triage_cases
from storage import settings as storage_settings
from storage.expiry import AT_ONCE

T = TypeVar("T")


class Access(Protocol):
    """Does something with the database in one transaction."""

    def __call__(self, work: Callable[[Database], T], /) -> Awaitable[T]: ...


class Books:
    """A Rulebook, a Ledger (`bot.ports.store`) and Cases (`bot.ports.cases`)."""

    def __init__(self, *, read: Access, write: Access) -> None:
        self._read = read
        self._write = write

    async def rules(self, place: Scope) -> StoredSettings:
        return await self._read(lambda db: storage_settings.rules(db, place))

    async def settings(self, within: Scope) -> list[Setting]:
        return await self._read(lambda db: storage_settings.settings(db, within))

    async def change(
        self,
        changes: Sequence[Change],
        *,
        who: str,
        now: float,
        action: str = "set",
        base: int | None = None,
        running: bool = False,
    ) -> list[AuditEntry] | EditConflict:
        return await self._write(
            lambda db: storage_settings.change(
                db,
                changes,
                who=who,
                now=now,
                action=action,
                base=base,
                running=running,
            )
        )

    async def keep(self, thread: ThreadKey, values: Mapping[str, str]) -> None:
        await self._write(
            lambda db: storage_settings.keep(db, Scope.of(thread), values)
        )

    async def adopt(self, name: str, text: str, now: float) -> int:
        return await self._write(
            lambda db: storage_settings.adopt(db, name, text, now=now)
        )

    async def version(self, version: int) -> Version | None:
        return await self._read(lambda db: storage_settings.version(db, version))

    async def versions(self, place: Scope, name: str) -> list[Version]:
        return await self._read(lambda db: storage_settings.versions(db, place, name))

    async def note(self, entry: AuditEntry) -> None:
        await self._write(lambda db: refusals.note(db, entry))

    async def audit(self, within: Scope, since: float, most: int) -> list[AuditEntry]:
        return await self._read(
            lambda db: storage_settings.audit(db, within, since=since, most=most)
        )

    async def refusals(self, within: Scope, since: float, most: int) -> list[Refusal]:
        return await self._read(
            lambda db: refusals.refused(db, within, since=since, most=most)
        )

    async def save_draft(self, draft: Draft) -> int:
        return await self._write(lambda db: storage_settings.save_draft(db, draft))

    async def draft(self, draft: int) -> Draft | None:
        return await self._read(lambda db: storage_settings.draft(db, draft))

    async def reserve(
        self, turn: Turn, person: str, most: float, caps: BudgetLimits, now: float
    ) -> BudgetExceeded | None:
        return await self._write(
            lambda db: ledger.reserve(
                db, turn, person=person, most=most, caps=caps, now=now
            )
        )

    async def open_charge(
        self, charge: Charge, caps: BudgetLimits, now: float
    ) -> int | BudgetExceeded:
        return await self._write(
            lambda db: ledger.open_charge(db, charge, caps=caps, now=now)
        )

    async def raise_reserve(
        self, charge: Turn | int, most: float, caps: BudgetLimits, now: float
    ) -> BudgetExceeded | None:
        return await self._write(
            lambda db: ledger.raise_reserve(db, charge, most=most, caps=caps, now=now)
        )

    async def close_charge(
        self,
        charge: int,
        usage: Usage,
        cost: float | None,
        now: float,
        *,
        bounded: bool = False,
    ) -> None:
        await self._write(
            lambda db: ledger.close_charge(
                db, charge, usage=usage, cost=cost, now=now, bounded=bounded
            )
        )

    async def balance(self, place: Scope, period: Period, now: float) -> Balance:
        return await self._read(
            lambda db: ledger.balance(db, place, period=period, now=now)
        )

    async def alerts(self, budgets: Sequence[Budget], now: float) -> list[Alert]:
        return await self._write(lambda db: ledger.alerts(db, budgets, now=now))

    async def spending(
        self, since: float, within: Scope = EVERYWHERE, person: str = ""
    ) -> list[Spending]:
        return await self._read(
            lambda db: spending.spending(db, since=since, within=within, person=person)
        )

    async def open_case(self, case: TriageCase) -> TriageCase:
        return await self._write(lambda db: triage_cases.open_case(db, case))

    async def settle_case(
        self, id: int, values: Mapping[str, Any] | None, reason: str
    ) -> TriageCase | None:
        return await self._write(lambda db: triage_cases.settle(db, id, values, reason))

    async def case(self, id: int) -> TriageCase | None:
        return await self._read(lambda db: triage_cases.case(db, id))

    async def correct_case(
        self, id: int, field: str, value: Any, who: str, now: float
    ) -> TriageCase | None:
        return await self._write(
            lambda db: triage_cases.correct(
                db, id, field=field, value=value, who=who, now=now
            )
        )

    async def agree_case(self, id: int, who: str) -> TriageCase | None:
        return await self._write(lambda db: triage_cases.agree(db, id, who=who))

    async def examples(self, place: Scope) -> list[TriageCase]:
        return await self._read(lambda db: triage_cases.examples(db, place))

    async def corrections(self, since: float) -> list[TriageCase]:
        return await self._read(lambda db: triage_cases.corrections(db, since))

    async def waiting_cases(
        self,
        platforms: Collection[str],
        most: int,
        serves: Callable[[Scope], bool] = all_places,
    ) -> list[tuple[int, Scope]]:
        return await self._read(
            lambda db: triage_cases.waiting(db, platforms, most, serves)
        )

    async def record_case_try(self, id: int) -> int:
        return await self._write(lambda db: triage_cases.record_try(db, id))

    async def forget_case_try(self, id: int) -> None:
        await self._write(lambda db: triage_cases.forget_try(db, id))

    async def clean_up(self, retention: Retention, now: float) -> Mapping[str, int]:
        steps: dict[str, Callable[[Database], int]] = {
            "refusals": lambda db: refusals.expire(
                db, before=now - retention.refusals, most=AT_ONCE
            ),
            "cases": lambda db: triage_cases.expire(
                db,
                before=now - retention.cases,
                corrected_before=now - retention.corrections,
                most=AT_ONCE,
            ),
            "drafts": lambda db: storage_settings.expire_drafts(
                db, now=now, most=AT_ONCE
            ),
            "tombstones": lambda db: tombstones.expire(db, now=now, most=AT_ONCE),
        }
        deleted = dict.fromkeys(steps, 0)
        for name, step in steps.items():
            while count := await self._write(step):
                deleted[name] += count
        return deleted

    async def show_case(self, id: int) -> None:
        await self._write(lambda db: triage_cases.show(db, id))
