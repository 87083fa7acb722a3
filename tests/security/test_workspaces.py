"""A workspace that is not served causes no cost, leaves no data, and gets one
sentence."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from inspect import isfunction
from typing import Any, get_type_hints

import pytest

from adapters.discord.check import check as check_discord
from adapters.slack.check import check as check_slack
from adapters.slack.events import is_ours
from bot.domain import served_workspaces
from bot.domain.answer_options import NO_OPTIONS
from bot.domain.finding import Finding, Grade
from bot.domain.scope import EVERYWHERE, Scope, ScopeLevel
from bot.domain.served_workspaces import ALL, Served
from bot.messages.settings import NOT_SERVED
from bot.ports.host import Host
from bot.settings.effective import Operator
from bot.ui.elements import Command, Page, Response
from storage.store import DatabaseStore
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.interactions import Asked
from tests.emulators.discord.interactions import Response as InteractionResponse
from tests.emulators.discord.people import Seen
from tests.emulators.slack.emulator import SlackEmulator
from tests.security.houses import EVE, Houses, thread
from tests.support.memory_store import MemoryStore
from tests.support.process import running, slack_env
from tests.support.scripted_model import ScriptedModel
from tests.support.store_helpers import said, waiting
from tests.support.triage_requests import sorted_as

OURS, THEIRS = thread("discord", "42"), thread("discord", "666")


def only(*entries: str) -> Operator:
    return Operator({"prompt": "Be brief."}, served=Served(frozenset(entries)))


# What the variable says.


@pytest.mark.parametrize(
    ("said", "yes", "no"),
    [
        ("", "slack:T1 slack:T2 discord:1 discord:@me", ""),
        ("slack:T1", "slack:T1", "slack:T2 slack:T11 discord:1 discord:@me"),
        (
            "discord:1,discord:2",
            "discord:1 discord:2",
            "discord:12 discord:@me slack:T1",
        ),
        ("discord:*", "discord:1 discord:2", "discord:@me slack:T1"),
        ("discord:@me", "discord:@me discord:@7", "discord:1 slack:T1"),
        ("slack:* discord:@me", "slack:T1 slack:E7 discord:@me", "discord:1"),
    ],
)
def test_what_is_served(said: str, yes: str, no: str) -> None:
    found, problems = served_workspaces.read(said)
    assert problems == []
    for words, holds in ((yes, True), (no, False)):
        for word in words.split():
            platform, workspace = word.split(":")
            assert found.holds(platform, workspace) is holds, word
            assert bool(found.refusal(platform, workspace)) is not holds


def test_only_a_list_of_servers_limits_them() -> None:
    assert not ALL.limits("discord")
    assert not served_workspaces.read("discord:* slack:T1")[0].limits("discord")
    assert served_workspaces.read("slack:T1")[0].limits("discord")
    assert served_workspaces.read("discord:@me")[0].limits("discord")


@pytest.mark.parametrize(
    "wrong",
    [
        *(
            "T1",
            "slack",
            "slack:",
            "slack:general",
            "slack:t1",
            "slack:C1",
            "slack:@me",
        ),
        *("discord:Acme", "discord:", "teams:1", "*", "slack:T1:C1", "discord:1 2"),
    ],
)
def test_what_is_no_workspace_is_refused(wrong: str) -> None:
    assert served_workspaces.read(wrong)[1]


# What the core does, whichever platform asks it.

#: Every method of the parts of a Host, called for a workspace that is not served, and
#: what it returns. A method that is missing here was forgotten.
CALLS: dict[str, tuple[Callable[[Host, Houses], Any], Any]] = {
    "inbox.receive": (lambda host, at: host.inbox.receive(at.heard(THEIRS)), None),
    "inbox.receive_unaddressed": (
        lambda host, at: host.inbox.receive_unaddressed(
            at.heard(THEIRS, addressed=False)
        ),
        None,
    ),
    "inbox.supplement": (
        lambda host, at: host.inbox.supplement(at.heard(THEIRS)),
        None,
    ),
    "inbox.begin": (
        lambda host, at: host.inbox.begin(THEIRS, replace(THEIRS, thread="t9")),
        None,
    ),
    "inbox.amend": (lambda host, at: host.inbox.amend(at.heard(THEIRS)), None),
    "inbox.erase": (lambda host, at: host.inbox.erase("discord", "666", ["m1"]), None),
    "inbox.hold": (lambda host, at: host.inbox.hold(at.heard(THEIRS), "m2"), None),
    "inbox.forget": (
        lambda host, at: host.inbox.forget(Scope("discord", "666", "C1")),
        None,
    ),
    # An event about what was stored while it was served may have an old id.
    "inbox.current_channel": (
        lambda host, at: host.inbox.current_channel(Scope("discord", "666", "C1")),
        "C1",
    ),
    "inbox.move": (
        lambda host, at: host.inbox.move(Scope("discord", "666", "C1"), "C2"),
        None,
    ),
    "commands.run": (
        lambda host, at: host.commands.run(Command("settings"), Scope.of(THEIRS), EVE),
        Response(NOT_SERVED),
    ),
    "commands.triage": (
        lambda host, at: host.commands.triage(at.heard(THEIRS), EVE),
        Response(NOT_SERVED),
    ),
    "commands.page": (
        lambda host, at: host.commands.page(Scope.of(THEIRS), EVE),
        NOT_SERVED,
    ),
    "first_contact.opened": (
        lambda host, at: host.first_contact.opened(Scope.of(THEIRS), "eve"),
        None,
    ),
    "first_contact.added": (
        lambda host, at: host.first_contact.added(Scope.of(THEIRS), "eve"),
        None,
    ),
    "first_contact.joined": (
        lambda host, at: host.first_contact.joined(Scope.of(THEIRS), "eve", "Acme"),
        None,
    ),
    "conversations.stop": (lambda host, at: host.conversations.stop(THEIRS), False),
    "conversations.answering": (
        lambda host, at: host.conversations.answering(THEIRS),
        False,
    ),
    "conversations.feedback": (
        lambda host, at: host.conversations.feedback(THEIRS, "turn", True),
        False,
    ),
    "conversations.threads": (
        lambda host, at: host.conversations.threads("discord", THEIRS.channel),
        [],
    ),
    "conversations.newest": (
        lambda host, at: host.conversations.newest("discord", 0.0),
        [],
    ),
    "conversations.said": (
        lambda host, at: host.conversations.said(Scope.of(THEIRS), 0.0),
        [],
    ),
    "conversations.transcript": (
        lambda host, at: host.conversations.transcript(THEIRS),
        [],
    ),
    "api.refusal": (lambda host, at: host.api.refusal(THEIRS, NO_OPTIONS), ""),
    "api.threads": (
        lambda host, at: host.api.threads(
            Scope.of(THEIRS).at(ScopeLevel.CHANNEL), "", 10, None
        ),
        [],
    ),
    "api.thread": (lambda host, at: host.api.thread(THEIRS), None),
    "api.messages": (lambda host, at: host.api.messages(THEIRS, 10), []),
    "api.answer": (lambda host, at: host.api.answer(THEIRS, "m0"), None),
    "api.receipt": (lambda host, at: host.api.receipt(THEIRS, "turn"), None),
}
#: Members that are about no workspace: what a text means, the list of commands, and
#: tokens.
ABOUT_NONE = {
    *("commands.parse", "commands.catalog"),
    *("api.authenticate", "api.known", "api.seal", "api.has_tokens"),
}
PARTS = get_type_hints(Host)


def rows(store: MemoryStore) -> list[str]:
    """Return all that is stored, but for the ids of what people deleted."""
    dumped = store.db.conn.iterdump()
    return [row for row in dumped if not row.startswith('INSERT INTO "erased"')]


def test_no_method_of_a_host_is_forgotten() -> None:
    parts = ("inbox", "commands", "conversations", "first_contact", "api")
    # `alert` and `reports` are for the operator alone, whose all workspaces are,
    # `health` and `gateways` know no workspaces, nor do `outages`, whose events come
    # through the parts; and `access` only takes some of them away.
    alone = {
        *("served", "alert", "health", "reports", "access", "gateways", "outages"),
    }
    assert PARTS.keys() == {*parts, *alone}
    methods = {
        f"{part}.{name}"
        for part in parts
        for name, value in vars(PARTS[part]).items()
        if not name.startswith("_")
        and (isfunction(value) or isinstance(value, property))
    }
    assert methods == CALLS.keys() | ABOUT_NONE


async def test_nothing_of_theirs_is_asked_stored_or_shown() -> None:
    store = MemoryStore()
    houses = Houses(only("discord:42"), store)
    # They were served once: there is something that could be shown.
    await waiting(store, said("m0", at=1.0, thread=THEIRS))
    await houses.put(Scope.of(THEIRS).at(ScopeLevel.CHANNEL), "auto_triage", "on")
    async with houses.open():
        before, turns = rows(store), store.db["turns"].count
        for name, (work, expected) in CALLS.items():
            found = work(houses.app.host, houses)
            if isinstance(found, Awaitable):
                found = await found
            if isinstance(found, Page):
                [section] = found.sections
                found = section.text
            assert found == expected, name
        # One that is served is served after them.
        await houses.ask(OURS)
        assert await houses.answered(OURS) == ["Understood."]
        after = [row for row in rows(store) if "'666'" in row]
    assert after == [row for row in before if "'666'" in row]
    assert store.db["turns"].count == turns + 1
    assert len(houses.model.requests) == 1
    discord = houses.adapters["discord"]
    assert (discord.told, discord.posts, discord.noticed, discord.marks) == (
        *([], [], []),
        {},
    )
    assert set(discord.seen) == {OURS}


async def test_no_command_of_theirs_is_carried_out() -> None:
    store = MemoryStore()
    houses = Houses(only("slack:T1"), store)
    async with houses.open():
        before = rows(store)
        for verb in (
            *("new", "stop", "retry", "model", "budget", "prompt set", "usage", "set"),
            *("audit", "help", "save", "try run", "triage", "continue answer"),
            "forged",
        ):
            told = await houses.told(
                THEIRS, verb, EVE, option="budget_day", value="9", period="day"
            )
            assert told == NOT_SERVED, verb
            assert rows(store) == before, verb


async def test_what_a_former_workspace_left_open_waits_until_it_is_served_again() -> (
    None
):
    store = MemoryStore()
    before = Houses(only("discord:42"), store)
    message = replace(before.heard(THEIRS), opens=True)
    await waiting(store, message)
    channel = Scope.of(THEIRS).at(ScopeLevel.CHANNEL)
    await before.put(channel, "auto_triage", "on")
    case = Houses(only(), store)
    other = thread("discord", "666", 5)
    case.model.script(asyncio.Event())
    async with before.open():
        await before.ask(OURS)
        await before.answered(OURS)
    assert len(before.model.requests) == 1
    assert await store.open_threads() == [THEIRS]
    # Served again, both are taken up.
    served_again = Houses(only("discord:666"), store)
    served_again.model.script("Yes.")
    async with served_again.open():
        assert await served_again.answered(THEIRS) == ["Yes."]
    assert other not in served_again.adapters["discord"].seen


async def test_a_case_of_a_former_workspace_is_not_taken_up() -> None:
    store = MemoryStore()
    first = Houses(only(), store)
    channel = Scope.of(THEIRS).at(ScopeLevel.CHANNEL)
    await first.put(channel, "auto_triage", "on")
    hold = asyncio.Event()
    first.model.script(hold)
    async with first.open():
        await first.ask(THEIRS, "It broke", addressed=False)
        await first.adapters["discord"].until(lambda: True)
        async with asyncio.timeout(60):
            while not first.model.requests:  # noqa: ASYNC110 - a model tells nobody
                await asyncio.sleep(0.01)
    assert len(await store.waiting_cases(["slack", "discord"], 9)) == 1
    second = Houses(only("discord:42"), store)
    async with second.open():
        await second.ask(OURS)
        await second.answered(OURS)
    assert len(second.model.requests) == 1
    third = Houses(only("discord:666"), store)
    third.model.script(sorted_as())
    async with third.open():
        await third.adapters["discord"].until(
            lambda: bool(third.adapters["discord"].marks)
        )


# On Discord.


class Guilds:
    """A server that is served and one that is not, and what is remembered."""

    def __init__(
        self, discord: DiscordEmulator, store: DatabaseStore, model: ScriptedModel
    ) -> None:
        self.discord, self.store, self.model = discord, store, model
        self.theirs = discord.add_guild("Eve's")
        self.alice, self.eve = (
            discord.add_user("Alice"),
            discord.add_user("Eve", admin=True),
        )
        self.general = discord.add_channel("general")
        self.lair = discord.add_channel("lair", guild=self.theirs)

    @asynccontextmanager
    async def open(self, *entries: str) -> AsyncIterator[None]:
        entries = entries or (f"discord:{self.discord.guild}",)
        operator = replace(only(*entries), admins=frozenset())
        async with running(
            self.discord, self.store, self.model, grace=0.2, operator=operator
        ):
            # The commands are registered by then, and the servers known.
            await self.discord.until(lambda: self.discord.command_puts)
            yield

    async def answered(self, channel: str, user: str) -> str:
        """Let somebody ask where people are served, and wait for the answer."""
        asked = self.discord.say(user, channel, f"{self.discord.mention} why?")
        await self.discord.until(
            lambda: [m for m in self.discord.messages(asked) if m.text == "Understood."]
        )
        return asked


@pytest.fixture
async def guilds() -> AsyncIterator[Guilds]:
    async with DiscordEmulator() as discord:
        yield Guilds(discord, MemoryStore(), ScriptedModel())


async def responded(discord: DiscordEmulator, asked: Asked) -> InteractionResponse:
    response = await discord.until(lambda: asked.response)
    assert response is not None
    return response


async def test_mentions_of_another_server_cost_nothing(guilds: Guilds) -> None:
    discord = guilds.discord
    async with guilds.open():
        await discord.until(lambda: discord.settled)
        calls = len(discord.calls)
        for number in range(20):
            said = f"{discord.mention} {number}"
            message = discord.say(guilds.eve, guilds.lair, said)
            discord.edit(message, f"{said}!")
        discord.delete(message)
        direct = discord.open_dm(guilds.eve)
        discord.say(guilds.eve, direct, "psst")
        asked = await guilds.answered(guilds.general, guilds.alice)
        ours = [call for call in discord.calls[calls:] if guilds.lair in call.path]
        theirs = [m for m in discord.messages(guilds.lair) if m.bot]
    assert ours == []
    assert theirs == []
    assert [m for m in discord.messages(direct) if m.bot] == []
    assert len(guilds.model.requests) == 1
    threads = await guilds.store.list_threads("discord", guilds.general)
    assert [each.thread.thread for each in threads] == [asked]
    assert await guilds.store.list_threads("discord", guilds.lair) == []
    assert await guilds.store.list_threads("discord", direct) == []


async def test_every_command_there_gets_one_sentence_that_one_person_sees(
    guilds: Guilds,
) -> None:
    discord, eve, lair = guilds.discord, guilds.eve, guilds.lair
    async with guilds.open():
        about = discord.say(eve, lair, "Look at this")
        direct = discord.open_dm(eve)
        asked = [
            discord.command(eve, lair, "ask", question="why?"),
            discord.command(eve, lair, "claude settings"),
            discord.command(eve, lair, "claude prompt set"),
            discord.command(eve, direct, "ask", question="why?"),
            discord.message_command(eve, lair, about, "Ask Claude about this"),
            discord.message_command(eve, lair, about, "Triage this"),
            discord.message_command(eve, lair, about, "Receipt"),
        ]
        typing = discord.autocomplete(eve, lair, "claude model", "value", "h")
        suggested = await responded(discord, typing)
        assert (suggested.type, suggested.choices) == (8, ())
        for each in asked:
            response = await responded(discord, each)
            assert response.modal is None
            assert response.message is not None
            assert response.message.text == NOT_SERVED
            assert response.message.ephemeral_for == eve
    assert guilds.model.requests == []
    assert await guilds.store.list_settings(EVERYWHERE) == []


async def test_buttons_and_forms_from_before_get_the_same(guilds: Guilds) -> None:
    discord, eve, lair = guilds.discord, guilds.eve, guilds.lair
    async with guilds.open("discord:*"):
        form = discord.command(eve, lair, "claude prompt set")
        await discord.until(lambda: form.response and form.response.modal)
        message = discord.say(eve, lair, f"{discord.mention} why?")

        def complete() -> list[Seen]:
            seen = (m for m in discord.messages(message) if m.bot)
            return [m for m in seen if any("retry" in each for each in m.buttons)]

        [answer] = await discord.until(complete)
    requests = len(guilds.model.requests)
    async with guilds.open():
        pressed = discord.click(eve, answer.id, answer.buttons[0])
        sent = discord.submit(eve, form, {"prompt": "Obey."})
        for each in (pressed, sent):
            response = await responded(discord, each)
            assert response.message is not None
            assert response.message.text == NOT_SERVED
            assert response.message.ephemeral_for == eve
    assert len(guilds.model.requests) == requests
    assert await guilds.store.list_settings(EVERYWHERE) == []


async def test_a_server_that_adds_the_bot_is_left_and_one_that_had_it_is_not(
    guilds: Guilds, caplog: pytest.LogCaptureFixture
) -> None:
    discord = guilds.discord
    leaving = "/users/@me/guilds/.*"
    with caplog.at_level(logging.INFO):
        async with guilds.open():
            await logged(caplog, "discord.not_served")
            new = discord.add_guild("Mallory's")
            await logged(caplog, "discord.left")
            discord.outage(guilds.theirs)
            discord.recover(guilds.theirs)
            await guilds.answered(guilds.general, guilds.alice)
            left = [call.path for call in discord.calls_of("DELETE", leaving)]
    assert left == [f"/users/@me/guilds/{new}"]
    assert caplog.text.count("discord.not_served") == 1
    assert f"guilds={guilds.theirs}" in caplog.text
    assert f"discord.left guild={new}" in caplog.text


async def test_what_was_said_there_meanwhile_is_not_fetched(guilds: Guilds) -> None:
    discord = guilds.discord
    async with guilds.open("discord:*"):
        talk = await guilds.answered(guilds.lair, guilds.eve)
    discord.say(guilds.eve, talk, "and?")
    asked = len(guilds.model.requests)
    async with guilds.open():
        await guilds.answered(guilds.general, guilds.alice)
    assert len(guilds.model.requests) == asked + 1
    read = [c for c in discord.calls_of("GET") if f"/{talk}/messages" in c.path]
    assert read == []


@pytest.mark.parametrize(
    ("public", "entries", "warns"),
    [
        (True, (), True),
        (False, (), False),
        (True, ("discord:1",), False),
    ],
)
async def test_the_start_warns_of_a_bot_that_anybody_may_add(
    guilds: Guilds,
    caplog: pytest.LogCaptureFixture,
    public: bool,
    entries: tuple[str, ...],
    warns: bool,
) -> None:
    guilds.discord.app.public = public
    operator = only(*entries)
    with caplog.at_level(logging.WARNING):
        async with running(
            guilds.discord, guilds.store, guilds.model, operator=operator
        ):
            pass
    assert ("discord.public" in caplog.text) is warns


async def logged(caplog: pytest.LogCaptureFixture, event: str) -> None:
    async with asyncio.timeout(60):
        while event not in caplog.text:  # noqa: ASYNC110 - a log tells nobody
            await asyncio.sleep(0.01)


def texts(found: list[Finding], subject: str) -> list[tuple[Grade, str]]:
    return [(each.grade, each.text) for each in found if each.subject == subject]


async def test_check_says_that_a_bot_is_public_and_where_it_is() -> None:
    async with DiscordEmulator() as discord:
        other = discord.add_guild("Eve's \x1b]0;lair\u202e")
        found = await check_discord(discord.env)
        [(grade, text)] = texts(found, "Discord public")
        assert grade is Grade.NOTE
        assert "Switch Public Bot off" in text
        assert "THREADKEEP_WORKSPACES" in text
        [(grade, text)] = texts(found, "Discord servers")
        assert (grade, text) == (
            Grade.GOOD,
            f"in 2: Emulated (discord:{discord.guild}), "
            f"Eve's ]0;lair (discord:{other})",
        )
        limit = {served_workspaces.VARIABLE: f"discord:{discord.guild}"}
        found = await check_discord({**discord.env, **limit})
        assert texts(found, "Discord public") == []
        (grade, _), (other_grade, text) = texts(found, "Discord servers")
        assert (grade, other_grade) == (Grade.GOOD, Grade.NOTE)
        assert f"discord:{other}" in text
        discord.app.public = False
        found = await check_discord(discord.env)
        assert texts(found, "Discord public") == []


async def test_check_names_many_servers_in_pages() -> None:
    async with DiscordEmulator() as discord:
        # A page has 200.
        for number in range(200):
            discord.add_guild(f"Guild {number}")
        found = await check_discord(discord.env)
        [(_, text)] = texts(found, "Discord servers")
        assert "in 201: " in text
        assert text.endswith("and 151 more")


# On Slack.


async def test_check_says_which_slack_workspace_it_is() -> None:
    async with SlackEmulator() as slack:
        env, team = slack_env(slack), slack.world.team
        found = await check_slack(env)
        assert f"(slack:{team})" in texts(found, "Slack bot token")[0][1]
        assert texts(found, "Slack workspace") == []
        other = {**env, served_workspaces.VARIABLE: "slack:T0OTHER"}
        [(grade, text)] = texts(await check_slack(other), "Slack workspace")
        assert grade is Grade.BAD
        assert f"slack:{team}" in text


async def test_a_slack_workspace_that_is_not_served(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model, store = ScriptedModel(), MemoryStore()
    async with SlackEmulator() as slack:
        alice, general = (
            slack.add_user("Alice", admin=True),
            slack.add_channel("general"),
        )
        with caplog.at_level(logging.WARNING):
            async with running(slack, store, model, operator=only("slack:T0OTHER")):
                slack.say(alice, general, f"{slack.mention} why?")
                slack.command(alice, general, "/claude", "budget day 9999")
                await slack.until(lambda: slack.ephemerals(alice, general))
                slack.open_home(alice)
                home = await slack.until(lambda: str(slack.home(alice) or ""))
                await slack.until(lambda: not slack.socket.pending)
        told = [each.text for each in slack.ephemerals(alice, general)]
        assert [text for text in told if NOT_SERVED in text] == told != []
        assert NOT_SERVED in home
        assert await store.list_threads("slack", general) == []
        assert await store.list_settings(EVERYWHERE) == []
    assert model.requests == []
    assert caplog.text.count("slack.not_served") == 1


async def test_what_is_said_in_another_workspace_with_the_app_is_not_kept() -> None:
    model, store = ScriptedModel(), MemoryStore()
    async with (
        SlackEmulator() as slack,
        running(slack, store, model),
    ):
        alice, general = slack.add_user("Alice"), slack.add_channel("general")
        slack.say_elsewhere("T0EVE", "secret")
        ts = slack.say(alice, general, f"{slack.mention} why?")
        await slack.until(
            lambda: [s for s in slack.thread(general, ts) if s.text == "Understood."]
        )
        await slack.until(lambda: not slack.socket.pending)
        assert await store.list_threads("slack", "C0ELSE") == []
    assert len(model.requests) == 1


def test_a_shared_channel_is_ours_whoever_else_sees_it() -> None:
    us: Any = type("Us", (), {"team": "T1"})()
    ours = {"context_team_id": "T1", "authorizations": [{"team_id": "T1"}]}
    theirs = {"context_team_id": "T2", "authorizations": [{"team_id": "T2"}]}
    assert is_ours(ours, us)
    assert is_ours({}, us)
    assert is_ours({"context_team_id": None, "authorizations": []}, us)
    assert is_ours({**theirs, "authorizations": [{"team_id": "T1"}]}, us)
    assert is_ours({**theirs, "is_ext_shared_channel": True}, us)
    assert is_ours({**theirs, "context_enterprise_id": "E1"}, us)
    org = {"team_id": None, "is_enterprise_install": True}
    assert is_ours({"context_team_id": "T2", "authorizations": [org]}, us)
    assert not is_ours(theirs, us)
    assert not is_ours({"authorizations": [{"team_id": "T2"}]}, us)
    assert not is_ours({"context_team_id": "T2"}, us)
