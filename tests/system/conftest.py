"""A stage on each platform and, in the long form, with each kind of database."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.domain.server_address import ServerAddress
from storage.reading import Where
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.support import postgres
from tests.support.deep import deep_only
from tests.support.fault_harness import DiscordStage, SlackStage, Stage


@pytest.fixture
async def claude() -> AsyncIterator[ClaudeEmulator]:
    """Claude."""
    async with ClaudeEmulator() as claude:
        yield claude


@pytest.fixture(params=deep_only("file", "postgresql") or None)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Where]:
    """A database: a file, and in the long form also one on a server."""
    if getattr(request, "param", "file") == "file":
        yield tmp_path / "threadkeep.db"
        return
    with postgres.emptied(postgres.woken) as address:
        yield ServerAddress(postgres.uri(address))


@pytest.fixture
async def on_slack(
    claude: ClaudeEmulator, database: Where
) -> AsyncIterator[SlackStage]:
    """A Slack workspace, which repeats what is not acknowledged for half a minute."""
    retries = (0.0, *[0.5] * 60)
    async with SlackEmulator(ack_timeout=1.0, retries=retries) as slack:
        yield SlackStage(slack, claude, database)


@pytest.fixture
async def on_discord(
    claude: ClaudeEmulator, database: Where
) -> AsyncIterator[DiscordStage]:
    """A Discord guild."""
    async with DiscordEmulator() as discord:
        yield DiscordStage(discord, claude, database)


@pytest.fixture(params=["slack", "discord"])
def stage(request: pytest.FixtureRequest, database: Where) -> Stage:
    """Each of them in turn. They need `database`, which pytest must see here: it does
    not give parameters to fixtures that are asked for by name."""
    found: Stage = request.getfixturevalue(f"on_{request.param}")
    return found
