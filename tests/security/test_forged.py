"""Forged controls, forms and values: sent by a member, a guest or the admin of another
channel, no verb has an effect beyond its place."""

import itertools
import json
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.commands.catalog import COMMANDS
from bot.domain.budget import Charge
from bot.domain.completion import Usage
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import Change, Draft
from bot.domain.triage_case import TriageCase
from bot.ui.elements import LINE_CHARS, Command
from storage.store import DatabaseStore
from tests.adapters.discord.test_admin import Town, towns
from tests.adapters.discord.test_troubles import answering
from tests.adapters.slack.conftest import Office as SlackOffice
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.interactions import Asked
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.rates import UNLIMITED
from tests.emulators.slack.socketmode import Delivery
from tests.security import forging
from tests.support.command_harness import NOON, Office
from tests.support.deep import deep_only, rounds, share
from tests.support.memory_store import MemoryStore
from tests.support.process import running
from tests.support.scripted_model import ScriptedModel
from tests.support.store_helpers import answer

SECRET = "sells-the-company"
#: What stands nowhere but in what is kept of the secret places.
# A search shows the words that it finds in bold type.
MARKS = (SECRET, "*sells*", "$777", "$45.67")

#: What each verb is given besides a place, as a forger would.
GIVEN: Mapping[str, tuple[dict[str, str], ...]] = {
    "new": ({},),
    "stop": ({},),
    "retry": ({},),
    "receipt": ({}, {"answer": "1"}, {"answer": "1.000001"}, {"answer": "x"}),
    "receipt answer": ({"turn": "TURN"}, {}),
    "summary": ({}, {"turn": "TURN"}),
    "settings": ({}, {"view": "all"}),
    "model": ({}, {"value": "claude-haiku-5-5"}),
    "budget": ({}, {"period": "day", "value": "99999"}),
    "prompt": ({},),
    "prompt show": ({},),
    "prompt set": ({}, {"file": "Mine!"}),
    "prompt history": ({},),
    "prompt diff": ({"version": "1"},),
    "prompt rollback": ({"version": "1"},),
    "prompt try": ({},),
    "usage": ({},),
    "set": (
        {"option": "quiet", "value": "on"},
        {"option": "admins", "value": "user:eve"},
        {"option": "prompt"},
        {"option": "nothing", "value": "x"},
        {},
    ),
    "audit": ({},),
    "search": ({}, {"words": SECRET}, {"words": "company", "before": "9" * 30}),
    "help": ({},),
    "triage": ({}, {"last": "5"}, {"last": "x"}),
    "triage correct": ({"of": "CASE", "priority": "low"},),
    "triage agree": ({"of": "CASE"},),
    "stop answer": ({"turn": "TURN"},),
    "retry answer": ({"turn": "TURN"},),
    "continue answer": ({"turn": "TURN"},),
    "file read": ({}, {"name": "a.pdf"}, {"turn": "TURN"}),
    "file first": ({}, {"name": "a.pdf"}),
    "file skip": ({}, {"name": "a.pdf"}),
    "file attach": ({}, {"turn": "TURN"}),
    "attach answer": ({"turn": "TURN"}, {}),
    "read answer": ({"turn": "TURN"}, {}),
    "first answer": ({"turn": "TURN"},),
    "skip answer": ({"turn": "TURN"}, {}),
    "summary answer": ({"turn": "TURN"}, {}),
    "answer again": ({"turn": "TURN", "message": "m"}, {"turn": "TURN"}, {}),
    "edit": ({"option": "prompt"}, {"option": "admins"}, {}),
    "edit section": ({"section": "instructions"}, {"section": "access"}, {}),
    "save": ({"quiet": "on", "base": "0"}, {"base": "0"}),
    "copy settings": ({"source": "SOURCE"}, {}),
    "copy save": ({"source": "SOURCE", "base": "99999"}, {"base": "0"}),
    "draft save": ({"draft": "DRAFT", "base": "0"}, {"draft": "9" * 30}, {}),
    "unknown": ({"text": "budgt day 5"}, {}),
    "undo": ({"first": "1", "last": "1"}, {"first": "2", "last": "3"}),
    "draft drop": ({"draft": "DRAFT"},),
    "draft edit": ({"draft": "DRAFT", "base": "0"},),
    "try example": ({"example": "update"}, {"example": "none"}),
    "try run": ({"prompt": "Mine!", "question": ""},),
}


def test_no_verb_is_forgotten() -> None:
    assert GIVEN.keys() == {verb.name for verb in COMMANDS}


@dataclass
class Secrets:
    """Places that are not the forger's, and what is kept of them."""

    places: tuple[Scope, ...]
    names: dict[str, str]

    async def fill(self, store: Any, owner: str, thread: Scope) -> None:
        """Let something of each kind be kept of each place, by `owner`."""
        for place in self.places:
            changes = [
                Change(place, "prompt", SECRET, versioned=True),
                Change(place, "budget_day", "777"),
                Change(place, "model", "claude-opus-5-5"),
            ]
            await store.change_settings(changes, who=owner, now=NOON)
            charge = Charge(place, owner, "answer", "claude-haiku-5-5", 45.67)
            caps = (await _office(store).policy(place)).caps
            # What a whole workspace cost its members may know: that is more than this.
            aside = replace(charge, place=replace(place, channel="apart"), most=1.0)
            for each in (charge, aside):
                number = await store.open_charge(each, caps, NOON)
                assert isinstance(number, int)
                await store.close_charge(number, Usage(output=9), each.most, NOON)
        case = await store.open_case(TriageCase(0, thread, "m", NOON, owner, SECRET))
        values = {"category": "bug", "priority": "critical", "summary": SECRET}
        await store.record_case_result(case.id, values, "")
        draft = Draft(0, thread.at(ScopeLevel.CHANNEL), "prompt", SECRET, owner, NOON)
        said = Message(thread.key, "m", NOON, owner, SECRET, addressed=True, opens=True)
        await store.receive(said, answer)
        turn = await store.next_turn(thread.key)
        assert turn is not None
        self.names = {
            "CASE": str(case.id),
            "DRAFT": str(await store.save_draft(draft)),
            "TURN": turn.key,
            "SOURCE": self.places[0].channel,
        }

    def given(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield every verb with all arguments that it accepts."""
        for verb, each in GIVEN.items():
            for arguments in each:
                named = {k: self.names.get(v, v) for k, v in arguments.items()}
                yield verb, named


def _office(store: Any) -> Office:
    return Office(store)


async def kept(store: Any, places: tuple[Scope, ...]) -> list[Any]:
    """Return all that is kept of some places."""
    found: list[Any] = []
    for place in places:
        found += await store.list_settings(place)
        found += await store.versions(place, "prompt")
        entries = await store.audit(place, 0.0, 10_000)
        found += [entry for entry in entries if entry.action != "denied"]
        found += await store.spending(0.0, place)
    return found


# The core: whatever an adapter lets through.


HERE = Scope("fake", "w", "c", "t")
ELSEWHERE_THREAD = Scope("fake", "w", "C9", "t9")
FORGED = ("channel:C9", "channel:D9", "workspace", "operator", "channel:", "nothing")


PEOPLE = {
    "member": Person("eve", "Eve"),
    "guest": Person("eve", "Eve", outsider=True),
    "manager": Person("eve", "Eve", runs_channel=True),
    "creator": Person("eve", "Eve", made_channel=True, groups=frozenset({"g"})),
}


@pytest.mark.parametrize("name", PEOPLE)
async def test_no_verb_reaches_beyond_its_place(name: str) -> None:
    person = PEOPLE[name]
    office = Office()
    secrets = Secrets((Scope("fake", "w", "C9"), Scope("fake", "w", "D9")), {})
    outside = Scope("fake", "w2", "C1")
    await secrets.fill(office.store, "olga", ELSEWHERE_THREAD)
    hidden = Secrets((outside,), {})
    await hidden.fill(office.store, "olga", Scope("fake", "w2", "C1", "t1"))
    # In the channel that they are in they are an admin, too.
    admins = Change(HERE.at(ScopeLevel.CHANNEL), "admins", "group:g")
    await office.store.change_settings([admins], who="olga", now=NOON)
    office.adapter.may["C9", "eve"] = forging.HIDDEN
    everywhere = (*secrets.places, outside, Scope("fake", "w"))
    at_first = await kept(office.store, everywhere[:-1])
    tried = itertools.product(
        (HERE, HERE.at(ScopeLevel.CHANNEL), HERE.at(ScopeLevel.WORKSPACE)),
        (None, *FORGED),
        [*secrets.given(), *hidden.given()],
    )
    # Seventeen, so that in the short form each of them still gives every verb.
    for place, where, (verb, given) in share([*tried], [*PEOPLE].index(name), 17):
        arguments = given if where is None else {**given, "where": where}
        reply = str(await office.give(verb, person, place, **arguments))
        for mark in MARKS:
            assert mark not in reply, (verb, arguments, mark)
    assert await kept(office.store, everywhere[:-1]) == at_first
    wide = await office.store.list_settings(Scope("fake", "w"))
    assert [s for s in wide if s.place.level is ScopeLevel.WORKSPACE] == []
    assert SECRET not in str(office.model.requests)
    case = await office.store.case(int(secrets.names["CASE"]))
    assert case is not None
    assert (case.corrected, case.agreed_by) == ({}, "")


#: Who may do more elsewhere tries as much as a member, and more.
WHO = ("admin-of-another", *deep_only("member"))


# Slack.


class Ring(SlackOffice):
    """Eve in #general, and #board, in which she is not."""

    eve: str
    board: str
    olga: str
    secrets: Secrets


@pytest.fixture
async def ring() -> AsyncIterator[Ring]:
    store = MemoryStore()
    async with SlackEmulator(rates=UNLIMITED) as slack:
        ring = Ring(slack, store, ScriptedModel())
        ring.olga = slack.add_user("Olga", admin=True)
        ring.eve = slack.add_user("Eve")
        ring.board = slack.add_channel("board", kind="group", members=[ring.olga])
        slack.world.channels[ring.general].members.add(ring.eve)
        board = Scope("slack", slack.team, ring.board)
        direct = Scope("slack", slack.team, slack.open_dm(ring.olga))
        ring.secrets = Secrets((board, direct), {})
        thread = Scope("slack", slack.team, ring.board, "1.000001")
        # Before anybody answers what was asked there.
        await ring.secrets.fill(store, ring.olga, thread)
        turn = await store.next_turn(thread.key)
        assert turn is not None
        await end(store, thread)
        async with running(slack, store, ring.model, grace=0.2):
            yield ring


async def end(store: DatabaseStore, thread: Scope) -> None:
    """Let what was asked in `thread` be over, so that nobody answers it."""
    await store._write(
        lambda db: db.execute("UPDATE turns SET state = 'delivered', ended = 'done'")
    )


def leaks(slack: SlackEmulator) -> list[str]:
    """Return everything that the bot sent with a secret mark in it."""
    said = [str(call.arguments) for call in slack.calls]
    said += [str(post.body) for post in slack.hooks.posts]
    said += [str(each.answer) for each in slack.deliveries]
    return [each for each in said if any(mark in each for mark in MARKS)]


async def acked(slack: SlackEmulator, sent: Delivery) -> None:
    """Wait until the bot has taken in what was sent, or never will."""
    await slack.until(lambda: sent.acked or sent.lost)


def chosen(forged: list[Any], most: int) -> list[Any]:
    """Return `forged` in no order, or as many of them as the short form plays."""
    # The seed is fixed, so that what failed once fails again.
    dice = random.Random(7)
    dice.shuffle(forged)
    return forged[:most]


@pytest.mark.parametrize("admin", [True, *deep_only(False)], ids=WHO)
async def test_on_slack_no_control_reaches_another_channel(
    ring: Ring, admin: bool
) -> None:
    slack, store = ring.slack, ring.store
    if admin:
        general = Scope("slack", slack.team, ring.general)
        named = Change(general, "admins", f"user:{ring.eve}")
        await store.change_settings([named], who=ring.olga, now=NOON)
    at_first = await kept(store, ring.secrets.places)
    board, direct = (place.channel for place in ring.secrets.places)
    wheres = (None, f"channel:{board}", f"channel:{direct}", "workspace", "operator")
    blocks = (
        f"at|{board}|1.000001|0",
        f"at|{direct}||0",
        *("at|", "at|||", "", "at|C1|2|3|4"),
    )
    places: tuple[tuple[str, str], ...] = (
        (board, "1.000001"),
        (board, ""),
        (direct, ""),
    )
    forged: list[Any] = list(
        itertools.product(ring.secrets.given(), wheres, (*blocks, *places))
    )
    for (verb, given), where, way in chosen(forged, rounds(20, len(forged))):
        arguments = given if where is None else {**given, "where": where}
        if isinstance(way, tuple):
            line = Command(verb.replace(" ", ".")).line
            words = [f"{k}={v}" for k, v in arguments.items() if k in ("where", "of")]
            metadata = [[*way], " ".join([line, *words]), False, {}]
            texts = {k: v for k, v in arguments.items() if k not in ("where", "of")}
            sent = forging.form(slack, ring.eve, metadata, texts)
        else:
            words = [f"{k}={v}" for k, v in arguments.items()]
            line = " ".join([verb.replace(" ", "."), *words])
            sent = forging.control(slack, ring.eve, ring.general, line, block=way)
        await acked(slack, sent)
    await slack.until(lambda: slack.settled)
    assert leaks(slack) == []
    assert await kept(store, ring.secrets.places) == at_first
    wide = await store.list_settings(Scope("slack", slack.team))
    assert [s for s in wide if s.place.level is ScopeLevel.WORKSPACE] == []
    # What was asked there is still read, and nothing is asked but where eve is.
    rows = await store._read(
        lambda db: db.execute("SELECT channel, reads_after FROM threads").fetchall()
    )
    assert [row[1] for row in rows if row[0] == board] == [0]
    assert {row[0] for row in rows} <= {board, ring.general}


async def test_on_slack_a_form_counts_for_the_channel_that_one_is_in(
    ring: Ring,
) -> None:
    slack = ring.slack
    before = len(slack.ephemerals(ring.eve))
    save = "save where=channel base=0"
    for channel, words in ((ring.general, "Sorry"), (ring.board, "I couldn't see you")):
        sent = forging.form(slack, ring.eve, [[channel, ""], save, False, {}], QUIET)
        await acked(slack, sent)
        assert words in forging.told(slack, ring.eve, sent, before)
    # Whoever is there may, as before.
    metadata = [[ring.board, ""], save, False, {}]
    sent = forging.form(slack, ring.olga, metadata, QUIET)
    await acked(slack, sent)
    assert "Saved for <#" in forging.told(slack, ring.olga, sent, 0)


QUIET = {"quiet": "on"}


async def test_on_slack_an_opinion_counts_only_where_the_answer_stands(
    ring: Ring,
) -> None:
    turn = ring.secrets.names["TURN"]
    sent = forging.control(
        *(ring.slack, ring.eve, ring.general, f"up:{turn}"),
        block=f"at|{ring.board}|1.000001|0",
        thread="1.000001",
        action="feedback",
    )
    await ring.slack.until(lambda: sent.acked and ring.slack.settled)
    rows = await ring.store._read(
        lambda db: db.execute("SELECT feedback FROM turns").fetchall()
    )
    assert [row[0] for row in rows] == [None]


MALFORMED: tuple[Any, ...] = (
    "",
    "null",
    "{",
    "[" * 5_000,
    json.dumps([[["C"], "t"], "settings", False, {}]),
    json.dumps([["C1"], "settings", False, {}]),
    json.dumps([["C1", "t", "x"], "settings", False, {}]),
    json.dumps([[1, 2], "settings", False, {}]),
    json.dumps([["", ""], 7, False, {}]),
    json.dumps([["", ""], "draft.save draft=" + "9" * 40, False, {}]),
    json.dumps([["", ""], "triage.agree of=" + "9" * 40, False, {}]),
    json.dumps([["", ""], "prompt.diff version=" + "9" * 40, False, {}]),
    json.dumps([["", ""], "x" * LINE_CHARS * 9, True, {}]),
)


async def test_on_slack_what_cannot_be_read_is_refused_and_ends_nothing(
    ring: Ring,
) -> None:
    slack = ring.slack
    for metadata in MALFORMED:
        sent = forging.form(slack, ring.eve, metadata, {"quiet": "on"})
        await acked(slack, sent)
        nth = MALFORMED.index(metadata)
        for block in share(("at|", "at|||", "at|x", "|", None, metadata[:200]), nth, 3):
            line = metadata[:80] or "settings"
            used = forging.control(
                slack, ring.eve, ring.general, line, block=str(block)
            )
            await acked(slack, used)
        assert leaks(slack) == [], metadata[:40]
        before = len(shown(slack, ring.eve))
        await acked(slack, slack.command(ring.eve, ring.general, "/claude", "settings"))
        assert len(shown(slack, ring.eve)) > before, metadata[:40]


def shown(slack: SlackEmulator, user: str) -> list[str]:
    """Return the settings that a person was shown so far."""
    told = [each.text for each in slack.ephemerals(user)]
    return [text for text in told if "Settings of" in text]


# Discord.


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with (
        towns(MemoryStore()) as town,
        answering(town.discord, town.claude, town.store),
    ):
        yield town


async def answered(discord: DiscordEmulator, asked: Asked) -> None:
    """Wait until the bot has answered in any way."""
    await discord.until(lambda: asked.acked)


@pytest.mark.parametrize("admin", [True, *deep_only(False)], ids=WHO)
async def test_on_discord_no_control_reaches_another_channel(
    town: Town, admin: bool
) -> None:
    discord, store = town.discord, town.store
    eve = discord.add_user("Eve")
    board = discord.add_channel("board")
    discord.set_permissions(board, user=eve, deny=["view_channel"])
    if admin:
        discord.set_permissions(town.general, user=eve, allow=["manage_channels"])
    far = discord.add_guild("Elsewhere")
    there = discord.add_channel("far", guild=far)
    direct = discord.open_dm(town.ada)
    secrets = Secrets(
        (
            Scope("discord", discord.guild, board),
            Scope("discord", far, there),
            Scope("discord", "@me", direct),
        ),
        {},
    )
    await secrets.fill(store, town.ada, Scope("discord", discord.guild, board, "77"))
    await end(store, Scope("discord", discord.guild, board, "77"))
    at_first = await kept(store, secrets.places)
    wheres = [f"channel:{each}" for each in (board, there, direct, "general")]
    here = (town.general, discord.open_dm(eve))
    forged: list[Any] = list(
        itertools.product(
            secrets.given(),
            (None, *wheres, "workspace", "operator"),
            ("do", "form", "files"),
            here,
        )
    )
    for (verb, given), where, way, place in chosen(forged, rounds(20, len(forged))):
        arguments = given if where is None else {**given, "where": where}
        words = [f"{k}={v}" for k, v in arguments.items()]
        line = " ".join([verb.replace(" ", "."), *words])[:95]
        if way == "form":
            asked = discord.forge_form(eve, place, f"form:{line}", {"quiet": "on"})
        else:
            asked = discord.forge(eve, place, f"{way}:{line}")
        await answered(discord, asked)
    await discord.until(lambda: discord.settled)
    said = [str(call.body) for call in discord.calls]
    assert [each for each in said if any(mark in each for mark in MARKS)] == []
    assert await kept(store, secrets.places) == at_first
    for workspace in (discord.guild, far, "@me"):
        wide = await store.list_settings(Scope("discord", workspace))
        assert [s for s in wide if s.place.level is ScopeLevel.WORKSPACE] == []
    assert SECRET not in str([each.body for each in town.claude.requests])


async def test_on_discord_a_question_about_a_message_needs_its_channel(
    town: Town,
) -> None:
    """A form names the message that it is about, which somebody else is just asking
    about in a channel that the forger does not see."""
    discord = town.discord
    eve = discord.add_user("Eve")
    board = discord.add_channel("board")
    discord.set_permissions(board, user=eve, deny=["view_channel"])
    secret = discord.say(town.ada, board, SECRET)
    opened = discord.message_command(town.ada, board, secret, "Ask Claude about this")
    await discord.until(lambda: opened.acked)
    asked = discord.forge_form(
        eve, town.general, f"about:{secret}", {"question": "What does it say?"}
    )
    await discord.until(lambda: asked.acked and discord.settled)
    await town.quiet()
    assert SECRET not in str([each.body for each in town.claude.requests])
    assert "can no longer read that message" in str(
        asked.response.message.text if asked.response and asked.response.message else ""
    )
