"""Errors are retried after pauses, a limited number of times."""

from collections.abc import Callable

import pytest

from bot.errors import DeliveryError, StorageError, StorageRejected, ThreadGone
from bot.runtime import retry
from bot.runtime.retry import Backoff, retry_until_success, retrying


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "BACKOFF", Backoff(0.0, 0.0))


class Shelf:
    """A port whose calls fail with some errors before they succeed."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls: list[tuple[str, int]] = []

    async def put(self, what: str, *, count: int) -> int:
        self.calls.append((what, count))
        if self.errors:
            raise self.errors.pop(0)
        return len(self.calls)


def test_pauses_double_up_to_the_longest() -> None:
    backoff = Backoff(first=0.25, longest=30.0)
    assert [backoff.pause(n) for n in (1, 2, 3, 8)] == [0.25, 0.5, 1.0, 30.0]
    assert backoff.pause(1_000_000) == 30.0


async def test_a_retrying_port_repeats_a_call_until_it_succeeds() -> None:
    shelf = Shelf(StorageError("locked"), DeliveryError("busy"))
    assert await retrying(shelf).put("book", count=2) == 3
    assert shelf.calls == [("book", 2)] * 3


@pytest.mark.parametrize("error", [StorageRejected, ThreadGone, ValueError])
async def test_other_errors_are_raised_at_once(
    error: Callable[[str], Exception],
) -> None:
    shelf = Shelf(error("never"))
    with pytest.raises(Exception, match="never"):
        await retrying(shelf).put("book", count=2)
    assert len(shelf.calls) == 1


async def test_the_last_of_so_many_tries_raises_its_error() -> None:
    shelf = Shelf(StorageError("first"), StorageError("second"), StorageError("third"))
    with pytest.raises(StorageError, match="second"):
        await retry_until_success(lambda: shelf.put("book", count=1), most=2)
