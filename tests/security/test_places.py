"""Nothing has an effect beyond its place: options that name a channel, reads of other
channels, direct messages, guests, rights to a server, drafts, and fresh starts."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Mapping

import pytest

from bot.app import App
from bot.budgets import summary
from bot.commands.visibility import DIRECT, UNSEEN
from bot.domain.budget import Budget, BudgetExceeded, Charge, Period
from bot.domain.channel_access import NOWHERE, ChannelAccess
from bot.domain.completion import Usage
from bot.domain.person import Person
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import OPERATOR, Change, Draft
from bot.messages.commands import (
    NOT_TO_ASK,
    NOT_WHILE_OTHERS_WAIT,
    NOT_YOURS_TO_RENEW,
    NOTHING_HERE,
    RENEWED,
)
from bot.messages.settings import (
    ELSEWHERE,
    NO_SUCH_CHANNEL,
    NOT_FOR_OUTSIDERS,
    closed_to_us,
    closed_to_you,
)
from bot.settings.options import OPTIONS
from bot.text import references
from bot.ui.elements import Command, CommandResult, Response
from tests.adapters.discord.test_admin import Town, towns
from tests.adapters.discord.test_troubles import answering
from tests.adapters.slack.test_admin import Admins
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.rates import UNLIMITED
from tests.support.command_harness import (
    CHANNEL,
    GUEST,
    MANAGER,
    MEMBER,
    NOON,
    OWNER,
    THREAD,
    WORKSPACE,
    Office,
)
from tests.support.discord_harness import Office as Clerks
from tests.support.discord_harness import attended
from tests.support.memory_store import MemoryStore
from tests.support.process import running
from tests.support.scripted_model import ScriptedModel
from tests.support.triage_requests import sorted_as
from tests.unit.conversation.test_responder import HERE
from tests.unit.conversation.test_responder import Desk as Answering
from tests.unit.triage.chat.test_auto import Desk as Sorting
from tests.unit.triage.chat.test_commands import heard, put

READS_ONLY = ChannelAccess(exists=True, reads=True)
UNHEARD = ChannelAccess(exists=True, reads=True, writes=True)
OTHER = Scope("fake", "w", "C9")
SECRET = "the board sells the company"


async def spend(
    office: Office, place: Scope, usd: float = 1.0, who: str = "eve"
) -> None:
    """Let somebody have spent something at a place."""
    charge = Charge(place, who, "answer", "claude-haiku-5-5", usd)
    number = await office.store.open_charge(charge, (await office.policy()).caps, NOON)
    assert isinstance(number, int)
    await office.store.close_charge(number, Usage(output=9), usd, NOON)


async def give(
    office: Office,
    verb: str,
    person: Person,
    given: Mapping[str, str],
    place: Scope = CHANNEL,
) -> CommandResult:
    """Run a command with arguments by name for `person`; return the result."""
    return await office.desk.run(Command(verb, given), place, person)


# 1. What names a channel, when it is set.


@pytest.mark.parametrize("person", [OWNER, MANAGER])
@pytest.mark.parametrize(
    ("access", "words"),
    [
        (NOWHERE, NO_SUCH_CHANNEL),
        (ChannelAccess(exists=True), NO_SUCH_CHANNEL),
        (ChannelAccess(exists=True, writes=True, bot_writes=True), NO_SUCH_CHANNEL),
        (READS_ONLY, closed_to_you(channel="C9")),
        (UNHEARD, closed_to_us(channel="C9")),
    ],
)
async def test_a_channel_that_one_may_not_write_in_is_not_set(
    person: Person, access: ChannelAccess, words: str
) -> None:
    office = Office()
    office.adapter.may["C9", person.id] = access
    for given in (
        await office.give("set", person, option="triage_announce", value="channel:C9"),
        await office.give("save", person, triage_announce="channel:C9", base="0"),
    ):
        assert isinstance(given, Response)
        assert references.plain_text(given.text).startswith(words)
    assert (await office.policy())["triage_announce"] == ""


async def test_a_name_is_answered_with_how_to_name_a_channel() -> None:
    for text in (
        "general",
        "#general",
        "the board",
        "channel:",
        "channel:a b",
        "12",
        "😀",
    ):
        office = Office()
        naming = office.adapter.limits.naming
        told = await office.give("set", option="triage_announce", value=text)
        assert isinstance(told, Response), text
        assert told.text.endswith(naming), text
        assert "C0123ABC" not in told.text, text
        assert await office.audit() == [], text


@pytest.mark.parametrize(
    "text",
    [
        "channel:C0123ABC",
        "#channel:C0123ABC",
        "C0123ABC",
        "https://acme.slack.com/archives/C0123ABC",
    ],
)
async def test_a_channel_may_be_named_by_its_id_or_address(text: str) -> None:
    office = Office()
    await office.give("set", MANAGER, option="triage_announce", value=text)
    assert (await office.policy())["triage_announce"] == "channel:C0123ABC"


async def test_every_option_that_names_a_channel_is_looked_at() -> None:
    assert {o.name for o in OPTIONS if o.names_channel} == {"triage_announce"}
    # Whatever reads as a channel has to say that it does.
    assert [o.name for o in OPTIONS if "channel" in o.read.__name__] == [
        "triage_announce"
    ]


async def test_a_draft_and_a_clash_do_not_go_around_it() -> None:
    office = Office()
    office.adapter.may["C9", "mo"] = NOWHERE
    draft = Draft(0, CHANNEL, "triage_announce", "channel:C9", "mo", NOON)
    number = str(await office.store.save_draft(draft))
    told = await office.give("draft save", MANAGER, draft=number, base="0")
    assert isinstance(told, Response)
    assert told.text.startswith(NO_SUCH_CHANNEL)
    assert (await office.policy())["triage_announce"] == ""


async def test_where_it_cannot_be_found_out_nothing_is_set() -> None:
    office = Office()
    office.adapter.unknown.add("mo")
    told = await office.type("set triage_announce channel:C9", MANAGER)
    assert "couldn't check your permissions" in told
    assert await office.audit() == []


# 2. The same when it is used.


@pytest.fixture
async def sorting() -> Sorting:
    desk = Sorting()
    await put(desk.office, "auto_triage", "on")
    await put(desk.office, "triage_announce", "channel:C9")
    return desk


async def break_things(desk: Sorting, *messages: str) -> None:
    for _ in messages:
        desk.office.model.script(sorted_as(priority="critical"))
    await desk.hear(*(heard("It broke", each) for each in messages))


@pytest.mark.parametrize(
    "access", [NOWHERE, ChannelAccess(exists=True), READS_ONLY, UNHEARD]
)
async def test_nothing_is_announced_where_its_author_could_not_say_it(
    sorting: Sorting, access: ChannelAccess
) -> None:
    adapter = sorting.office.adapter
    adapter.may["C9", "olga"] = access
    async with sorting.open() as auto:
        for each in ("m1", "m2", "m3"):
            sorting.office.model.script(sorted_as(priority="critical"))
            await auto.receive(heard("It broke", each))
    assert sorting.posts == []
    # The messages have their signs all the same, and nothing is left to be done.
    assert list(sorting.marks) == ["m1", "m2", "m3"]
    assert await sorting.office.store.waiting_cases(["fake"], 9) == []
    [(who, text)] = adapter.told
    assert who == "olga"
    assert "I can no longer post urgent messages" in text


async def test_it_is_announced_again_once_that_holds_again(sorting: Sorting) -> None:
    adapter = sorting.office.adapter
    adapter.may["C9", "olga"] = READS_ONLY
    await break_things(sorting, "m1")
    assert sorting.posts == []
    del adapter.may["C9", "olga"]
    await break_things(sorting, "m2")
    [(place, _)] = sorting.posts
    assert place == OTHER


async def test_what_is_not_known_now_is_tried_again(sorting: Sorting) -> None:
    adapter = sorting.office.adapter
    adapter.unknown.add("olga")
    await break_things(sorting, "m1")
    assert sorting.posts == []
    assert adapter.told == []
    assert sorting.waits == [2.0, 10.0, 60.0, 300.0]


async def test_what_the_operator_imported_needs_the_channel_and_the_bot() -> None:
    desk = Sorting()
    await put(desk.office, "auto_triage", "on")
    change = Change(CHANNEL, "triage_announce", "channel:C9")
    await desk.office.store.change_settings([change], who=OPERATOR, now=NOON)
    desk.office.adapter.may["C9", ""] = ChannelAccess(exists=True, bot_writes=True)
    await break_things(desk, "m1")
    assert [place for place, _ in desk.posts] == [OTHER]
    desk.office.adapter.may["C9", ""] = NOWHERE
    await break_things(desk, "m2")
    assert len(desk.posts) == 1
    assert desk.office.adapter.told == []


# 3. What is read of another channel.

#: Verbs that show something of a place, with what they need besides.
READING: dict[str, dict[str, str]] = {
    "settings": {},
    "prompt": {},
    "prompt show": {},
    "prompt history": {},
    "prompt diff": {"version": "1"},
    "model": {},
    "budget": {},
    "usage": {},
    "audit": {},
    "edit": {"option": "prompt"},
    "prompt set": {},
    "prompt try": {},
}


async def secretive() -> Office:
    """Return an office with a private channel of which only Eve is."""
    office = Office()
    change = Change(OTHER, "prompt", SECRET, versioned=True)
    await office.store.change_settings([change], who="eve", now=NOON)
    named = [
        Change(OTHER, "admins", "user:eve"),
        Change(OTHER, "budget_day", "777"),
        Change(OTHER, "model", "claude-opus-5-5"),
    ]
    await office.store.change_settings(named, who="eve", now=NOON)
    await spend(office, OTHER, 4.5678)
    office.adapter.may["C9", ""] = ChannelAccess(exists=True, bot_writes=True)
    office.adapter.may["C9", "eve"] = ChannelAccess(
        exists=True, reads=True, writes=True, bot_writes=True
    )
    return office


def is_told_nothing(reply: object) -> None:
    shown = str(reply)
    assert SECRET not in shown
    for each in ("$777", "opus-5-5", "4.56", "4.57", "user:eve"):
        assert each not in shown, each


STRANGERS = (MEMBER, MANAGER, GUEST, Person("cora", "Cora"))


@pytest.mark.parametrize("verb", READING)
async def test_another_channel_is_shown_to_those_alone_who_are_in_it(verb: str) -> None:
    office = await secretive()
    named = Change(CHANNEL, "admins", "user:cora")
    await office.store.change_settings([named], who="olga", now=NOON)
    # A channel that is not there is answered in the same words.
    office.adapter.may["C7", ""] = NOWHERE
    for person in STRANGERS:
        reply = await give(
            office, verb, person, {"where": "channel:C9", **READING[verb]}
        )
        is_told_nothing(reply)
        assert isinstance(reply, Response), person
        assert reply.text in (ELSEWHERE, NOT_FOR_OUTSIDERS), person
        assert (await office.audit())[-1].action == "denied", person
        nowhere = await give(
            office, verb, person, {"where": "channel:C7", **READING[verb]}
        )
        assert nowhere == reply, person


async def test_who_runs_the_workspace_and_who_is_in_it_may() -> None:
    office = await secretive()
    office.adapter.people["eve"] = eve = Person("eve", "Eve")
    for verb, person in itertools.product(READING, (OWNER, eve)):
        reply = await give(
            office, verb, person, {"where": "channel:C9", **READING[verb]}
        )
        assert reply not in (Response(ELSEWHERE), Response(NOT_FOR_OUTSIDERS)), verb
    office.adapter.may["C9", "eve"] = ChannelAccess(exists=True)
    for verb in READING:
        # Named or not: who was put out of a private channel is out.
        reply = await give(office, verb, eve, {"where": "channel:C9", **READING[verb]})
        assert reply == Response(ELSEWHERE), verb


async def test_no_word_leads_out_of_the_workspace() -> None:
    office = await secretive()
    await spend(office, Scope("fake", "other", "C1"), 98.7654)
    words = ("operator", "", "channel:", "server", "C9", "x" * 80)
    for verb, where in itertools.product(READING, words):
        reply = await give(office, verb, MEMBER, {"where": where, **READING[verb]})
        is_told_nothing(reply)
        assert "98.7" not in str(reply), (verb, where)


async def test_a_list_names_no_channel_that_one_does_not_see() -> None:
    office = await secretive()
    await put(office, "triage_announce", "channel:C9")
    told = await office.give("settings", MEMBER)
    assert isinstance(told, Response)
    assert UNSEEN in told.whole
    assert "C9" not in told.whole
    assert "channel:C9" in str(await office.give("settings", Person("eve")))
    # The cost of each channel is for those who administer the workspace.
    assert "C9" not in str(await office.give("usage", MEMBER, where="workspace"))
    assert "channel:C9" in str(await office.give("usage", where="workspace"))


# 4. Direct messages.


async def test_direct_messages_are_nobody_elses_not_even_an_admins() -> None:
    office = Office()
    direct = Scope("fake", "w", "D1", "D1")
    await office.store.change_settings(
        [Change(direct.at(ScopeLevel.CHANNEL), "prompt", SECRET, versioned=True)],
        who="eve",
        now=NOON,
    )
    await spend(office, direct, 4.5678)
    assert "D1" not in str(await office.give("audit", where="workspace"))
    for person in (OWNER, MANAGER, MEMBER, GUEST, Person("root")):
        for verb, more in READING.items():
            reply = await give(office, verb, person, {"where": "channel:D1", **more})
            is_told_nothing(reply)
    everything = str(await office.give("usage", where="workspace"))
    assert "D1" not in everything
    assert f"**{DIRECT}**" in everything
    page = str(await office.home.page(WORKSPACE, OWNER))
    assert "D1" not in page
    assert SECRET not in page
    # Whose they are sees them, from anywhere.
    office.adapter.may["D1", "eve"] = ChannelAccess(True, True, True, True)
    assert SECRET in str(
        await office.give("prompt show", Person("eve"), where="channel:D1")
    )
    assert "4.57" in str(await office.give("usage", Person("eve"), place=direct))


def test_a_budget_of_a_whole_workspace_does_not_tell_what_others_spent() -> None:
    for place, words in ((WORKSPACE, "($5.00)"), (CHANNEL, "($4.57 of $5.00)")):
        short = BudgetExceeded(budget=Budget(place, Period.DAY, 5.0), spent=4.5678)
        assert words in summary.shortfall(short, NOON, {})


# 5. Guests and people of other organisations.


async def test_a_guest_sees_what_applies_and_what_it_cost_and_nothing_else() -> None:
    office = Office()
    changes = [
        Change(CHANNEL, "prompt", SECRET, versioned=True),
        Change(WORKSPACE, "budget_day", "500"),
        Change(CHANNEL, "triage_announce", "channel:C9"),
    ]
    await office.store.change_settings(changes, who="olga", now=NOON)
    await spend(office, OTHER, 321.0)
    await spend(office, CHANNEL, 1.25, who="gus")
    office.adapter.may["C9", "gus"] = ChannelAccess(exists=True)
    words = ("", "channel", "workspace", "channel:C9")
    for verb, where in itertools.product(READING, words):
        given = {"where": where} if where else {}
        reply = str(await give(office, verb, GUEST, {**given, **READING[verb]}))
        assert SECRET not in reply, (verb, where)
        assert "C9" not in reply, (verb, where)
        assert "$321" not in reply, (verb, where)
    for verb, shown in (("settings", "Model"), ("usage", "$1.25")):
        own = str(await give(office, verb, GUEST, READING[verb]))
        assert shown in own, verb
    page = str(await office.home.page(WORKSPACE, GUEST))
    assert SECRET not in page
    assert "$321" not in page


# 6. Drafts.


async def test_a_draft_needs_the_right_where_it_was_written() -> None:
    """The line of a control from one channel, given in another, changes nothing."""
    office = Office()
    there = Scope("fake", "w", "B")
    draft = Draft(0, CHANNEL, "prompt", "Mine!", "mo", NOON)
    number = str(await office.store.save_draft(draft))
    # In B they run the channel, in the draft's they do not (any more).
    for verb in ("draft save", "draft edit"):
        reply = await office.give(verb, MANAGER, there, draft=number, base="0")
        assert isinstance(reply, Response)
        assert reply.text.startswith("Sorry")
    assert await office.prompt() != "Mine!"
    office.adapter.people["mo"] = MANAGER
    saved = await office.give("draft save", MANAGER, there, draft=number, base="0")
    assert isinstance(saved, Response)
    assert saved.text.startswith(f"Saved for {references.channel(CHANNEL.channel)}")
    assert await office.prompt() == "Mine!"
    assert await office.prompt(there) != "Mine!"


@pytest.mark.parametrize(
    "elsewhere",
    [
        Scope("fake", "w2"),
        Scope("fake", "w2", "c"),
        Scope("fake", "w2", "c", "t"),
        Scope("fake", "w", "c", "t2"),
        Scope(),
    ],
)
@pytest.mark.parametrize("verb", ["draft save", "draft edit"])
async def test_a_draft_of_another_workspace_or_thread_is_out_of_reach(
    verb: str, elsewhere: Scope
) -> None:
    office = Office()
    office.adapter.people["olga"] = OWNER
    draft = Draft(0, elsewhere, "prompt", "Mine!", "olga", NOON)
    number = str(await office.store.save_draft(draft))
    for here in (CHANNEL, WORKSPACE, THREAD):
        reply = await office.give(verb, OWNER, here, draft=number, base="0")
        assert isinstance(reply, Response)
    assert await office.store.list_settings(Scope()) == []


async def test_a_draft_that_is_written_on_elsewhere_is_saved_where_it_belongs() -> None:
    office = Office()
    office.adapter.people["mo"] = MANAGER
    draft = Draft(0, CHANNEL, "prompt", "Mine!", "mo", NOON)
    number = str(await office.store.save_draft(draft))
    there = Scope("fake", "w", "B")
    form = await office.form("draft edit", MANAGER, there, draft=number, base="0")
    told = await office.send(form, {"prompt": "Mine, written on."}, MANAGER, there)
    assert "Saved" in told.text
    assert await office.prompt() == "Mine, written on."
    assert await office.prompt(there) != "Mine, written on."


# 7. Cases.


async def test_a_case_of_a_private_thread_is_not_shown_outside_it() -> None:
    office = Office()
    office.model.script(sorted_as(summary=SECRET))
    shown = await office.desk.triage(heard("It broke", "t9"), MEMBER)
    [menu] = [m for m in shown.menus if m.argument == "priority"]
    forged = menu.command.having({"priority": "low"})
    hidden = ChannelAccess(exists=True)
    office.adapter.may[CHANNEL.channel, "max"] = hidden
    for place in (CHANNEL, THREAD, OTHER):
        reply = await office.desk.run(forged, place, MEMBER)
        is_told_nothing(reply)
    del office.adapter.may[CHANNEL.channel, "max"]
    assert SECRET in str(await office.desk.run(forged, CHANNEL, MEMBER))


# 8. Starting overs.


ALICE, BOB = Person("alice", "Alice"), Person("bob", "Bob")
OLGA = Person("olga", "Olga", runs_workspace=True)


async def begin_afresh(app: App, person: Person) -> str:
    told = await app.host.commands.run(Command("new"), Scope.of(HERE), person)
    assert isinstance(told, Response)
    return told.text


async def asked(desk: Answering, text: str, author: str = "alice") -> str:
    """Let `author` ask, and wait for the answer; return what Claude read."""
    before = desk.adapter.closed
    await desk.adapter.receive(desk.said(text, author=author))
    await desk.closed(before + 1)
    return str(desk.model.requests[-1].messages)


async def test_a_thread_is_begun_afresh_by_who_alone_asked_in_it() -> None:
    desk = Answering()
    async with desk.open() as app:
        assert await begin_afresh(app, ALICE) == NOTHING_HERE
        for alice in (ALICE, Person("alice", outsider=True)):
            await asked(desk, "about cats")
            assert await begin_afresh(app, BOB) == NOT_YOURS_TO_RENEW
            assert "cats" in await asked(desk, "which ones?")
            assert await begin_afresh(app, alice) == RENEWED
            assert "cats" not in await asked(desk, "about dogs")


async def test_a_shared_thread_is_begun_afresh_by_nobody_from_outside() -> None:
    desk = Answering()
    async with desk.open() as app:
        for person in (ALICE, BOB, OLGA):
            await asked(desk, "about cats")
            await asked(desk, "about mice", "bob")
            for outsider in (
                Person("alice", outsider=True),
                Person("gus", outsider=True),
                Person("gus", outsider=True, runs_workspace=True),
            ):
                assert await begin_afresh(app, outsider) == NOT_YOURS_TO_RENEW
            assert "cats" in await asked(desk, "which ones?")
            assert await begin_afresh(app, person) == RENEWED
            assert "cats" not in await asked(desk, "about dogs")


async def test_it_stops_no_answer_of_somebody_else() -> None:
    desk, gate = Answering(), asyncio.Event()
    desk.model.script("One.")
    desk.model.script("Two, ", gate, "three.")
    async with desk.open() as app:
        await desk.adapter.receive(desk.said("mine", author="bob"))
        await desk.closed(1)
        await desk.ask("count")
        await desk.adapter.until(lambda: "Two, " in desk.adapter.texts(HERE))
        assert await begin_afresh(app, BOB) == NOT_WHILE_OTHERS_WAIT
        # Nor what waits behind an answer of one's own.
        gate.set()
        await desk.closed(2)
        held = asyncio.Event()
        desk.model.script("Three, ", held)
        desk.model.script("Four.")
        await desk.adapter.receive(desk.said("mine again", author="bob"))
        await desk.adapter.until(lambda: "Three, " in desk.adapter.texts(HERE))
        await desk.ask("and mine")
        assert await begin_afresh(app, BOB) == NOT_WHILE_OTHERS_WAIT
        assert await begin_afresh(app, OLGA) == RENEWED
        await desk.adapter.until(lambda: desk.adapter.open == 0)


async def test_whoever_may_not_ask_begins_nothing_afresh() -> None:
    desk = Answering()
    async with desk.open() as app:
        await desk.ask("about cats")
        await desk.closed(1)
        place = Scope.of(HERE).at(ScopeLevel.CHANNEL)
        who = Change(place, "who", "user:olga")
        await desk.store.change_settings([who], who="olga", now=1.0)
        assert await begin_afresh(app, ALICE) == NOT_TO_ASK
        [denied] = await desk.store.refusals(place, 0.0, 1)
        assert denied.count == 1
        assert await begin_afresh(app, OLGA) == RENEWED


# On Slack, through the SDKs.


@pytest.fixture
async def admins() -> AsyncIterator[Admins]:
    store, model = MemoryStore(), ScriptedModel()
    async with (
        SlackEmulator(rates=UNLIMITED) as slack,
        running(slack, store, model, grace=0.2),
    ):
        admins = Admins(slack, store, model)
        admins.olga = slack.add_user("Olga", admin=True)
        yield admins


async def test_on_slack_only_what_one_sees_can_be_named(admins: Admins) -> None:
    slack, olga, alice = admins.slack, admins.olga, admins.alice
    await admins.typed(olga, f"set admins <@{alice}>")
    world = slack.world
    board = slack.add_channel("board", kind="group", members=[olga])
    ours = slack.add_channel("ours", kind="group", members=[alice])
    open_to_all = slack.add_channel("open")
    unheard = slack.add_channel("unheard", joined=False)
    hidden = slack.add_channel("hidden", kind="group", joined=False, members=[alice])
    closed = slack.add_channel("closed", members=[alice])
    world.channels[closed].archived = True
    frozen = slack.add_channel("frozen", members=[alice])
    world.channels[frozen].frozen = True
    kept = slack.add_channel("kept", members=[alice])
    world.channels[kept].posters = (olga,)
    mine, theirs = slack.open_dm(alice), slack.open_dm(olga)

    async def said(channel: str) -> str:
        named = f"<#{channel}|x>" if channel in world.channels else channel
        return await admins.typed(alice, f"set triage_announce {named}")

    for channel in (ours, open_to_all, mine):
        assert "Saved" in await said(channel), channel
    for channel, words in {
        board: NO_SUCH_CHANNEL,
        hidden: NO_SUCH_CHANNEL,
        theirs: NO_SUCH_CHANNEL,
        "C09999999": NO_SUCH_CHANNEL,
        closed: "You can't post",
        frozen: "You can't post",
        kept: "You can't post",
        unheard: "I can't post",
    }.items():
        assert (await said(channel)).startswith(words), channel
    told = await admins.typed(alice, "set triage_announce general")
    assert "paste its ID" in told
    # What mends it counts at once.
    slack.invite(unheard)
    assert "Saved" in await said(unheard)


async def test_on_slack_who_leaves_a_channel_announces_nothing_there(
    admins: Admins, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack, alice = admins.slack, admins.alice
    monkeypatch.setattr("adapters.slack.channels.FRESH", 0.0)
    await admins.typed(admins.olga, f"set admins <@{alice}>")
    ours = slack.add_channel("ours", kind="group", members=[alice])
    await admins.typed(alice, f"set triage_announce <#{ours}|ours>")
    await admins.typed(alice, "set auto_triage on")
    slack.world.channels[ours].members.discard(alice)
    admins.model.script(sorted_as(priority="critical"))
    slack.say(admins.bob, admins.general, "Everything burns")
    direct = slack.open_dm(alice)
    await slack.until(lambda: slack.world.messages[direct])
    [told] = slack.world.messages[direct].values()
    assert "I can no longer post urgent messages" in told.text
    assert not slack.world.messages[ours]


async def test_people_of_a_shared_channel_see_only_that_one(admins: Admins) -> None:
    slack = admins.slack
    stranger = slack.add_user("Stan", team="T99999999")
    await admins.typed(admins.olga, "set budget_day workspace 50")
    board = slack.add_channel("board", kind="group", members=[admins.olga])
    await admins.typed(admins.olga, "budget day 5", board)
    await admins.typed(admins.olga, f"set triage_announce <#{board}|board>")

    async def asked(text: str, count: int) -> str:
        slack.say(stranger, admins.general, f"{slack.mention} {text}")
        return (await admins.whispered(stranger, count)).text

    settings = await asked("settings", 1)
    assert "Settings of this channel" in settings
    assert board not in settings
    for nth, text in enumerate(
        ("usage workspace", "settings workspace", "prompt", "prompt history"), start=2
    ):
        assert await asked(text, nth) == NOT_FOR_OUTSIDERS
    usage = await asked("usage", 6)
    assert "of $50" not in usage


# On Discord.


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with (
        towns(MemoryStore()) as town,
        answering(town.discord, town.claude, town.store),
    ):
        yield town


async def announce(town: Town, user: str, channel: str, place: str = "") -> str:
    given = {"option": "triage_announce", "value": channel}
    return (await town.give("claude-admin set", user, place, **given)).text


async def test_on_discord_only_what_one_may_write_in_can_be_named(town: Town) -> None:
    discord = town.discord
    keeper = discord.add_user("Keeper")
    discord.set_permissions(town.general, user=keeper, allow=["manage_channels"])
    far = discord.add_channel("far", guild=discord.add_guild("Elsewhere"))
    hidden = discord.add_channel("hidden")
    discord.set_permissions(hidden, user=keeper, deny=["view_channel"])
    mute = discord.add_channel("mute")
    discord.set_permissions(mute, user=keeper, deny=["send_messages"])
    deaf = discord.add_channel("deaf")
    discord.set_permissions(deaf, deny=["send_messages"])
    forum = discord.add_channel("forum", kind="forum")
    secret = discord.private_thread(town.ada, town.random, "secret")
    thread = discord.thread(town.alice, town.random, "a thread")
    for channel, words in {
        f"<#{far}>": NO_SUCH_CHANNEL,
        f"<#{hidden}>": NO_SUCH_CHANNEL,
        f"<#{secret}>": NO_SUCH_CHANNEL,
        "channel:general": NO_SUCH_CHANNEL,
        f"<#{discord.open_dm(keeper)}>": NO_SUCH_CHANNEL,
        f"<#{'9' * 19}>": NO_SUCH_CHANNEL,
        f"<#{mute}>": "You can't post",
        f"<#{forum}>": "You can't post",
        f"<#{deaf}>": "I can't post",
        "general": "This must be a channel",
    }.items():
        told = await announce(town, keeper, channel)
        assert told.startswith(words), (channel, told)
    for channel in (f"<#{town.random}>", f"<#{thread}>", town.random):
        assert "Saved" in await announce(town, keeper, channel)


async def test_letters_that_an_earlier_version_stored_end_nothing(town: Town) -> None:
    """A setting from before it was looked at, in a channel that is sorted by itself."""
    place = Scope("discord", town.discord.guild, town.general)
    changes = [
        Change(place, "auto_triage", "on"),
        Change(place, "triage_announce", "channel:general"),
    ]
    await town.store.change_settings(changes, who=town.ada, now=1.0)
    town.claude.script(sorted_as(priority="critical"))
    burning = town.discord.say(town.alice, town.general, "Everything burns")
    direct = town.discord.open_dm(town.ada)
    await town.discord.until(lambda: town.discord.messages(direct))
    [told] = town.discord.messages(direct)
    assert "I can no longer post urgent messages" in told.text
    assert town.discord.message(burning).reactions == ("🔴",)
    town.claude.script("Here.")
    assert await town.asked("still there?")


#: Bits that mean something for a whole guild, and nothing in a channel.
GUILD_BITS = ["manage_guild", "administrator"]


async def test_an_overwrite_gives_no_right_to_the_server(town: Town) -> None:
    """Discord lets any bit be set in a channel's overwrites, and sends it along."""
    discord = town.discord
    keeper = discord.add_user("Keeper")
    allow = ["manage_channels", *GUILD_BITS]
    discord.set_permissions(town.general, user=keeper, allow=allow)
    given = {"option": "quiet", "value": "on"}
    for where in ("workspace", "channel"):
        told = await town.give("claude-admin set", keeper, where=where, **given)
        expected = "Sorry" if where == "workspace" else f"Saved for <#{town.general}>"
        assert told.text.startswith(expected)
    # Nor to another channel, where they are asked about by name.
    told = await town.give("claude usage", keeper, where="workspace")
    assert "By channel" not in told.text
    for bit in GUILD_BITS:
        role = discord.add_role(bit, keeper, permissions=[bit])
        told = await town.give("claude-admin set", keeper, where="workspace", **given)
        assert not told.text.startswith("Sorry"), bit
        discord.take_role(role, keeper)
        told = await town.give("claude-admin set", keeper, where="workspace", **given)
        assert told.text.startswith("Sorry"), bit


async def test_the_servers_owner_runs_it_without_any_role(town: Town) -> None:
    guild = int(town.discord.guild)
    owner = str(town.discord._model.guilds[guild].owner_id)
    given = {"option": "quiet", "value": "on", "where": "workspace"}
    told = await town.give("claude-admin set", owner, **given)
    assert told.text.startswith("Saved for the server")


async def test_direct_messages_concern_themselves_alone(town: Town) -> None:
    discord, guild = town.discord, town
    mine, theirs = discord.open_dm(guild.alice), discord.open_dm(guild.bob)
    for who, place in ((guild.alice, mine), (guild.bob, theirs)):
        discord.say(who, place, "hello")
        await guild.settled(place)
    await guild.quiet()
    change = Change(Scope("discord", "@me", theirs), "model", "claude-opus-5-5")
    await guild.store.change_settings([change], who=guild.bob, now=1.0)
    for line in ("usage where=workspace", "settings where=workspace", "usage"):
        text = await pressed(discord, guild.alice, mine, line)
        assert theirs not in text
        assert "opus" not in text
        assert "2 answers" not in text
        assert "the server" not in text.partition("\n")[0]
    assert "· 1 answer" in await pressed(discord, guild.alice, mine, "usage")
    for line in (f"usage where=channel:{theirs}", f"settings where=channel:{theirs}"):
        assert await pressed(discord, guild.alice, mine, line) == ELSEWHERE
    denied = await pressed(
        discord, guild.alice, mine, "set option=quiet value=on where=workspace"
    )
    assert denied.startswith("Sorry")


async def pressed(discord: DiscordEmulator, user: str, place: str, line: str) -> str:
    """Return the response to `user`, who uses a control that says `line`."""
    asked = discord.forge(user, place, f"do:{line}")
    await discord.until(lambda: asked.response and discord.settled)
    seen = asked.response.message if asked.response else None
    return seen.text if seen else ""


async def test_a_private_thread_is_seen_by_those_who_are_in_it() -> None:
    async with DiscordEmulator() as discord:
        office = Clerks(discord)
        ada = discord.add_user("Ada", admin=True)
        secret = discord.private_thread(office.bob, office.random, "secret")
        apart = discord.thread(office.bob, office.random, "open")
        async with attended(office) as adapter:
            for thread, expected in ((secret, False), (apart, True), ("7", True)):
                here = Scope("discord", discord.guild, office.random, thread)
                assert (
                    await adapter.directory.access(here, office.alice)
                ).reads is expected
                assert (await adapter.directory.access(here, office.bob)).reads
                assert (await adapter.directory.access(here, ada)).reads
