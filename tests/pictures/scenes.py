"""Every picture: Threadkeep runs against the emulators, and what they received is
drawn.

Rule: what happens in a scene happens in one order, each step seen before the next.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime

import pytest

from bot.claude.client import connect as connect_claude
from bot.commands.receipt import steps
from bot.context.prompt import preface
from bot.domain.receipt import TurnTimes
from bot.settings.effective import Operator
from storage.store import DatabaseStore
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.pictures import discord_scenes, slack_scenes, terminal_scenes
from tests.pictures.picture import Picture
from tests.support.memory_store import MemoryStore
from tests.support.process import running

#: When Claude is told that it is: the names of days and months are not equally long,
#: and each token has a price.
NOW = datetime(2026, 11, 28, 9, 41, tzinfo=UTC).timestamp()
#: Instead of the product's own words to Claude: receipts show how many tokens they are,
#: and a picture is not to be drawn anew whenever one of them changes.
SYSTEM = "You are in a team chat. " * 60
#: How long each step of an answer took, as receipts show it.
TIMES = TurnTimes(NOW, NOW, *(NOW + each for each in (0.1, 0.6, 2.5, 7.9, 8.3)))


async def pictures(names: Collection[str] = ()) -> list[Picture]:
    """Return all pictures; with `names`, those of the platforms that the pictures with
    these names belong to. Raises AssertionError or TimeoutError when the product does
    not do what a scene is about."""
    scenes = {"slack": _slack, "discord": _discord}
    wanted = {name.split("-")[0] for name in names}
    chosen = [scene for name, scene in scenes.items() if not names or name in wanted]
    if not names or wanted - scenes.keys():
        chosen.append(terminal_scenes.pictures)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.context.prompt.preface", lambda _: preface(NOW))
        patch.setattr(
            "bot.context.prompt.system_prompt", lambda own, *_, **__: SYSTEM + own
        )
        patch.setattr("bot.commands.receipt.steps", lambda _: steps(TIMES))
        made = await asyncio.gather(*(scene() for scene in chosen))
    return [picture for scene in made for picture in scene]


async def _slack() -> list[Picture]:
    # Slack sends the two events of a mention in either order.
    async with SlackEmulator(pair="mention_first") as slack, _product(slack) as parts:
        return await slack_scenes.pictures(slack, *parts)


async def _discord() -> list[Picture]:
    async with DiscordEmulator() as discord, _product(discord) as parts:
        return await discord_scenes.pictures(discord, *parts)


@contextlib.asynccontextmanager
async def _product(
    platform: SlackEmulator | DiscordEmulator,
) -> AsyncIterator[tuple[ClaudeEmulator, DatabaseStore]]:
    """Threadkeep, listening to `platform`; the Claude that it asks, and its store."""
    store = MemoryStore()
    async with (
        ClaudeEmulator() as claude,
        connect_claude(claude.api_key, claude.base_url) as model,
        running(platform, store, model, operator=Operator()),
    ):
        yield claude, store
