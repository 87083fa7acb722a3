"""The port of the store for triage cases."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from bot.domain.scope import Scope
from bot.domain.triage_case import TriageCase


def all_places(place: Scope) -> bool:
    """Let every place through."""
    return True


class CaseStore(Protocol):
    """Cases, remembered. Every verb is one transaction and may raise StorageError."""

    async def open_case(self, case: TriageCase) -> TriageCase:
        """Keep `case`; if its message is known, return what is known of it, with the
        text as it is now. One whose text changed is to be sorted anew.

        What people have deleted meanwhile is not kept: it comes back with the id 0 and
        without its text."""
        ...

    async def settle_case(
        self, id: int, values: Mapping[str, Any] | None, reason: str
    ) -> TriageCase | None:
        """Keep what a case was sorted as; None if it was deleted in the meantime."""
        ...

    async def case(self, id: int) -> TriageCase | None: ...

    async def correct_case(
        self, id: int, field: str, value: Any, who: str, now: float
    ) -> TriageCase | None:
        """Keep that `who` wants `field` to be `value`. An earlier agreement to its
        being an example is void."""
        ...

    async def agree_case(self, id: int, who: str) -> TriageCase | None:
        """Let a case be an example from now on."""
        ...

    async def examples(self, place: Scope) -> list[TriageCase]:
        """Cases of the channel `place` that admins agreed to, oldest first."""
        ...

    async def corrections(self, since: float) -> list[TriageCase]:
        """Every case that people changed at or after `since`, oldest first."""
        ...

    async def waiting_cases(
        self,
        platforms: Collection[str],
        most: int,
        serves: Callable[[Scope], bool] = all_places,
    ) -> list[tuple[int, Scope]]:
        """Return at most `most` cases of `platforms` that are sorted by themselves and
        not shown yet, of the channels that `serves` lets through, by id and channel,
        fairly: every channel's oldest first, then every channel's second oldest, and
        so on."""
        ...

    async def record_case_try(self, id: int) -> int:
        """Count one more try to sort a case by itself and show it; return how many
        there were since it reads as it does. 0 if it was deleted."""
        ...

    async def forget_case_try(self, id: int) -> None:
        """Let the last try not count."""

    async def show_case(self, id: int) -> None:
        """Note that people have been shown how a case was sorted."""
