"""Each look-up of docs/lookups.md when Discord refuses it or fails."""

import pytest

from adapters.discord import client
from bot.domain.channel_access import NOWHERE
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.scope import Scope, ThreadKey
from bot.errors import DeliveryError
from tests.emulators.discord.faults import ALWAYS, Fault, cut, error, html
from tests.support.discord_harness import Office

MEMBER = r"/guilds/\d+/members/\d+"
USER = r"/users/\d+"

FAULTS = {"missing access": error(403, 50001, "Missing Access"), "cut": cut()}


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py repeats a cut call for some seconds, with pauses."""
    monkeypatch.setattr(client, "PATIENCE", 0.5)


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_is_required_grants_nothing_when_it_cannot_be_had(
    office: Office, fault: str
) -> None:
    strike: Fault = FAULTS[fault]
    office.discord.faults.add("GET", MEMBER, strike, times=ALWAYS)
    place, directory = office.place(office.general), office.adapter.directory
    with pytest.raises(DeliveryError):
        await directory.person(place, office.alice)
    with pytest.raises(DeliveryError):
        await directory.access(place, office.alice)
    office.discord.faults.clear()
    assert await directory.person(place, office.alice) == Person(office.alice, "Alice")
    assert (await directory.access(place, office.alice)).reads


async def test_a_command_needs_no_lookup(office: Office) -> None:
    office.discord.faults.add("GET", ".*", cut(), times=ALWAYS)
    boss = office.discord.add_user("Boss", admin=True)
    asked = office.discord.command(boss, office.general, "claude usage")
    await office.told(asked)
    assert office.last.person.runs_workspace


@pytest.mark.parametrize("fault", [html(400), cut()], ids=["a page", "cut"])
async def test_a_message_is_read_without_names(office: Office, fault: Fault) -> None:
    for path in (MEMBER, USER):
        office.discord.faults.add("GET", path, fault, times=ALWAYS)
    thread = ThreadKey("discord", office.discord.guild, office.general, "5")
    text = f"see <#{office.general}>"
    message = Message(thread, "5", 1.0, office.alice, text, True, True)
    [(author, read)] = await office.adapter.readable([message])
    assert (author, read) == (office.alice, "see #general")


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_private_thread_is_for_nobody_who_cannot_be_looked_up(
    office: Office, fault: str
) -> None:
    thread = office.discord.private_thread(office.alice, office.general, "Secret")
    path = r"/channels/\d+/thread-members/\d+"
    office.discord.faults.add("GET", path, FAULTS[fault], times=ALWAYS)
    place, directory = office.place(office.general, thread), office.adapter.directory
    if fault == "cut":
        with pytest.raises(DeliveryError):
            await directory.access(place, office.alice)
    else:
        assert not (await directory.access(place, office.alice)).reads
    office.discord.faults.clear()
    assert (await directory.access(place, office.alice)).reads


@pytest.mark.parametrize("fault", FAULTS)
async def test_direct_messages_are_nobody_s_without_an_answer(
    office: Office, fault: str
) -> None:
    direct = office.discord.open_dm(office.alice)
    office.discord.faults.add(
        "POST", "/users/@me/channels", FAULTS[fault], times=ALWAYS
    )
    place = Scope("discord", "@me", direct, direct)
    if fault == "cut":
        with pytest.raises(DeliveryError):
            await office.adapter.directory.access(place, office.alice)
    else:
        assert await office.adapter.directory.access(place, office.alice) == NOWHERE
