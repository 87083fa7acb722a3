"""Messages that were sorted where people talk, and what people say of how. Values, and
what remembers them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.rules import Place


@dataclass(frozen=True, slots=True)
class Case:
    """One message, or one thread, that is or is to be sorted."""

    #: 0 until it is stored.
    id: int
    #: The thread that it stands in; on Slack, of a message at the top, its own.
    place: Place
    #: The platform's id of the message; of a whole thread, "thread:" and its id.
    message: str
    #: When it was said or first sorted, in seconds since 1970.
    at: float
    #: The platform's id of who said it; "" for a whole thread.
    author: str
    #: What was sorted; "" once it was deleted.
    text: str
    #: By the scheme's fields; None where `reason` says why, or where it waits.
    values: Mapping[str, Any] | None = None
    reason: str = ""
    #: What people changed, by field.
    corrected: Mapping[str, Any] = field(default_factory=dict)
    #: Who changed it last, and when.
    corrected_by: str = ""
    corrected_at: float = 0.0
    #: Which admin agreed to its being an example; "" as long as none did.
    agreed_by: str = ""
    #: Whether it is sorted by itself; then, whether people have been shown how.
    auto: bool = False
    shown: bool = False
    #: The platform's ids of the messages whose words `text` holds, besides `message`.
    #: Only told when a case is opened: it is forgotten with any of them.
    messages: tuple[str, ...] = field(default=(), compare=False)

    @property
    def current(self) -> Mapping[str, Any]:
        """Its values as people see them."""
        return {**(self.values or {}), **self.corrected}


def all_places(place: Place) -> bool:
    """Let every place through."""
    return True


class Cases(Protocol):
    """Cases, remembered. Every verb is one transaction and may raise StorageError."""

    async def open_case(self, case: Case) -> Case:
        """Keep `case`; if its message is known, return what is known of it, with the
        text as it is now. One whose text changed is to be sorted anew.

        What people have deleted meanwhile is not kept: it comes back with the id 0 and
        without its text."""
        ...

    async def settle_case(
        self, id: int, values: Mapping[str, Any] | None, reason: str
    ) -> Case | None:
        """Keep what a case was sorted as; None if it was deleted in the meantime."""
        ...

    async def case(self, id: int) -> Case | None: ...

    async def correct_case(
        self, id: int, field: str, value: Any, who: str, now: float
    ) -> Case | None:
        """Keep that `who` wants `field` to be `value`. An earlier agreement to its
        being an example is void."""
        ...

    async def agree_case(self, id: int, who: str) -> Case | None:
        """Let a case be an example from now on."""
        ...

    async def examples(self, place: Place) -> list[Case]:
        """Cases of the channel `place` that admins agreed to, oldest first."""
        ...

    async def corrections(self, since: float) -> list[Case]:
        """Every case that people changed at or after `since`, oldest first."""
        ...

    async def waiting_cases(
        self,
        platforms: Collection[str],
        most: int,
        serves: Callable[[Place], bool] = all_places,
    ) -> list[tuple[int, Place]]:
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
