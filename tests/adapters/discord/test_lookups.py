"""Each look-up of docs/lookups.md when Discord refuses it or fails."""

from collections.abc import AsyncIterator

import pytest

from adapters.discord import client
from adapters.discord.adapter import DiscordAdapter
from bot.domain.channel_access import NOWHERE
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.scope import Scope, ThreadKey
from bot.errors import DeliveryError
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.faults import ALWAYS, Fault, cut, error, html
from tests.support.discord_harness import Office, attended

MEMBER = r"/guilds/\d+/members/\d+"
USER = r"/users/\d+"

FAULTS = {"missing access": error(403, 50001, "Missing Access"), "cut": cut()}


class Town(Office):
    """An office of which the adapter is at hand."""

    adapter: DiscordAdapter

    def place(self, channel: str = "", thread: str = "") -> Scope:
        return Scope("discord", self.discord.guild, channel, thread)


@pytest.fixture
async def town(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    # discord.py repeats a cut call for some seconds, with pauses.
    monkeypatch.setattr(client, "PATIENCE", 0.5)
    async with DiscordEmulator() as discord:
        town = Town(discord)
        async with attended(town) as adapter:
            town.adapter = adapter
            yield town


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_is_required_grants_nothing_when_it_cannot_be_had(
    town: Town, fault: str
) -> None:
    strike: Fault = FAULTS[fault]
    town.discord.faults.add("GET", MEMBER, strike, times=ALWAYS)
    place, directory = town.place(town.general), town.adapter.directory
    with pytest.raises(DeliveryError):
        await directory.person(place, town.alice)
    with pytest.raises(DeliveryError):
        await directory.access(place, town.alice)
    town.discord.faults.clear()
    assert await directory.person(place, town.alice) == Person(town.alice, "Alice")
    assert (await directory.access(place, town.alice)).reads


async def test_a_command_needs_no_lookup(town: Town) -> None:
    town.discord.faults.add("GET", ".*", cut(), times=ALWAYS)
    boss = town.discord.add_user("Boss", admin=True)
    asked = town.discord.command(boss, town.general, "claude usage")
    await town.told(asked)
    assert town.last.person.runs_workspace


@pytest.mark.parametrize("fault", [html(400), cut()], ids=["a page", "cut"])
async def test_a_message_is_read_without_names(town: Town, fault: Fault) -> None:
    for path in (MEMBER, USER):
        town.discord.faults.add("GET", path, fault, times=ALWAYS)
    thread = ThreadKey("discord", town.discord.guild, town.general, "5")
    text = f"see <#{town.general}>"
    message = Message(thread, "5", 1.0, town.alice, text, True, True)
    [(author, read)] = await town.adapter.readable([message])
    assert (author, read) == (town.alice, "see #general")


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_private_thread_is_for_nobody_who_cannot_be_looked_up(
    town: Town, fault: str
) -> None:
    thread = town.discord.private_thread(town.alice, town.general, "Secret")
    path = r"/channels/\d+/thread-members/\d+"
    town.discord.faults.add("GET", path, FAULTS[fault], times=ALWAYS)
    place, directory = town.place(town.general, thread), town.adapter.directory
    if fault == "cut":
        with pytest.raises(DeliveryError):
            await directory.access(place, town.alice)
    else:
        assert not (await directory.access(place, town.alice)).reads
    town.discord.faults.clear()
    assert (await directory.access(place, town.alice)).reads


@pytest.mark.parametrize("fault", FAULTS)
async def test_direct_messages_are_nobody_s_without_an_answer(
    town: Town, fault: str
) -> None:
    direct = town.discord.open_dm(town.alice)
    town.discord.faults.add("POST", "/users/@me/channels", FAULTS[fault], times=ALWAYS)
    place = Scope("discord", "@me", direct, direct)
    if fault == "cut":
        with pytest.raises(DeliveryError):
            await town.adapter.directory.access(place, town.alice)
    else:
        assert await town.adapter.directory.access(place, town.alice) == NOWHERE
