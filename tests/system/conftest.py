"""A stage on each platform."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.fault_harness import DiscordStage, SlackStage, Stage


@pytest.fixture
async def claude() -> AsyncIterator[ClaudeEmulator]:
    """Claude."""
    async with ClaudeEmulator() as claude:
        yield claude


@pytest.fixture
async def on_slack(claude: ClaudeEmulator, tmp_path: Path) -> AsyncIterator[SlackStage]:
    """A Slack workspace, which repeats what is not acknowledged for half a minute."""
    retries = (0.0, *[0.5] * 60)
    async with SlackEmulator(ack_timeout=1.0, retries=retries) as slack:
        yield SlackStage(slack, claude, tmp_path / "threadkeep.db")


@pytest.fixture
async def on_discord(
    claude: ClaudeEmulator, tmp_path: Path
) -> AsyncIterator[DiscordStage]:
    """A Discord guild."""
    async with DiscordEmulator() as discord:
        yield DiscordStage(discord, claude, tmp_path / "threadkeep.db")


@pytest.fixture(params=["slack", "discord"])
def stage(request: pytest.FixtureRequest) -> Stage:
    """Each of them in turn."""
    found: Stage = request.getfixturevalue(f"on_{request.param}")
    return found
