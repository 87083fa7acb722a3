"""Claude on loopback, and the client of it, whose waits pass at once."""

from collections.abc import AsyncIterator

import pytest

from bot.claude.client import ClaudeModel, client
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.support.claude_harness import KEY, Waits


@pytest.fixture
def waits() -> Waits:
    """The time by which the client waits."""
    return Waits()


@pytest.fixture
async def claude() -> AsyncIterator[ClaudeEmulator]:
    """Claude, who takes one key only."""
    async with ClaudeEmulator(api_key=KEY) as emulator:
        yield emulator


@pytest.fixture
async def model(claude: ClaudeEmulator, waits: Waits) -> AsyncIterator[ClaudeModel]:
    """The client. A connection that is silent for 0.8 s counts as broken: a busy
    machine may let this process stand still for less."""
    async with client(claude.api_key, claude.base_url, silence=0.8) as opened:
        yield ClaudeModel(
            opened, clock=waits.clock, sleep=waits.sleep, chance=lambda: 1.0
        )
