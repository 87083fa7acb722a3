"""A Discord server in which the bot lacks permissions: the operator is told once."""

import pytest

from bot.claude.offline import OfflineModel
from bot.settings.effective import Operator
from tests.emulators.discord.emulator import DiscordEmulator
from tests.support.memory_store import MemoryStore
from tests.support.process import running


def told(discord: DiscordEmulator, user: str) -> list[str]:
    """Return the bot's direct messages to `user`."""
    talk = discord.messages(discord.open_dm(user))
    return [each.text for each in talk if each.bot]


async def test_a_server_that_gives_the_bot_too_little_is_told_to_the_operator(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = MemoryStore()
    async with DiscordEmulator() as discord:
        olga, alice = discord.add_user("Olga"), discord.add_user("Alice")
        general = discord.add_channel("general")
        discord.limit_bot("create_public_threads", "send_messages_in_threads")
        operator = Operator({"model": "m"}, admins=frozenset({f"discord:{olga}"}))
        async with running(discord, store, OfflineModel(), operator=operator):
            await discord.until(lambda: told(discord, olga))
            discord.say(alice, general, f"{discord.mention} Hi?")
            await discord.until(
                lambda: any(each.bot for each in discord.messages(general))
            )
    [text] = told(discord, olga)
    assert (
        "Send Messages in Threads and Create Public Threads in "
        f"discord:{discord.guild}." in text
    )
    assert "https://discord.com/oauth2/authorize?client_id=" in text
    assert caplog.text.count("operator.needed the bot lacks permissions") == 1


async def test_what_one_channel_denies_is_for_its_own_admins(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = MemoryStore()
    async with DiscordEmulator() as discord:
        olga, alice = discord.add_user("Olga"), discord.add_user("Alice")
        quiet = discord.add_channel("quiet")
        discord.set_permissions(quiet, deny=["create_public_threads"])
        operator = Operator({"model": "m"}, admins=frozenset({f"discord:{olga}"}))
        async with running(discord, store, OfflineModel(), operator=operator):
            discord.say(alice, quiet, f"{discord.mention} Hi?")
            await discord.until(
                lambda: any(each.bot for each in discord.messages(quiet))
            )
    assert told(discord, olga) == []
    assert "operator.needed" not in caplog.text
