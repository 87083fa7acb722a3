"""Greetings: to whom, and how often."""

from dataclasses import replace

import pytest

from bot.domain.scope import Scope
from bot.domain.setting import Change
from bot.errors import DeliveryError
from bot.messages.first_contact import ADDED, GREETING
from tests.unit.conversation.test_responder import Desk

DIRECT = Scope("fake", "w", "D1")
CHANNEL = Scope("fake", "w", "c")


def greetings(desk: Desk) -> list[str]:
    return [told.text for _, told in desk.adapter.posts]


async def test_a_greeting_comes_once_over_restarts() -> None:
    desk = Desk()
    async with desk.open() as app:
        for _ in range(2):
            await app.host.first_contact.opened(DIRECT, "alice")
        await desk.adapter.until(lambda: bool(desk.adapter.posts))
    again = Desk(desk.store)
    async with again.open() as app:
        await app.host.first_contact.opened(DIRECT, "alice")
        await app.host.first_contact.opened(replace(DIRECT, channel="D2"), "bob")
        await again.adapter.until(lambda: bool(again.adapter.posts))
    assert greetings(desk) == greetings(again) == [GREETING]


async def test_who_may_not_ask_is_not_invited_to() -> None:
    desk = Desk()
    await desk.store.change_settings(
        [Change(Scope("fake", "w"), "who", "user:bob")], who="olga", now=1.0
    )
    async with desk.open() as app:
        await app.host.first_contact.opened(DIRECT, "alice")
        await app.host.first_contact.opened(replace(DIRECT, channel="D2"), "bob")
        await desk.adapter.until(lambda: bool(desk.adapter.posts))
    assert [place.channel for place, _ in desk.adapter.posts] == ["D2"]


async def test_a_greeting_that_fails_is_not_repeated() -> None:
    desk = Desk()
    desk.adapter.post_troubles = [DeliveryError("503")]
    async with desk.open() as app:
        await app.host.first_contact.opened(DIRECT, "alice")
        await desk.adapter.until(lambda: not desk.adapter.post_troubles)
        await app.host.first_contact.opened(DIRECT, "alice")
    assert greetings(desk) == []


@pytest.mark.parametrize("times", [1, 3])
async def test_only_the_inviter_sees_how_to_set_a_channel_up(times: int) -> None:
    desk = Desk()
    async with desk.open() as app:
        for _ in range(times):
            await app.host.first_contact.added(CHANNEL, "olga")
        await desk.adapter.until(lambda: bool(desk.adapter.noticed))
    assert desk.adapter.noticed == [("olga", ADDED)]
    assert greetings(desk) == []
