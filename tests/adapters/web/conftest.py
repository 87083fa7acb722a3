"""A Chromium that the tests of all modules share."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.support import chromium


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def chrome() -> AsyncIterator[Browser]:
    """A running Chromium; skips the test where there is none."""
    if chromium.path() is None:
        pytest.skip(chromium.MISSING)
    async with chromium.launched() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def tab(chrome: Browser) -> Page:
    """A page of it that tests use one after the other, with `chromium.used`."""
    return await chromium.new_page(chrome)
