"""The verbs about settings, money and cases, over a database, however that is reached.

Rule: both stores have these verbs from here, so what is set and spent is kept by the
same statements, in a file or in memory. It is the one thing that they inherit: all
else is kept so differently that it would not be shorter.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sqlite_utils import Database

from bot.money import (
    Alert,
    Balance,
    Cap,
    Caps,
    Charge,
    Period,
    Shortfall,
    Spending,
)
from bot.retention import Retention
from bot.rules import (
    EVERYWHERE,
    Change,
    Clash,
    Draft,
    Entry,
    Place,
    Refusal,
    Rules,
    Setting,
    Version,
)
from bot.triage.cases import Case, all_places
from bot.values import ThreadKey, Turn, Usage
from storage import cases, ledger, refusals, rulebook, spending, tombstones
from storage.expiry import AT_ONCE

T = TypeVar("T")


class Access(Protocol):
    """Does something with the database in one transaction."""

    def __call__(self, work: Callable[[Database], T], /) -> Awaitable[T]: ...


class Books:
    """A Rulebook, a Ledger (`bot.stores`) and Cases (`bot.triage.cases`)."""

    def __init__(self, *, read: Access, write: Access) -> None:
        self._read = read
        self._write = write

    async def rules(self, place: Place) -> Rules:
        return await self._read(lambda db: rulebook.rules(db, place))

    async def settings(self, within: Place) -> list[Setting]:
        return await self._read(lambda db: rulebook.settings(db, within))

    async def change(
        self,
        changes: Sequence[Change],
        *,
        who: str,
        now: float,
        action: str = "set",
        base: int | None = None,
        running: bool = False,
    ) -> list[Entry] | Clash:
        return await self._write(
            lambda db: rulebook.change(
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
        await self._write(lambda db: rulebook.keep(db, Place.of(thread), values))

    async def adopt(self, name: str, text: str, now: float) -> int:
        return await self._write(lambda db: rulebook.adopt(db, name, text, now=now))

    async def version(self, version: int) -> Version | None:
        return await self._read(lambda db: rulebook.version(db, version))

    async def versions(self, place: Place, name: str) -> list[Version]:
        return await self._read(lambda db: rulebook.versions(db, place, name))

    async def note(self, entry: Entry) -> None:
        await self._write(lambda db: refusals.note(db, entry))

    async def audit(self, within: Place, since: float, most: int) -> list[Entry]:
        return await self._read(
            lambda db: rulebook.audit(db, within, since=since, most=most)
        )

    async def refusals(self, within: Place, since: float, most: int) -> list[Refusal]:
        return await self._read(
            lambda db: refusals.refused(db, within, since=since, most=most)
        )

    async def save_draft(self, draft: Draft) -> int:
        return await self._write(lambda db: rulebook.save_draft(db, draft))

    async def draft(self, draft: int) -> Draft | None:
        return await self._read(lambda db: rulebook.draft(db, draft))

    async def reserve(
        self, turn: Turn, person: str, most: float, caps: Caps, now: float
    ) -> Shortfall | None:
        return await self._write(
            lambda db: ledger.reserve(
                db, turn, person=person, most=most, caps=caps, now=now
            )
        )

    async def open_charge(
        self, charge: Charge, caps: Caps, now: float
    ) -> int | Shortfall:
        return await self._write(
            lambda db: ledger.open_charge(db, charge, caps=caps, now=now)
        )

    async def raise_reserve(
        self, charge: Turn | int, most: float, caps: Caps, now: float
    ) -> Shortfall | None:
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

    async def balance(self, place: Place, period: Period, now: float) -> Balance:
        return await self._read(
            lambda db: ledger.balance(db, place, period=period, now=now)
        )

    async def alerts(self, budgets: Sequence[Cap], now: float) -> list[Alert]:
        return await self._write(lambda db: ledger.alerts(db, budgets, now=now))

    async def spending(
        self, since: float, within: Place = EVERYWHERE, person: str = ""
    ) -> list[Spending]:
        return await self._read(
            lambda db: spending.spending(db, since=since, within=within, person=person)
        )

    async def open_case(self, case: Case) -> Case:
        return await self._write(lambda db: cases.open_case(db, case))

    async def settle_case(
        self, id: int, values: Mapping[str, Any] | None, reason: str
    ) -> Case | None:
        return await self._write(lambda db: cases.settle(db, id, values, reason))

    async def case(self, id: int) -> Case | None:
        return await self._read(lambda db: cases.case(db, id))

    async def correct_case(
        self, id: int, field: str, value: Any, who: str, now: float
    ) -> Case | None:
        return await self._write(
            lambda db: cases.correct(db, id, field=field, value=value, who=who, now=now)
        )

    async def agree_case(self, id: int, who: str) -> Case | None:
        return await self._write(lambda db: cases.agree(db, id, who=who))

    async def examples(self, place: Place) -> list[Case]:
        return await self._read(lambda db: cases.examples(db, place))

    async def corrections(self, since: float) -> list[Case]:
        return await self._read(lambda db: cases.corrections(db, since))

    async def waiting_cases(
        self,
        platforms: Collection[str],
        most: int,
        serves: Callable[[Place], bool] = all_places,
    ) -> list[tuple[int, Place]]:
        return await self._read(lambda db: cases.waiting(db, platforms, most, serves))

    async def record_case_try(self, id: int) -> int:
        return await self._write(lambda db: cases.record_try(db, id))

    async def forget_case_try(self, id: int) -> None:
        await self._write(lambda db: cases.forget_try(db, id))

    async def clean_up(self, retention: Retention, now: float) -> Mapping[str, int]:
        steps: dict[str, Callable[[Database], int]] = {
            "refusals": lambda db: refusals.expire(
                db, before=now - retention.refusals, most=AT_ONCE
            ),
            "cases": lambda db: cases.expire(
                db,
                before=now - retention.cases,
                corrected_before=now - retention.corrections,
                most=AT_ONCE,
            ),
            "drafts": lambda db: rulebook.expire_drafts(db, now=now, most=AT_ONCE),
            "tombstones": lambda db: tombstones.expire(db, now=now, most=AT_ONCE),
        }
        deleted = dict.fromkeys(steps, 0)
        for name, step in steps.items():
            while count := await self._write(step):
                deleted[name] += count
        return deleted

    async def show_case(self, id: int) -> None:
        await self._write(lambda db: cases.show(db, id))
