"""Members and outsiders in a channel that is shared with another organisation."""

import pytest

from bot.domain.message import Origin
from bot.domain.person import Person
from bot.messages.outsiders import ALL_ADMITTED, MEMBERS_ONLY, TURNED_AWAY
from tests.unit.conversation.test_admission import CHANNEL, WORKSPACE, Room, there

EVE = Person("eve", outsider=True, shared=True)


def shared_room() -> Room:
    """Return a room in which Eve is of another organisation."""
    room = Room()
    room.adapter.people["eve"] = EVE
    return room


async def turned_away(room: Room, **more: object) -> None:
    """Let Eve ask, and wait until she was told that she is not answered."""
    told = len(room.adapter.noticed)
    await room.ask(author="eve", origin=Origin.FOREIGN, **more)  # type: ignore[arg-type]
    await room.adapter.until(lambda: len(room.adapter.noticed) > told)
    assert room.adapter.noticed[-1] == ("eve", TURNED_AWAY)


async def test_outsiders_are_told_once_and_members_answered() -> None:
    room = shared_room()
    async with room.open():
        await turned_away(room)
        await room.ask("me too?", author="eve", origin=Origin.FOREIGN)
        await room.ask("and me?", origin=Origin.SHARED)
        [first] = await room.answered(1)
        await room.ask("again?", origin=Origin.SHARED)
        second = (await room.answered(2))[-1]
    assert MEMBERS_ONLY in first
    assert MEMBERS_ONLY not in second
    assert room.adapter.noticed == [("eve", TURNED_AWAY)]
    assert len(room.model.requests) == 2


@pytest.mark.parametrize("who", ["everyone", "user:eve", "group:partners user:bob"])
async def test_the_setting_of_the_channel_admits_them(who: str) -> None:
    room = shared_room()
    partner = Person("eve", outsider=True, shared=True, groups=frozenset({"partners"}))
    room.adapter.people["eve"] = partner
    await room.put("who", who)
    async with room.open():
        await room.ask(author="eve", origin=Origin.FOREIGN)
        [told] = await room.answered(1)
    assert (ALL_ADMITTED in told) == (who == "everyone")
    assert room.adapter.noticed == []


async def test_what_is_set_for_the_workspace_was_not_meant_for_them() -> None:
    room = shared_room()
    await room.put("who", "everyone", WORKSPACE)
    async with room.open():
        await turned_away(room)
    assert room.model.requests == []


async def test_guests_are_answered_where_nobody_else_listens() -> None:
    room = Room()
    room.adapter.people["gus"] = Person("gus", outsider=True)
    async with room.open():
        await room.ask(author="gus")
        await room.answered(1)
        await room.ask(author="gus", thread=there(1), origin=Origin.SHARED)
        await room.adapter.until(lambda: bool(room.adapter.noticed))
    assert room.adapter.noticed == [("gus", TURNED_AWAY)]


async def test_a_failed_look_up_closes_to_outsiders_and_not_to_members() -> None:
    room = Room()
    room.adapter.unknown |= {"eve", "alice"}
    async with room.open():
        await turned_away(room)
        await room.ask(thread=there(1), origin=Origin.SHARED)
        await room.answered(1, there(1))
    assert len(room.model.requests) == 1


async def test_the_settings_say_who_is_answered_and_why() -> None:
    room = shared_room()
    olga = Person("olga", runs_workspace=True, shared=True)
    async with room.open():
        for place, sees in ((CHANNEL, True), (WORKSPACE, False)):
            told = await room.tell("settings", who=olga, where=place.level.value)
            assert (MEMBERS_ONLY in told) == sees
        await room.put("who", "everyone")
        assert ALL_ADMITTED in await room.tell("settings", who=olga)
