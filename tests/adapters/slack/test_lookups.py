"""Each look-up of docs/lookups.md when Slack refuses it or fails."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.slack import members
from adapters.slack.adapter import SlackAdapter, connect
from bot.domain.channel_access import NOWHERE, ChannelAccess
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.scope import Scope, ThreadKey
from bot.errors import DeliveryError
from bot.messages.settings import UNSURE
from tests.adapters.slack.conftest import Office
from tests.adapters.slack.test_admin import Admins, admins
from tests.adapters.slack.test_triage import put
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.faults import (
    ALWAYS,
    Fault,
    cut,
    error,
    hold,
    html,
    status,
    throttle,
)
from tests.support.deep import share
from tests.support.process import slack_env
from tests.support.triage_requests import sorted_as

__all__ = ["admins"]

#: What Slack says of something that this app, plan or workspace does not have.
NEVER = {"missing_scope": error("missing_scope")}
#: The same of a method that not every app has.
NOT_OFFERED = {"plan_upgrade_required": error("plan_upgrade_required")}
#: What may be over in a minute.
NOT_NOW = {
    "HTTP 500": status(500),
    "a page": html(502),
    "rate limit": throttle(1),
    "cut": cut(),
    "late": hold(asyncio.Event()),
}


class Town:
    """Alice, who created #general, Bob in the group of admins, and the adapter."""

    def __init__(self, slack: SlackEmulator, adapter: SlackAdapter) -> None:
        self.slack = slack
        self.adapter = adapter
        self.alice = slack.add_user("Alice")
        self.bob = slack.add_user("Bob")
        self.general = slack.add_channel("general")
        slack.world.channels[self.general].creator = self.alice
        self.group = slack.add_group("Admins", "admins", [self.bob])
        self.place = Scope("slack", slack.team, self.general)

    async def person(self, user: str) -> Person:
        return await self.adapter.directory.person(self.place, user)


@pytest.fixture
async def town(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    monkeypatch.setattr(members, "PATIENCE", 0.2)
    async with SlackEmulator() as slack, connect(slack_env(slack)) as adapter:
        yield Town(slack, adapter)
        await adapter._workspaces.close()


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        *(("usergroups.list", fault) for fault in share([*NEVER, *NOT_NOW], 0, 2)),
        *(("usergroups.list", fault) for fault in NOT_OFFERED),
        *(("conversations.info", fault) for fault in share([*NEVER, *NOT_NOW], 1, 2)),
    ],
)
async def test_a_person_is_known_without_an_optional_fact(
    town: Town, method: str, fault: str
) -> None:
    strike: Fault = (NEVER | NOT_OFFERED | NOT_NOW)[fault]
    town.slack.faults.add(method, strike, times=ALWAYS)
    later, is_made = fault in NOT_NOW, method != "conversations.info"
    assert await town.person(town.alice) == Person(
        town.alice, "Alice", made_channel=is_made, incomplete=later
    )
    groups = frozenset({town.group} if method != "usergroups.list" else ())
    assert await town.person(town.bob) == Person(
        town.bob, "Bob", groups=groups, incomplete=later
    )
    # Nor is it asked for again at once.
    assert len(town.slack.calls_of(method)) == 1


@pytest.mark.parametrize("fault", ["a page", "rate limit", "cut"])
async def test_a_person_is_not_known_without_what_slack_says_of_them(
    town: Town, fault: str
) -> None:
    town.slack.faults.add("users.info", NOT_NOW[fault])
    with pytest.raises(DeliveryError):
        await town.person(town.alice)
    # That grants nothing, and is asked again.
    assert (await town.person(town.alice)).made_channel


async def test_a_fact_that_came_too_late_is_known_the_next_time(town: Town) -> None:
    came = town.slack.faults.hold("usergroups.list")
    assert (await town.person(town.bob)).incomplete
    came.set()
    await town.slack.until(lambda: town.slack.settled)
    assert (await town.person(town.bob)).groups == {town.group}
    assert len(town.slack.calls_of("usergroups.list")) == 1


@pytest.mark.parametrize("method", ["conversations.info", "conversations.members"])
async def test_access_to_a_channel_is_granted_by_answers_only(
    town: Town, method: str
) -> None:
    channel = town.slack.add_channel("s", kind="group", members=[town.alice])
    secret = replace(town.place, channel=channel)
    town.slack.faults.add(method, status(500))
    with pytest.raises(DeliveryError):
        await town.adapter.directory.access(secret, town.alice)
    town.slack.faults.add(method, error("missing_scope"))
    refused = await town.adapter.directory.access(secret, town.alice)
    unread = ChannelAccess(exists=True, bot_writes=True)
    assert refused == (NOWHERE if method == "conversations.info" else unread)
    assert (await town.adapter.directory.access(secret, town.alice)).reads


@pytest.mark.parametrize("fault", ["missing_scope", "HTTP 500"])
async def test_a_message_is_read_without_names(town: Town, fault: str) -> None:
    for method in ("users.info", "conversations.info"):
        town.slack.faults.add(method, (NEVER | NOT_NOW)[fault], times=ALWAYS)
    thread = ThreadKey("slack", town.slack.team, town.general, "1.000001")
    text = f"see <#{town.general}>"
    message = Message(thread, "1.000001", 1.0, town.alice, text, True, True)
    found = await town.adapter.readable([message])
    assert found == [(town.alice, f"see #{town.general}")]


async def test_names_that_are_known_take_no_turn_of_the_event_loop(town: Town) -> None:
    thread = ThreadKey("slack", town.slack.team, town.general, "1.000001")
    message = Message(thread, "1.000001", 1.0, town.alice, "hello", True, True)
    found = await town.adapter.readable([message])
    again = town.adapter.readable([message])
    with pytest.raises(StopIteration) as ended:
        again.send(None)
    assert ended.value.value == found == [("Alice", "hello")]


async def test_an_owner_sets_a_prompt_whatever_becomes_of_user_groups(
    admins: Admins,
) -> None:
    for fault in (error("plan_upgrade_required"), status(500)):
        admins.slack.faults.add("usergroups.list", fault, times=ALWAYS)
    admins.slack.command(admins.olga, admins.general, "/claude", "prompt")
    await admins.modal(admins.olga, "System prompt")
    saved = await admins.saved(admins.olga, {"prompt:0": "Be kind."})
    assert "Saved for <#" in saved.text


async def test_nobody_is_refused_for_a_group_that_cannot_be_looked_up(
    admins: Admins,
) -> None:
    group = admins.slack.add_group("Askers", "askers", [admins.bob])
    await put(admins, "who", f"group:{group}")
    admins.slack.faults.add("usergroups.list", status(500), times=ALWAYS)
    ts = admins.ask("May I?")
    assert await admins.settled(ts) == [f"⚠️ _{UNSURE}_"]
    assert admins.model.requests == []
    assert await admins.typed(admins.bob, "set model claude-haiku-5-5") == UNSURE


async def test_the_home_tab_says_that_it_cannot_be_drawn(admins: Admins) -> None:
    admins.slack.faults.add("users.info", status(500), times=ALWAYS)
    assert UNSURE in (await admins.home(admins.olga)).text


async def test_an_announcement_goes_out_without_the_address(office: Office) -> None:
    other = office.slack.add_channel("urgent")
    for name, value in {
        "auto_triage": "on",
        "triage_announce": f"channel:{other}",
    }.items():
        await put(office, name, value)
    office.slack.faults.add("chat.getPermalink", error("missing_scope"), times=ALWAYS)
    office.model.script(sorted_as(priority="critical"))
    office.slack.say(office.alice, office.general, "All is lost")
    await office.slack.until(lambda: office.slack.world.messages[other])
    [announced] = office.slack.world.messages[other].values()
    assert announced.shown.endswith(f"<#{office.general}>.")
