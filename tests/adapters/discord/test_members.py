"""The adapter returns facts about members, and sends private messages."""

from collections.abc import Iterator

import pytest

from adapters.discord.members import FRESH, People
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.errors import DeliveryError, Throttled
from bot.text.references import channel, user
from tests.emulators.discord.faults import status
from tests.support.discord_harness import Office

MEMBER = r"/guilds/\d+/members/\d+"


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_server_says_who_runs_it_who_runs_nothing_and_who_left(
    office: Office,
) -> None:
    here, person = office.place(office.general), office.adapter.directory.person
    member = Person(office.alice, "Alice")
    assert await office.seen(office.alice, office.general) == member
    assert await person(here, office.alice) == member
    mo = office.discord.add_user("Mo")
    role = office.discord.add_role("mods", mo, permissions=["manage_guild"])
    facts = Person(mo, "Mo", runs_workspace=True, groups=frozenset({role}))
    assert await office.seen(mo, office.general) == facts
    for place in (office.place(), office.place(office.random)):
        assert await person(place, mo) == facts
    boss = office.discord.add_user("Boss", admin=True)
    for found in (await office.seen(boss, office.general), await person(here, boss)):
        assert (found.runs_workspace, found.runs_channel) == (True, True)
    office.discord.leave(office.bob)
    assert await person(here, office.bob) == Person(office.bob, outsider=True)


async def test_an_overwrite_lets_a_role_run_one_channel_and_its_threads(
    office: Office,
) -> None:
    discord = office.discord
    role = discord.add_role("keepers", office.bob)
    discord.set_permissions(office.general, role=role, allow=["manage_channels"])
    thread = discord.thread(office.alice, office.general, "A thread")
    for place in (office.general, thread):
        person = await office.seen(office.bob, place)
        assert (person.runs_channel, person.runs_workspace) == (True, False)
        assert person.groups == {role}
    assert not (await office.seen(office.bob, office.random)).runs_channel

    for known, expected in (
        (office.place(office.general), True),
        (office.place(office.general, thread), True),
        (office.place(office.random), False),
        (office.place(), False),
    ):
        found = await office.adapter.directory.person(known, office.bob)
        assert found.runs_channel is expected


async def test_what_a_channel_takes_away_is_gone_there(office: Office) -> None:
    discord = office.discord
    discord.add_role("wide", office.bob, permissions=["manage_channels"])
    discord.set_permissions(office.general, user=office.bob, deny=["manage_channels"])
    assert not (await office.seen(office.bob, office.general)).runs_channel
    assert (await office.seen(office.bob, office.random)).runs_channel
    here, there = office.place(office.general), office.place(office.random)
    assert not (await office.adapter.directory.person(here, office.bob)).runs_channel
    assert (await office.adapter.directory.person(there, office.bob)).runs_channel


async def test_in_direct_messages_nobody_runs_anything(office: Office) -> None:
    boss = office.discord.add_user("Boss", admin=True)
    direct = office.discord.open_dm(boss)
    assert await office.seen(boss, direct) == Person(boss, "Boss")
    place = Scope("discord", "@me", direct, direct)
    assert await office.adapter.directory.person(place, boss) == Person(boss)


async def test_a_role_that_was_taken_away_counts_for_minutes_at_the_most(
    office: Office,
) -> None:
    clock: Iterator[float] = iter([0.0, FRESH - 1, FRESH])
    people = People(office.adapter._link, now=lambda: next(clock))
    here = office.place(office.general)
    role = office.discord.add_role("ops", office.bob)
    assert (await people.person(here, office.bob)).groups == {role}
    office.discord.take_role(role, office.bob)
    assert (await people.person(here, office.bob)).groups == {role}
    assert len(office.discord.calls_of("GET", MEMBER)) == 1
    assert (await people.person(here, office.bob)).groups == frozenset()
    assert len(office.discord.calls_of("GET", MEMBER)) == 2


async def test_what_a_channel_grants_counts_at_once(office: Office) -> None:
    here = office.place(office.general)
    role = office.discord.add_role("ops", office.bob)
    assert not (await office.adapter.directory.person(here, office.bob)).runs_channel
    allow = ["manage_channels"]
    office.discord.set_permissions(office.general, role=role, allow=allow)
    # What the bot hears of it comes before this.
    await office.give("claude usage")
    assert (await office.adapter.directory.person(here, office.bob)).runs_channel
    assert len(office.discord.calls_of("GET", MEMBER)) == 1


async def test_what_cannot_be_found_out_is_said(office: Office) -> None:
    elsewhere = Scope("discord", "7", "8")
    with pytest.raises(DeliveryError, match="guild 7"):
        await office.adapter.directory.person(elsewhere, office.bob)
    office.discord.faults.add("GET", MEMBER, status(403), times=1)
    with pytest.raises(DeliveryError):
        await office.adapter.directory.person(office.place(office.general), office.bob)
    found = await office.adapter.directory.person(
        office.place(office.general), office.bob
    )
    assert not found.outsider


async def test_somebody_is_told_in_person(office: Office) -> None:
    guild = office.discord.guild
    text = f"The budget of {channel(office.general)} is used up, {user(office.bob)}."
    await office.adapter.tell(guild, office.alice, text)
    direct = office.discord.open_dm(office.alice)
    [seen] = office.discord.messages(direct)
    assert seen.text == (
        f"The budget of <#{office.general}> is used up, <@{office.bob}>."
    )
    await office.adapter.tell(guild, office.alice, "line\n" * 500)
    assert office.discord.messages(direct)[-1].files == ("everything.md",)
    assert office.discord.pings == []


async def test_who_takes_no_messages_cannot_be_told(office: Office) -> None:
    office.discord.refuse_messages(office.alice)
    for who in (office.alice, "U123"):
        with pytest.raises(DeliveryError) as caught:
            await office.adapter.tell(office.discord.guild, who, "hello")
        assert not isinstance(caught.value, Throttled)
