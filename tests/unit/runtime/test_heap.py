import gc
from collections.abc import Iterator

import pytest

from bot.runtime import heap


@pytest.fixture(autouse=True)
def restore_thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_garbage_is_looked_for_rarely_only_during_imports() -> None:
    gc.set_threshold(700, 10, 10)
    heap.grow()
    first, *_ = gc.get_threshold()
    assert first > 10_000
    heap.keep()
    # Python's own, or those with which the tests run.
    assert gc.get_threshold()[0] < first
    assert gc.get_freeze_count()
