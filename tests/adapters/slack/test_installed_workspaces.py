"""Many workspaces that have installed the app are kept separate."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable

import pytest

from adapters.slack import loaded_workspaces
from adapters.slack.credentials import EARLY
from adapters.slack.installed_workspaces import InstalledWorkspaces
from bot.domain.scope import Scope
from bot.errors import DeliveryError
from tests.emulators.slack import rates
from tests.emulators.slack.calls import Call
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.faults import ALWAYS, error, hold, status, throttle
from tests.support.deep import rounds
from tests.support.memory_store import MemoryStore
from tests.support.scripted_model import ScriptedModel
from tests.support.slack_house import Browser, House, house


class Team:
    """Somebody in a channel of a workspace."""

    def __init__(self, slack: SlackEmulator) -> None:
        self.slack = slack
        self.person = slack.add_user("Pat")
        self.channel = slack.add_channel("general")

    def ask(self, text: str = "hello") -> str:
        said = f"{self.slack.mention} {text}"
        return self.slack.say(self.person, self.channel, said)

    async def commands(self, text: str) -> None:
        """Give a command, as an admin, and wait until it is acknowledged."""
        self.slack.world.users[self.person].admin = True
        given = self.slack.command(self.person, self.channel, "/claude", text)
        await self.slack.until(lambda: given.acked)

    def shown_more_than(self, count: int) -> Callable[[], bool]:
        """Return a condition: the person got more than `count` ephemeral messages."""
        return lambda: len(self.slack.ephemerals(self.person)) > count

    def answer(self, ts: str) -> str:
        """Return the current text of the bot's first message below a message."""
        seen = self.slack.thread(self.channel, ts)
        return next((each.text for each in seen if each.bot), "")

    def calls_about(self, ts: str) -> list[Call]:
        """Return the calls that name one message."""
        return [each for each in self.slack.calls if ts in str(each.arguments)]

    async def answered(self, ts: str, text: str = "Understood.") -> None:
        await self.slack.until(lambda: self.answer(ts) == text)


@pytest.fixture
async def slack() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator(rates=rates.UNLIMITED, ack_timeout=60) as slack:
        slack.uninstall()
        yield slack


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
async def here(
    slack: SlackEmulator, store: MemoryStore, model: ScriptedModel
) -> AsyncIterator[House]:
    async with house(slack, store, model) as here:
        yield here


async def test_a_question_in_each_workspace_is_answered_there_after_a_restart_too(
    slack: SlackEmulator, store: MemoryStore, model: ScriptedModel
) -> None:
    async with house(slack, store, model) as here:
        acme, globex = Team(await here.team("Acme")), Team(await here.team("Globex"))
        first, second = acme.ask(), globex.ask()
        await acme.answered(first)
        await globex.answered(second)
    async with house(slack, store, model):
        await acme.answered(acme.ask())
    for each in (acme, globex):
        tokens = {call.token for call in each.slack.calls if call.token}
        assert tokens == {each.slack.bot_token}


async def test_commands_and_buttons_are_carried_out_where_they_were_given(
    here: House, slack: SlackEmulator
) -> None:
    org = slack.add_org("Initech")
    north = Team(slack.add_team("North", org=org))
    assert (await Browser(here).install(org))[0] == 200
    acme = Team(await here.team("Acme"))
    for each, model in ((acme, "opus"), (north, "haiku")):
        await each.commands(f"model {model}")
        ts = each.ask()
        await each.answered(ts)
        await here.idle()
        answer = each.slack.thread(each.channel, ts)[-1]
        before = len(each.slack.ephemerals(each.person))
        each.slack.press(each.person, each.channel, answer.ts, "Receipt")
        await each.slack.until(each.shown_more_than(before))
    found = await here.store.list_settings(Scope("slack"))
    assert {(e.place.workspace, e.place.channel, e.value) for e in found} == {
        (acme.slack.team, acme.channel, "claude-opus-5-5"),
        (north.slack.team, north.channel, "claude-haiku-5-5"),
    }


async def test_a_revoked_token_touches_nobody_else(
    here: House, slack: SlackEmulator
) -> None:
    """Found at a call; the event about it may never come."""
    acme, globex = Team(await here.team("Acme")), Team(await here.team("Globex"))
    acme.slack.api.refuse("token_revoked")
    lost = acme.ask()
    await here.until(lambda: not here.app.platforms.serves(here.scope(acme.slack)))
    # Slack is asked once more, and then nothing any more.
    await here.ended(acme.slack)
    await here.idle()
    again = acme.ask("again")
    await globex.answered(globex.ask())
    await slack.until(lambda: slack.settled)
    assert acme.calls_about(again) == []
    assert acme.answer(lost) == ""
    # Installed again, it answers what waited, too.
    await Browser(here).install(acme.slack)
    await acme.answered(lost)
    await acme.answered(acme.ask("and now?"))


async def test_a_token_that_is_accepted_again_ends_nothing(
    here: House, slack: SlackEmulator
) -> None:
    acme = Team(await here.team("Acme"))
    acme.slack.faults.add("chat.postMessage", error("invalid_auth"))
    await acme.answered(acme.ask())
    assert acme.slack.calls_of("auth.test")[-1].outcome == "ok"
    (row,) = await here.store.installations("slack")
    assert row.ended_at is None


async def test_a_rate_limit_in_one_workspace_delays_nobody_else(
    slack: SlackEmulator, store: MemoryStore, model: ScriptedModel
) -> None:
    async with house(slack, store, model, grace=0.0) as here:
        acme, globex = Team(await here.team("Acme")), Team(await here.team("Globex"))
        limited = acme.slack.faults.add("*", throttle(3600), times=ALWAYS)
        first = acme.ask()
        await slack.until(lambda: limited.struck)
        for number in range(3):
            await globex.answered(globex.ask(f"{number}"))
        assert acme.answer(first) == ""


async def test_a_scope_that_one_workspace_lacks_is_reported_with_its_name(
    here: House, caplog: pytest.LogCaptureFixture
) -> None:
    acme, globex = Team(await here.team("Acme")), Team(await here.team("Globex"))
    acme.slack.granted.discard("users:read")
    await acme.answered(acme.ask())
    await globex.answered(globex.ask())
    place = f"the Slack app lacks users:read in Acme (slack:{acme.slack.team})"
    await here.until(lambda: place in caplog.text)
    assert "in Globex" not in caplog.text


async def test_removing_the_app_ends_its_answers_and_its_calls(
    here: House, slack: SlackEmulator, model: ScriptedModel
) -> None:
    acme, globex = Team(await here.team("Acme")), Team(await here.team("Globex"))
    await here.backdate(acme.slack)
    ends = asyncio.Event()
    for _ in range(2):
        model.script("It begins. ", ends, "It ends.")
    mine = acme.ask()
    await slack.until(lambda: acme.answer(mine))
    other = globex.ask()
    await slack.until(lambda: globex.answer(other))
    acme.slack.uninstall()
    await here.until(lambda: not here.app.platforms.serves(here.scope(acme.slack)))
    calls = len(acme.slack.calls)
    ends.set()
    await globex.answered(other, "It begins. It ends.")
    await here.ended(acme.slack)
    assert len(acme.slack.calls) == calls
    assert len(model.hung_up) == 1
    # The tokens are gone from the store, too.
    found = await here.store.installation_of("slack", acme.slack.team)
    assert found is not None
    assert found.tokens.access == found.tokens.refresh == ""
    # Installing again brings back its threads, and what was interrupted goes on.
    model.script("It begins again.")
    await Browser(here).install(acme.slack)
    await acme.answered(mine, "It begins again.")


async def test_an_end_told_late_and_a_persons_revoked_token_end_no_installation(
    here: House,
) -> None:
    acme = Team(await here.team("Acme"))
    acme.slack.emit("app_uninstalled")
    acme.slack.emit("tokens_revoked", tokens={"bot": [acme.slack.bot_user]})
    await acme.answered(acme.ask())
    (row,) = await here.store.installations("slack")
    assert row.ended_at is None
    await here.backdate(acme.slack)
    acme.slack.emit("tokens_revoked", tokens={"oauth": [acme.person], "bot": []})
    await acme.answered(acme.ask())
    (row,) = await here.store.installations("slack")
    assert row.ended_at is None


async def test_events_of_a_workspace_that_never_installed_are_named_once(
    here: House, slack: SlackEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    acme = Team(await here.team("Acme"))
    slack.installed = True
    for _ in range(3):
        slack.say_elsewhere("T0NOWHERE", "hello")
    await acme.answered(acme.ask())
    await slack.until(lambda: slack.settled)
    assert not any(each.lost for each in slack.deliveries)
    said = "The app is not installed in slack:T0NOWHERE: install it there."
    assert caplog.text.count(said) == 1


async def test_an_operator_whom_nobody_knows_is_told_from_a_slack_that_is_away(
    here: House, slack: SlackEmulator
) -> None:
    acme = Team(await here.team("Acme"))
    with pytest.raises(DeliveryError, match="no workspace that installed the app"):
        await here.adapter.tell("", "U404", "hello")
    acme.slack.faults.add("users.info", status(500), times=ALWAYS)
    with pytest.raises(DeliveryError, match="cannot be asked now"):
        await here.adapter.tell("", acme.person, "hello")


async def test_an_organisation_is_installed_once_for_all_its_workspaces(
    here: House, slack: SlackEmulator
) -> None:
    org = slack.add_org("Initech")
    north, south = (Team(slack.add_team(n, org=org)) for n in ("North", "South"))
    status, page = await Browser(here).install(org)
    assert status == 200
    assert "Initech can use Threadkeep now." in page
    for each in (north, south):
        await each.answered(each.ask())
    # Lists are asked for by workspace, which the token alone does not name.
    await here.adapter.directory.person(here.scope(south.slack), south.person)
    lists = south.slack.calls_of("usergroups.list")
    assert {call.text("team_id") for call in lists} == {south.slack.team}
    assert {call.outcome for call in lists} == {"ok"}
    # It ends as one.
    await here.backdate(north.slack)
    south.slack.uninstall()
    await here.ended(south.slack)
    await here.idle()
    asked = north.ask("still there?")
    await slack.until(lambda: slack.settled)
    assert north.answer(asked) == ""
    assert north.calls_about(asked) == []


async def test_another_process_learns_what_changed(
    here: House, slack: SlackEmulator, store: MemoryStore, model: ScriptedModel
) -> None:
    acme = Team(await here.team("Acme"))
    async with house(slack, store, model, listens=False) as other:
        await other.look()
        assert other.app.platforms.serves(other.scope(acme.slack))
        await here.backdate(acme.slack)
        acme.slack.uninstall()
        await here.ended(acme.slack)
        await other.look()
        assert not other.app.platforms.serves(other.scope(acme.slack))
        await Browser(here).install(acme.slack)
        await other.look()
        assert other.app.platforms.serves(other.scope(acme.slack))


async def test_a_lost_key_is_named_with_its_workspaces_and_the_others_go_on(
    slack: SlackEmulator,
    store: MemoryStore,
    model: ScriptedModel,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with house(slack, store, model, keys=(b"o" * 32,)) as here:
        acme = Team(await here.team("Acme"))
    async with house(slack, store, model) as here:
        globex = Team(await here.team("Globex"))
        asked = acme.ask()
        await globex.answered(globex.ask())
        named = f"opens the tokens of Acme (slack:{acme.slack.team}): add the key"
        await here.until(lambda: named in caplog.text)
        assert "Globex" not in caplog.text
        # Who installs it again is answered.
        await Browser(here).install(acme.slack)
        await acme.answered(acme.ask("and now?"))
        assert acme.answer(asked) == ""


async def test_tokens_are_renewed_once_among_processes(
    slack: SlackEmulator, store: MemoryStore, model: ScriptedModel
) -> None:
    slack.oauth.rotates = True
    # It is due at once.
    slack.oauth.valid = int(EARLY) - 60
    async with house(slack, store, model) as here:
        acme = Team(await here.team("Acme"))
        async with house(slack, store, model, listens=False) as other:
            clients = [
                (await each.adapter._workspaces.get(acme.slack.team)).client
                for each in (here, other)
            ]
            slack.oauth.valid = 43_200
            # Both call at once, several times.
            who = {"user": acme.person}
            await asyncio.gather(
                *(each.call("users.info", **who) for each in clients * 3)
            )
            await acme.answered(acme.ask())
            assert len(slack.oauth.spent) == 1
            for each in clients:
                await each.call("users.info", **who)
        (row,) = await store.installations("slack")
        assert row.tokens.expires_at is not None
        assert row.tokens.expires_at > time.time() + EARLY


async def test_a_token_that_cannot_be_renewed_now_is_used_as_long_as_it_is_good(
    slack: SlackEmulator, store: MemoryStore, model: ScriptedModel
) -> None:
    slack.oauth.rotates, slack.oauth.valid = True, 60
    async with house(slack, store, model) as here:
        acme = Team(await here.team("Acme"))
        slack.faults.add("oauth.v2.access", status(503), times=ALWAYS)
        await acme.answered(acme.ask())
        assert slack.oauth.spent == []


async def test_no_token_is_in_the_log_or_the_database(
    slack: SlackEmulator,
    store: MemoryStore,
    model: ScriptedModel,
    caplog: pytest.LogCaptureFixture,
) -> None:
    slack.oauth.rotates, slack.oauth.valid = True, int(EARLY) - 60
    # At the levels of `bot.runtime.logs`.
    caplog.set_level(logging.DEBUG)
    for library in ("slack_sdk", "slack_bolt"):
        caplog.set_level(logging.WARNING, library)
    async with house(slack, store, model) as here:
        acme = Team(await here.team("Acme"))
        asked = acme.ask()
        # Whatever comes of it: with each look, the token of calls under way ends.
        await slack.until(lambda: acme.answer(asked))
    rows = "\n".join(store.db.conn.iterdump())
    assert slack.oauth.spent
    for text in (caplog.text, rows):
        for secret in ("xoxe", "xoxb", "emulated-code", slack.oauth.client_secret):
            assert secret not in text, secret


async def test_many_workspaces_ask_at_once_and_all_are_answered(
    here: House, slack: SlackEmulator, model: ScriptedModel
) -> None:
    """One whose Slack does not respond keeps no other waiting."""
    teams = [Team(await here.team(f"Team {n}")) for n in range(rounds(4, 500))]
    slow = teams[0]
    held = asyncio.Event()
    slow.slack.faults.add("*", hold(held), times=ALWAYS)
    asked = [(team, team.ask()) for team in teams]
    for team, ts in asked[1:]:
        await team.answered(ts)
    assert slow.answer(asked[0][1]) == ""
    held.set()
    await slow.answered(asked[0][1])


async def test_a_workspace_that_hangs_leaves_places_to_the_others(
    slack: SlackEmulator, store: MemoryStore, model: ScriptedModel
) -> None:
    async with house(slack, store, model, at_once=8) as here:
        acme, globex = Team(await here.team("Acme")), Team(await here.team("Globex"))
        held = asyncio.Event()
        posts = acme.slack.faults.add("chat.postMessage", hold(held), times=ALWAYS)
        asked = [acme.ask(f"{number}") for number in range(9)]
        await slack.until(lambda: posts.struck == 2)
        for number in range(3):
            await globex.answered(globex.ask(f"{number}"))
        assert posts.struck == 2
        held.set()
        for ts in asked:
            await acme.answered(ts)


async def test_workspaces_that_were_not_used_for_long_are_forgotten(
    here: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaded_workspaces, "MOST_REMEMBERED", 2)
    monkeypatch.setattr(loaded_workspaces, "COUNTED", 1)
    teams = [Team(await here.team(name)) for name in ("Acme", "Globex", "Initech")]
    for _ in range(2):
        for team in teams:
            await team.answered(team.ask())
    workspaces = here.adapter._workspaces
    assert isinstance(workspaces, InstalledWorkspaces)
    assert list(workspaces._loaded) == [teams[-1].slack.team]
