"""A guild with people, Claude, and Threadkeep between them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TypeVar

import pytest
import pytest_asyncio

from bot.claude.client import connect as connect_claude
from bot.messages.answers import QUESTION_CHANGED
from bot.messages.first_contact import GREETING
from storage.store import DatabaseStore
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.discord.emulator import DiscordEmulator
from tests.support.discord_harness import Office, attended, registered_commands
from tests.support.memory_store import MemoryStore
from tests.support.process import running
from tests.support.prompts import newest_prompts
from tests.support.store_helpers import quiet


class Guild:
    """Alice and Bob in #general, and the bot that was added to their guild."""

    def __init__(
        self, discord: DiscordEmulator, claude: ClaudeEmulator, store: DatabaseStore
    ) -> None:
        self.discord = discord
        self.claude = claude
        self.store = store
        self.alice = discord.add_user("Alice")
        self.bob = discord.add_user("Bob")
        self.general = discord.add_channel("general")

    def mention(self, text: str, place: str = "", **more: object) -> str:
        """Let Alice mention the bot, in #general or in `place`; the message's id."""
        said = f"{self.discord.mention} {text}".strip()
        return self.discord.say(self.alice, place or self.general, said, **more)  # type: ignore[arg-type]

    def replies(self, place: str) -> list[str]:
        """Return the current texts of the bot's messages in a thread or channel,
        without responses to commands, the greeting, and offers to answer again."""
        try:
            seen = self.discord.messages(place)
        except KeyError:
            return []
        ours = [each.text for each in seen if each.bot and each.type == 0]
        return [each for each in ours if each not in (GREETING, QUESTION_CHANGED)]

    async def answered(self, place: str, *texts: str) -> None:
        """Wait until the bot's messages in a place read exactly `texts`."""
        await self.discord.until(lambda: self.replies(place) == list(texts))

    async def settled(self, place: str, count: int = 1) -> list[str]:
        """Wait until a place has `count` finished replies, and they are stored, unless
        Claude is still writing; return them."""
        await self.discord.until(
            lambda: (
                len(now := self.replies(place)) == count
                and not any(each.endswith(" …") for each in now)
            ),
        )
        await quiet(self.store, self.claude, place)
        return self.replies(place)

    async def thread_of(self, message: str) -> str:
        """Wait until there is a thread on `message`; return its id."""
        return str(await self.discord.until(lambda: self.discord.thread_of(message)))

    async def quiet(self) -> None:
        """Wait until all that was asked is answered, and that is stored."""
        await quiet(self.store)

    def prompts(self) -> list[str]:
        """Return the newest user entry of each request to Claude."""
        return newest_prompts(self.claude)


G = TypeVar("G", bound=Guild)


@pytest.fixture
def store() -> DatabaseStore:
    """A store in memory; a test that reads the file has its own."""
    return MemoryStore()


@pytest.fixture
async def unattended(store: DatabaseStore) -> AsyncIterator[Guild]:
    """The guild while the bot is down."""
    async with DiscordEmulator() as discord, ClaudeEmulator() as claude:
        yield Guild(discord, claude, store)


@pytest.fixture
async def guild(unattended: Guild) -> AsyncIterator[Guild]:
    """The guild, and the bot, which has run before, answers in it."""
    there, claude = unattended, unattended.claude
    there.discord.app.commands = await registered_commands()
    async with (
        connect_claude(claude.api_key, claude.base_url) as model,
        running(there.discord, there.store, model, grace=0.2),
    ):
        yield there


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def open_guild() -> AsyncIterator[Guild]:
    """The guild that the tests of a module share, under the rule of `open_office`."""
    commands = await registered_commands()
    async with (
        DiscordEmulator() as discord,
        ClaudeEmulator() as claude,
        connect_claude(claude.api_key, claude.base_url) as model,
    ):
        guild = Guild(discord, claude, MemoryStore())
        discord.app.commands = commands
        async with running(discord, guild.store, model, grace=0.2):
            yield guild


@contextlib.asynccontextmanager
async def begun_anew(guild: G) -> AsyncIterator[G]:
    """Let a test with `guild`, which has people and channels of its own, find nothing
    of earlier tests, and wait until all that it asked is answered."""
    guild.discord.forget_records()
    guild.claude.forget_scripts()
    guild.claude.requests.clear()
    guild.claude.disconnects = 0
    yield guild
    await guild.quiet()


@pytest_asyncio.fixture(loop_scope="module")
async def shared_guild(open_guild: Guild) -> AsyncIterator[Guild]:
    """The shared guild with Alice, Bob and #general of the test's own."""
    own = Guild(open_guild.discord, open_guild.claude, open_guild.store)
    async with begun_anew(own) as guild:
        yield guild


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def open_office() -> AsyncIterator[Office]:
    """The office that the tests of a module share. They all need the event loop of the
    module, and none may run another bot: the SDK has one address of Discord."""
    commands = await registered_commands()
    async with DiscordEmulator() as discord:
        discord.app.commands = commands
        async with attended(office := Office(discord)):
            yield office


@pytest_asyncio.fixture(loop_scope="module")
async def office(open_office: Office) -> Office:
    """The shared office as a test finds it: with people and channels of its own, of
    which the bot knows."""
    open_office.begin_anew()
    client = open_office.adapter._link.client
    async with asyncio.timeout(60):
        while client.get_channel(int(open_office.random)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0)
    return open_office
