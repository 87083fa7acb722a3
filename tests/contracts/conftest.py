"""Every Store, one after the other, for the suites that all of them pass."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.ports.store import Store
from tests.support.store_helpers import STORES, opened


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    async with opened(request.param, tmp_path) as store:
        yield store
