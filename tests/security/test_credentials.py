"""A rejected token affects only its own platform, wherever the rejection is noticed:
the operator is told once, and the other platform continues to answer."""

import asyncio
import contextlib
import io
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from inspect import isfunction
from typing import Any, BinaryIO

import pytest

from adapters.discord.client import NEW_TOKEN
from adapters.slack.interactions import TRIAGE
from bot.app import App
from bot.domain.attachment import Attachment
from bot.domain.channel_access import ChannelAccess
from bot.domain.completion import Report, Usage
from bot.domain.message import EarlierMessages, Message
from bot.domain.names import PlaceNames
from bot.domain.person import Person
from bot.domain.post_key import PostKey
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import Change
from bot.domain.turn import Turn
from bot.errors import AccessRevoked, ThreadGone
from bot.ports import host as ports_host
from bot.ports import platform as ports_platform
from bot.ui.elements import Command, Response
from tests.emulators.discord import faults as discord_faults
from tests.emulators.discord.faults import ALWAYS, MESSAGE, MESSAGES, THREADS
from tests.emulators.slack import faults as slack_faults
from tests.security.town import PLATFORMS, SECRET, Town, built, served
from tests.support.deep import rounds
from tests.support.fakes import FakeAdapter, FakeSurface
from tests.support.memory_store import MemoryStore
from tests.support.process import (
    OPERATOR,
)
from tests.support.scripted_model import ScriptedModel
from tests.support.triage_requests import sorted_as

# Over the platforms' own calls. On each way one kind of call is refused, and all others
# go on to be answered: so no other way can be the one that leads to the operator.

Trigger = Callable[[Town], Awaitable[object]]

REACTIONS = r"/channels/\d+/messages/\d+/reactions/.*"


@dataclass(frozen=True)
class Meeting:
    """A way on which a token is met that is no longer accepted."""

    platform: str
    #: The method on Slack; method and path on Discord.
    call: str
    trigger: Trigger

    def __str__(self) -> str:
        return f"{self.platform} {self.trigger.__name__} {self.call}"


MEETINGS: list[Meeting] = []


def met_by(**calls: str) -> Callable[[Trigger], Trigger]:
    """Let the decorated function lead to these calls of the platforms."""

    def added(trigger: Trigger) -> Trigger:
        for platform, call in calls.items():
            MEETINGS.append(Meeting(platform, call, trigger))
        return trigger

    return added


@met_by(slack="chat.postMessage")
@met_by(slack="users.info")
async def a_question_in_slack(town: Town) -> None:
    town.ask("slack")


@met_by(discord=f"POST {MESSAGES}")
@met_by(discord=f"POST {THREADS}")
async def a_question_in_discord(town: Town) -> None:
    town.ask("discord")


@met_by(slack="chat.update")
async def a_long_answer_in_slack(town: Town) -> None:
    gate = asyncio.Event()
    town.model.script("One moment. " * 20, gate, "Here it is. " * 20)
    thread = town.ask("slack")
    await town.until(lambda: town.replies("slack", thread))
    gate.set()


@met_by(discord=f"PATCH {MESSAGE}")
async def a_long_answer_in_discord(town: Town) -> None:
    gate = asyncio.Event()
    town.model.script("One moment. " * 20, gate, "Here it is. " * 20)
    thread = town.ask("discord")
    await town.until(lambda: town.replies("discord", thread))
    gate.set()


@met_by(slack="conversations.info")
async def a_channel_that_is_named(town: Town) -> None:
    town.ask("slack", f"see <#{town.channel('slack')}>")


@met_by(discord=r"GET /guilds/\d+/members/\d+")
async def a_name_that_nobody_knows(town: Town) -> None:
    town.ask("discord", "ask <@123456789012345678>")


@met_by(discord=r"GET /guilds/\d+/members/\d+")
async def a_person_who_may_not_ask(town: Town) -> None:
    await town.set(town.store, "discord", "who", "user:1")
    town.ask("discord")


@met_by(slack="conversations.replies")
async def a_call_into_a_thread_in_slack(town: Town) -> None:
    town.ask("slack", thread=town.say("slack"))


@met_by(discord=f"GET {MESSAGES}")
async def a_call_into_a_thread_in_discord(town: Town) -> None:
    thread = town.discord.thread(town.who("discord"), town.channel("discord"), "Hm")
    town.discord.say(town.who("discord"), thread, SECRET)
    town.ask("discord", thread=thread)


@met_by(slack="users.info")
async def a_command_in_slack(town: Town) -> None:
    channel = town.channel("slack")
    town.slack.command(town.who("slack"), channel, "/claude", "settings")


@met_by(slack="views.open")
@met_by(slack="usergroups.list")
async def a_form_in_slack(town: Town) -> None:
    channel = town.channel("slack")
    town.slack.command(town.who("slack", "Olga"), channel, "/claude", "prompt")


@met_by(slack="views.publish")
@met_by(slack="users.info")
async def the_home_tab(town: Town) -> None:
    town.slack.open_home(town.who("slack"))


@met_by(slack="chat.postEphemeral")
async def feedback_in_slack(town: Town) -> None:
    await town.answers("slack")
    thread = town.thread
    channel = town.channel("slack", thread)
    await town.until(lambda: town.slack.settled)
    [reply] = [each for each in town.slack.thread(channel, thread) if each.bot]
    town.slack.press_feedback(town.who("slack"), channel, reply.ts, True)


@met_by(slack="chat.postEphemeral")
async def a_command_by_mention(town: Town) -> None:
    town.ask("slack", "settings")


@met_by(slack="chat.postEphemeral")
async def a_notice_in_slack(town: Town) -> None:
    town.slack.faults.add("reactions.add", slack_faults.error("missing_scope"))
    await _second_question(town, "slack", asyncio.Event())


@met_by(discord=f"POST {MESSAGES} with a reference")
async def a_notice_in_discord(town: Town) -> None:
    refusal = discord_faults.error(403, 50013, "Missing Permissions")
    town.discord.faults.add("PUT", REACTIONS, refusal)
    await _second_question(town, "discord", asyncio.Event())


@met_by(slack="reactions.add")
@met_by(slack="assistant.threads.setStatus")
async def a_question_that_waits_in_slack(town: Town) -> None:
    await _second_question(town, "slack", asyncio.Event())


@met_by(discord=f"PUT {REACTIONS}")
@met_by(discord=r"POST /channels/\d+/typing")
async def a_question_that_waits_in_discord(town: Town) -> None:
    await _second_question(town, "discord", asyncio.Event())


@met_by(slack="reactions.remove")
async def a_question_that_waited_in_slack(town: Town) -> None:
    await _second_question(town, "slack", gate := asyncio.Event())
    await town.until(lambda: any(c.method == "reactions.add" for c in town.slack.calls))
    gate.set()


@met_by(discord=f"DELETE {REACTIONS}")
async def a_question_that_waited_in_discord(town: Town) -> None:
    await _second_question(town, "discord", gate := asyncio.Event())
    await town.until(lambda: any(c.method == "PUT" for c in town.discord.calls))
    gate.set()


async def _second_question(town: Town, platform: str, gate: asyncio.Event) -> None:
    asked = len(town.model.requests)
    town.model.script(gate)
    thread = town.ask(platform)
    await town.until(lambda: len(town.model.requests) > asked)
    await town.until(lambda: town.is_open(platform, thread))
    town.ask(platform, thread=thread, who="Bob")


@met_by(slack="reactions.add")
async def a_ticket_in_slack(town: Town) -> None:
    town.model.script(sorted_as())
    town.say("slack")


@met_by(discord=r"PUT /channels/\d+/messages/\d+/reactions/.*")
async def a_ticket_in_discord(town: Town) -> None:
    town.model.script(sorted_as())
    town.say("discord")


@met_by(slack="chat.postMessage")
async def a_message_that_is_sorted(town: Town) -> None:
    town.model.script(sorted_as())
    said = town.say("slack", "help")
    # It is sorted unasked, too, and once.
    await town.until(lambda: town.model.requests)
    bob, channel = town.who("slack", "Bob"), town.channel("slack", said)
    town.slack.shortcut(bob, channel, said, TRIAGE)


@met_by(slack="conversations.open")
async def a_budget_that_is_used_up_in_slack(town: Town) -> None:
    await _use_up(town, "slack")


@met_by(discord="POST /users/@me/channels")
async def a_budget_that_is_used_up_in_discord(town: Town) -> None:
    await _use_up(town, "discord")


async def _use_up(town: Town, platform: str) -> None:
    await town.set(town.store, platform, "max_tokens", "2000")
    await town.set(town.store, platform, "budget_day", "0.0255")
    dear = Report("claude-sonnet-5-5", "req_1", Usage(output=2_000), "end_turn")
    town.model.script("Very well.", dear)
    town.ask(platform)


@met_by(slack="apps.connections.open")
async def a_lost_connection(town: Town) -> None:
    await town.slack.socket.disconnect("refresh_requested")


@met_by(slack="auth.test")
async def an_event_of_slacks(town: Town) -> None:
    town.slack.emit("tokens_revoked", tokens={"bot": [town.slack.bot_user]})


@met_by(discord=f"GET {MESSAGES}")
async def a_session_that_begins_anew(town: Town) -> None:
    """A new session of the gateway fetches the messages that it missed."""
    await town.answers("discord")
    town.discord.gateway.drop(resumable=False)


@met_by(slack="files.info")
async def a_file_in_slack_of_which_little_is_known(town: Town) -> None:
    await _fetch(town, "slack", Attachment("a.txt", id="F1"))


@met_by(discord=f"GET {MESSAGE}")
async def a_file_in_discord_whose_address_has_expired(town: Town) -> None:
    base = town.discord.api_url.partition("/api")[0]
    said = f"{town.channel('discord')}/{town.say('discord')}"
    file = Attachment("a.txt", f"{base}/attachments/1/2/a.txt", f"{said}/2")
    await _fetch(town, "discord", file)


async def _fetch(town: Town, platform: str, file: Attachment) -> None:
    source = town.app.platforms.adapters[platform].files
    assert source is not None
    with contextlib.suppress(AccessRevoked):
        await source.fetch(town.place(platform), file, io.BytesIO(), 1_000)


#: Calls whose refusal different lines of the adapters meet. Each other call is made
#: where one of these is: by an answer, or by what the core waits for, which is tested
#: with every method of an adapter below.
SHORT = {
    *("chat.postMessage", "users.info", "views.open", "views.publish"),
    *("apps.connections.open", "auth.test"),
    *(f"POST {MESSAGES}", f"GET {MESSAGES}"),
    *(r"GET /guilds/\d+/members/\d+", r"POST /channels/\d+/typing"),
}


def ways() -> list[Meeting]:
    """Return one way to each call of `SHORT`; all ways under `make deep`."""
    short = {each.call: each for each in reversed(MEETINGS) if each.call in SHORT}
    return rounds([*short.values()], MEETINGS)


@pytest.mark.parametrize("meeting", ways(), ids=str)
async def test_a_revoked_token_takes_its_platform_down_and_no_other(
    meeting: Meeting, caplog: pytest.LogCaptureFixture
) -> None:
    # With the other platform itself: `test_a_closed_gateway_concerns_discord_alone` and
    # `test_when_both_turn_us_away_it_ends_with_a_sentence_each`.
    [name] = {*PLATFORMS} - {meeting.platform}
    other, there = FakeAdapter(name), ThreadKey(name, "W", "C", "t")
    asked = Message(there, "m1", time.time(), "bob", "and now?", True, True)
    async with built() as town:
        town.store = MemoryStore()
        for option in ("auto_triage", "feedback"):
            await town.set(town.store, meeting.platform, option, "on")
        async with served(
            *(town, town.store), listening=[meeting.platform], instead={name: other}
        ):
            emulator = town.slack if meeting.platform == "slack" else town.discord
            await town.until(lambda: emulator.settled)
            await refuse(town, meeting)
            await town.until(lambda: meeting.platform not in town.app.platforms.active)
            await other.receive(asked)
            await other.until(lambda: other.texts(there) == ["Understood."])
            assert not town.task.done()
            told_errors = errors(caplog)
        assert town.task.exception() is None
    told = [each for each in caplog.messages if "app.turned_away" in each]
    assert len(told) == 1
    assert f"platform={meeting.platform}" in told[0]
    advice = {"slack": "reinstall the app", "discord": NEW_TOKEN}[meeting.platform]
    assert advice in told[0]
    assert told_errors == told
    assert SECRET not in caplog.text


async def refuse(town: Town, meeting: Meeting) -> None:
    """Let Slack or Discord refuse the token with one kind of call, and have it made."""
    call, _, reference = meeting.call.partition(" with a ")
    if meeting.platform == "slack":
        fault = slack_faults.error("token_revoked")
        rule: Any = town.slack.faults.add(call, fault, times=ALWAYS)
    else:
        method, path = call.split(" ")
        fault_ = discord_faults.error(401, 0, "401: Unauthorized")
        rule = town.discord.faults.add(
            *(method, path, fault_),
            times=ALWAYS,
            when=lambda call: not reference or "message_reference" in call.body,
        )
    await meeting.trigger(town)
    await town.until(lambda: rule.struck)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the errors that our own loggers reported: Slack's SDK reports one when it
    acknowledges on a socket that is closing."""
    ours = [e for e in caplog.records if not e.name.startswith("slack_")]
    return [e.getMessage() for e in ours if e.levelno >= logging.ERROR]


async def test_a_closed_gateway_concerns_discord_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with built() as town, served(town, MemoryStore()):
        town.discord.revoke()
        await town.discord.gateway.close(4004)
        await town.until(lambda: "discord" not in town.app.platforms.active)
        await town.answers("slack")
    assert len(errors(caplog)) == 1
    assert "set a new one" in errors(caplog)[0]


async def test_the_token_of_an_interaction_is_not_ours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It lasts for 15 minutes (platform facts B2), and ends with another code."""
    over = discord_faults.error(401, 50027, "Invalid Webhook Token")
    async with built() as town, served(town, MemoryStore()):
        rule = town.discord.faults.add("*", discord_faults.CALLBACK, over)
        where = town.channel("discord")
        town.discord.command(town.who("discord"), where, "claude settings")
        await town.until(lambda: rule.struck)
        for platform in PLATFORMS:
            await town.answers(platform)
    assert errors(caplog) == []


async def test_when_both_turn_us_away_it_ends_with_a_sentence_each(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with built() as town, served(town, MemoryStore()):
        town.slack.revoke()
        # Met by the home tab, which nobody waits for.
        town.slack.open_home(town.who("slack"))
        await town.until(lambda: "slack" not in town.app.platforms.active)
        await town.answers("discord")
        town.discord.revoke()
        town.ask("discord")
        await town.until(town.task.done)
    error = town.task.exception()
    assert isinstance(error, AccessRevoked)
    assert str(error) == NEW_TOKEN
    [told] = errors(caplog)
    assert told.startswith("app.turned_away platform=slack")
    assert SECRET not in caplog.text


# In the core, whatever a method of an adapter or of its parts does: none is forgotten.

REVOKED = AccessRevoked("set a new token")
HERE = ThreadKey("here", "w", "c", "t")


class Refusing(FakeAdapter):
    """Raises AccessRevoked from one of its methods."""

    refuses = ""

    def _look(self, method: str) -> None:
        if self.refuses == method:
            raise REVOKED

    async def run(self, host: ports_host.Host) -> None:
        self._look("run")
        await super().run(host)

    async def resolve_thread(self, turn: Turn) -> ThreadKey:
        self._look("resolve_thread")
        return await super().resolve_thread(turn)

    @contextlib.asynccontextmanager
    async def surface(self, turn: Turn) -> AsyncIterator[FakeSurface]:
        self._look("surface")
        async with super().surface(turn) as surface:
            yield surface

    async def readable(self, messages: Sequence[Message]) -> list[tuple[str, str]]:
        self._look("readable")
        return await super().readable(messages)

    async def person(self, place: Scope, user: str) -> Person:
        self._look("person")
        return await super().person(place, user)

    async def names(self, place: Scope, user: str) -> PlaceNames:
        self._look("names")
        return await super().names(place, user)

    async def fetch(
        self, place: Scope, file: Attachment, into: BinaryIO, most: int
    ) -> None:
        self._look("fetch")
        await super().fetch(place, file, into, most)

    async def tell(self, workspace: str, user: str, text: str) -> None:
        self._look("tell")
        await super().tell(workspace, user, text)

    async def notice(
        self, message: Message, response: Response, *, in_thread: bool = False
    ) -> None:
        self._look("notice")
        await super().notice(message, response, in_thread=in_thread)

    async def recent(
        self, place: Scope, most: int, since: float | None = None
    ) -> list[Message]:
        self._look("recent")
        return await super().recent(place, most, since)

    async def mark(self, place: Scope, message: str, sign: str) -> None:
        self._look("mark")
        if self.refuses == "notice":
            # Which takes its place.
            raise ThreadGone("no right to")
        await super().mark(place, message, sign)

    async def unmark(self, place: Scope, message: str, sign: str) -> None:
        self._look("unmark")
        await super().unmark(place, message, sign)

    async def post(
        self,
        place: Scope,
        response: Response,
        about: str = "",
        key: PostKey | None = None,
    ) -> None:
        self._look("post")
        await super().post(place, response, about, key)

    async def link(self, place: Scope, message: str) -> str:
        self._look("link")
        return await super().link(place, message)

    async def access(self, place: Scope, user: str) -> ChannelAccess:
        self._look("access")
        return await super().access(place, user)

    async def before(
        self, thread: ThreadKey, message: str | None = None
    ) -> EarlierMessages:
        self._look("before")
        return await super().before(thread, message)


TICKET = {"auto_triage": "on"}
SETTINGS: dict[str, dict[str, str]] = {
    "person": {"who": "user:zoe"},
    "tell": {**TICKET, "triage_budget": "0.0001"},
    "mark": TICKET,
    "post": {**TICKET, "triage_sign": "label"},
    "link": {**TICKET, "triage_announce": "channel:C9"},
    "access": {**TICKET, "triage_announce": "channel:C9"},
}


def heard(thread: ThreadKey = HERE, message: str = "t", **facts: bool) -> Message:
    """Return a message of Alice at the top of a channel, to the bot unless `facts` say
    otherwise."""
    return replace(
        Message(thread, message, time.time(), "alice", SECRET, True, True),
        **facts,  # type: ignore[arg-type]
    )


async def _ask(host: ports_host.Host, model: ScriptedModel) -> None:
    await host.inbox.receive(heard())


async def _show(host: ports_host.Host, model: ScriptedModel) -> None:
    file = Attachment("a.txt", url="a.txt")
    await host.inbox.receive(replace(heard(), files=(file,)))


async def _call(host: ports_host.Host, model: ScriptedModel) -> None:
    await host.inbox.receive(heard(message="later", opens=False))


async def _ask_twice(
    host: ports_host.Host,
    model: ScriptedModel,
    gate: asyncio.Event | None = None,
) -> None:
    model.script(gate or asyncio.Event())
    await host.inbox.receive(heard())
    async with asyncio.timeout(60):
        while not model.requests:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    await host.inbox.receive(heard(message="again", opens=False))


async def _have_waited(host: ports_host.Host, model: ScriptedModel) -> None:
    await _ask_twice(host, model, gate := asyncio.Event())
    # What marks the second question was started first.
    asyncio.get_running_loop().call_later(0.05, gate.set)


async def _complain(host: ports_host.Host, model: ScriptedModel) -> None:
    model.script(sorted_as(priority="critical"))
    await host.inbox.receive_unaddressed(heard(addressed=False))


async def _sort(host: ports_host.Host, model: ScriptedModel) -> None:
    olga = Person("olga", "Olga", runs_workspace=True)
    command = Command("triage", {"last": "3"})
    with contextlib.suppress(AccessRevoked):
        await host.commands.run(command, Scope("here", "w", "c"), olga)


#: What leads to the call of each method.
TRIGGERS = {
    **dict.fromkeys(("resolve_thread", "surface", "readable", "person"), _ask),
    **dict.fromkeys(("access", "tell", "mark", "post", "link"), _complain),
    "names": _ask,
    "fetch": _show,
    "notice": _ask_twice,
    "unmark": _have_waited,
    "recent": _sort,
    "before": _call,
}

METHODS = [
    name
    for part in (
        *(ports_platform.Adapter, ports_platform.Directory),
        *(ports_platform.MessageHistory, ports_platform.Messenger),
        ports_platform.FileSource,
    )
    for name, value in vars(part).items()
    # Those two make no call that could be refused.
    if isfunction(value)
    and not name.startswith("_")
    and name not in ("is_direct", "typed")
]


@pytest.mark.parametrize("method", METHODS)
async def test_the_core_takes_a_platform_down_whatever_met_the_refusal(
    method: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Names are looked up once a minute.
    monkeypatch.setattr("bot.last_names.EVERY", 0.01)
    here, there = Refusing("here"), FakeAdapter("there")
    store, model = MemoryStore(), ScriptedModel()
    here.refuses = "run" if method == "run" else ""
    app = App(
        store=store,
        model=model,
        adapters=[here, there],
        operator=OPERATOR,
        grace=1.0,
    )
    place = Scope("here", "w", "c")
    for name, value in SETTINGS.get(method, {}).items():
        await store.change_settings([Change(place, name, value)], who="olga", now=1.0)
    stopping = asyncio.Event()
    task = asyncio.create_task(app.run(stopping))
    await there.listening
    if method != "run":
        host = await here.listening
        here.refuses = method
        await TRIGGERS[method](host, model)
    async with asyncio.timeout(60):
        while "here" in app.platforms.active:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    await there.receive(heard(replace(HERE, platform="there")))
    await there.until(lambda: there.closed == 1)
    assert not task.done()
    stopping.set()
    await task
    assert [each for each in errors(caplog)] == [
        "app.turned_away platform=here set a new token"
    ]
