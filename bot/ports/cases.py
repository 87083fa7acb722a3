"""Ports of the store for triage cases.

Each method is one transaction, is durable on return, and may raise StorageError.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from bot.domain.scope import Scope
from bot.domain.triage_case import TriageCase


def all_scopes(scope: Scope) -> bool:
    """Return True: every channel is served."""
    return True


class CaseStore(Protocol):
    """Classified messages, and people's corrections of the classification."""

    async def open_case(self, case: TriageCase, *, known: bool = False) -> TriageCase:
        """Store `case`, or update the text of the existing case of the same message;
        if `known`, only the latter.

        Returns the stored case. A changed text discards the result. A case of a deleted
        message is not stored: it is returned with the id 0 and without its text.
        """
        ...

    async def case(self, id: int) -> TriageCase | None:
        """Return the case with this id; None if it was deleted."""
        ...

    async def record_case_result(
        self, id: int, values: Mapping[str, Any] | None, reason: str
    ) -> TriageCase | None:
        """Store the classification `values`, or the `reason` why there are none.

        Returns the case, or None if the case was deleted.
        """
        ...

    async def correct_case(
        self, id: int, field: str, value: Any, who: str, now: float
    ) -> TriageCase | None:
        """Store the correction of `field` to `value` by `who`.

        Revokes the approval of the case as an example. Returns the case, or None if the
        case was deleted.
        """
        ...

    async def approve_example(self, id: int, who: str) -> TriageCase | None:
        """Make a case a few-shot example. Returns it, or None if it was deleted."""
        ...

    async def examples(self, scope: Scope) -> list[TriageCase]:
        """Return the approved examples of the channel of `scope`, oldest first."""
        ...


class CaseQueue(Protocol):
    """Cases that automatic triage has not shown yet."""

    async def waiting_cases(
        self,
        platforms: Collection[str],
        most: int,
        serves: Callable[[Scope], bool] = all_scopes,
    ) -> list[tuple[int, Scope]]:
        """Return at most `most` automatic cases that are not shown yet, as (id,
        channel).

        Only cases of `platforms` and of channels that `serves` accepts are included.
        The order is fair: first the oldest case of each channel, then the second oldest
        of each, and so on.
        """
        ...

    async def record_case_try(self, id: int) -> int:
        """Count one more attempt to classify and show a case.

        Returns the number of attempts since the text of the case last changed, or 0 if
        the case was deleted.
        """
        ...

    async def forget_case_try(self, id: int) -> None:
        """Uncount the last attempt."""

    async def mark_case_shown(self, id: int) -> None:
        """Record that people have seen the classification of a case."""
