"""Messages sorted where people talk, and what people say of how."""

from dataclasses import replace

import pytest

from bot.commands.catalog import parse_command
from bot.domain.completion import Report, Usage
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.domain.setting import Change
from bot.errors import ModelBusy
from bot.messages import triage as messages
from bot.text import references
from bot.ui.elements import Command, CommandResult, Menu, Response
from tests.support.command_harness import (
    CHANNEL,
    GUEST,
    MANAGER,
    MEMBER,
    NOON,
    OWNER,
    THREAD,
    Office,
)
from tests.support.triage_requests import sorted_as

SCHEME = "fields: {team: {values: {sales: money, tech: machines}}, gist: In a word.}"


@pytest.fixture
def office() -> Office:
    return Office()


def heard(
    text: str, message: str = "m1", at: float = NOON - 60, **more: object
) -> Message:
    thread = replace(THREAD.key, thread=message)
    said = Message(thread, message, at, "max", text, addressed=False, opens=True)
    return replace(said, **more)  # type: ignore[arg-type]


def say(office: Office, *texts: str) -> list[Message]:
    """Let people say something at the top of the channel, a minute apart."""
    start = len(office.adapter.past)
    office.adapter.past += [
        heard(text, f"m{n}", NOON - 3600 + 60 * n)
        for n, text in enumerate(texts, start=start + 1)
    ]
    return office.adapter.past[start:]


def answer(office: Office, *answers: str) -> None:
    for each in answers:
        office.model.script(each)


async def told(office: Office, message: Message, person: Person = MEMBER) -> Response:
    return await office.desk.triage(message, person)


async def choose(
    office: Office,
    shown: CommandResult,
    field: str,
    value: str,
    person: Person = MEMBER,
) -> CommandResult:
    """Choose something in a menu, whose command has gone over the wire."""
    assert isinstance(shown, Response)
    [menu] = [m for m in shown.menus if m.argument == field]
    assert value in {choice.value for choice in menu.choices}
    return await office.desk.run(_chosen(menu, value), THREAD, person)


def _chosen(menu: Menu, value: str) -> Command:
    return Command.of_line(menu.command.line).having({menu.argument: value})


async def put(office: Office, name: str, value: str, place: Scope = CHANNEL) -> None:
    changes = [Change(place, name, value)]
    await office.store.change_settings(changes, who="olga", now=NOON)


async def test_one_message_is_sorted_for_all_to_see(office: Office) -> None:
    answer(office, sorted_as(priority="critical", summary="It broke for all."))
    shown = await told(office, heard("Nothing works!"))
    assert shown.public
    assert shown.text == "🔴 · **bug** · **critical**\nIt broke for all."
    assert [menu.argument for menu in shown.menus] == ["category", "priority"]
    [request] = office.model.requests
    assert request.model == "claude-haiku-5-5"
    assert request.messages[0].content == "<ticket>\nNothing works!\n</ticket>"
    assert '"additionalProperties": false' in request.schema
    [spent] = await office.store.spending(0.0)
    assert (spent.kind, spent.person, spent.model) == (
        *("triage", "max", "claude-haiku-5-5"),
    )


async def test_the_same_message_again_costs_nothing(office: Office) -> None:
    answer(office, sorted_as(), sorted_as(category="billing"))
    first = await told(office, heard("It broke"))
    assert await told(office, heard("It broke"), OWNER) == first
    assert len(office.model.requests) == 1
    changed = await told(office, heard("It broke. And pay me."))
    assert "billing" in changed.text


async def test_what_the_model_says_names_nobody(office: Office) -> None:
    answer(office, sorted_as(summary="Ask user:U1 and channel:C1"))
    shown = await told(office, heard("It broke"))
    assert "Ask user:U1 and channel:C1" in shown.text
    assert references.find(shown.text) == []


async def test_a_bad_answer_is_tried_once_more_and_then_said(office: Office) -> None:
    answer(office, "It is a bug.", "Really.")
    shown = await told(office, heard("It broke"))
    assert shown.text == "Not sorted: invalid: the answer does not fit the scheme."
    assert len(office.model.requests) == 2


async def test_trouble_is_told_and_can_be_tried_again(office: Office) -> None:
    office.model.script(ModelBusy("busy"))
    shown = await told(office, heard("It broke"))
    assert shown.text == ModelBusy.user_text
    assert not shown.public
    answer(office, sorted_as())
    assert "**bug**" in (await told(office, heard("It broke"))).text


async def test_a_thread_is_one_ticket(office: Office) -> None:
    here = replace(heard("It broke", "t"), thread=THREAD.key)
    office.adapter.past = [
        here,
        replace(here, message="t1", author="mo", text="Since when?"),
        replace(here, message="t2", text="triage", addressed=True),
        replace(here, message="t3", text="Let me see", echo=True),
    ]
    answer(office, sorted_as())
    assert "**bug**" in await office.type("triage", MEMBER, THREAD)
    [request] = office.model.requests
    assert request.messages[0].content == (
        "<ticket>\nMax: It broke\nMo: Since when?\n</ticket>"
    )


async def test_the_last_messages_of_a_channel(office: Office) -> None:
    say(office, "old", "It broke", "Pay me", "triage last 2", "help")
    office.adapter.past[3] = replace(office.adapter.past[3], addressed=True)
    answer(office, sorted_as(), sorted_as(category="billing", priority="critical"))
    answer(office, sorted_as(category="how_to", priority="low", summary="=1+1"))
    shown = await office.give("triage", MANAGER, last="3")
    assert isinstance(shown, Response)
    assert shown.public
    lines = shown.text.splitlines()
    assert lines[0].startswith("**3 messages sorted** for <$0.01.")
    assert lines[1] == "Category: bug 1, billing 1, how_to 1."
    assert lines[2] == "Priority: critical 1, high 1, low 1."
    # The most urgent first.
    assert [line.split()[3] for line in lines[5:8]] == ["billing", "bug", "how_to"]
    assert shown.file is not None
    assert shown.file.name == "triage.csv"
    assert "help,how_to,low,'=1+1," in shown.file.text


async def test_since_a_day(office: Office) -> None:
    office.adapter.past = [
        heard("old", "m1", NOON - 86_400),
        heard("new", "m2", NOON - 60),
    ]
    answer(office, sorted_as())
    shown = await office.type("triage since today", OWNER)
    assert shown.startswith("**1 message sorted**")
    assert "`since` takes" in await office.type("triage since forever", OWNER)


async def test_who_may_sort_a_channel(office: Office) -> None:
    say(office, "It broke")
    for person in (MEMBER, GUEST):
        said = await office.type("triage last 5", person)
        assert said == messages.CHANNEL_FOR_ADMINS
    assert not office.model.requests
    await put(office, "triagers", "user:max user:gus")
    answer(office, sorted_as())
    assert "1 message sorted" in await office.type("triage last 5", MEMBER)
    assert (await office.type("triage last 5", GUEST)).startswith("Sorry, ")
    assert [e.name for e in await office.audit() if e.action == "denied"]


async def test_who_may_not_ask_may_not_have_anything_sorted(office: Office) -> None:
    await put(office, "who", "user:olga")
    assert (await told(office, heard("It broke"))).text == messages.NOT_TO_ASK
    assert not office.model.requests


async def test_once_there_is_no_money_the_rest_is_left(office: Office) -> None:
    say(office, *(f"ticket {n}" for n in range(20)))
    await put(office, "budget_day", "0.0042")
    dear = Report("claude-haiku-5-5", "req_1", Usage(output=1_000), "end_turn")
    for _ in range(20):
        office.model.script(sorted_as(), dear)
    shown = await office.type("triage last 20", OWNER)
    assert "Left: " in shown
    done = len(office.model.requests)
    assert 0 < done < 20
    assert shown.startswith(f"**{done} message")


async def test_a_correction_is_kept_with_who_made_it(office: Office) -> None:
    answer(office, sorted_as())
    shown = await told(office, heard("It broke", "t"))
    changed = await choose(office, shown, "category", "billing")
    assert isinstance(changed, Response)
    assert changed.replaces
    assert changed.text == (
        "🟠 · **billing** · **high**\nIt broke.\n"
        f"_Corrected by {references.user('max')}._"
    )
    case = await office.store.case(1)
    assert case is not None
    assert (case.corrected, case.corrected_by) == ({"category": "billing"}, "max")
    again = await choose(office, changed, "priority", "low", MANAGER)
    assert isinstance(again, Response)
    assert "**billing** · **low**" in again.text
    # The message's own menu, which is older, still works.
    assert "**how_to**" in (await choose(office, shown, "category", "how_to")).text  # type: ignore[union-attr]


async def test_an_admin_makes_a_correction_an_example(office: Office) -> None:
    answer(office, sorted_as())
    shown = await told(office, heard("Rechnung kaputt", "t"))
    changed = await choose(office, shown, "category", "billing")
    assert isinstance(changed, Response)
    refused = await office.press(changed, "Learn from this", MEMBER, THREAD)
    assert isinstance(refused, Response)
    assert refused.text.startswith("Sorry, ")
    agreed = await office.press(changed, "Learn from this", MANAGER, THREAD)
    assert isinstance(agreed, Response)
    assert agreed.text.endswith(messages.example_by(person=references.user("mo")))
    answer(office, sorted_as())
    await told(office, heard("Another", "m9"))
    prompt = office.model.requests[-1].system
    assert "<ticket>\nRechnung kaputt\n</ticket>\n<answer>" in prompt
    assert '"category": "billing"' in prompt.rsplit("Rechnung kaputt", 1)[1]
    # In its own channel only: others may not be allowed to read it.
    elsewhere = replace(THREAD.key, channel="c2", thread="m7")
    answer(office, sorted_as())
    await told(office, replace(heard("More", "m7"), thread=elsewhere))
    assert "Rechnung kaputt" not in office.model.requests[-1].system


async def test_a_deleted_message_is_forgotten(office: Office) -> None:
    answer(office, sorted_as())
    shown = await told(office, heard("It broke", "t"))
    await office.store.delete_messages("fake", "w", ["t"], "c", NOON)
    reply = await choose(office, shown, "category", "billing")
    assert reply == Response(messages.CASE_GONE)


async def test_a_channel_has_its_own_scheme(office: Office) -> None:
    refused = await office.give("set", option="triage_scheme", value="fields: {}")
    assert isinstance(refused, Response)
    assert "1 to 20 fields" in refused.text
    await office.give("set", option="triage_scheme", value=SCHEME)
    answer(office, '{"team": "tech", "gist": "Broken."}')
    shown = await told(office, heard("It broke"))
    assert shown.text == "**tech**\nBroken."


async def test_a_menu_of_another_place_changes_nothing(office: Office) -> None:
    answer(office, sorted_as())
    shown = await told(office, heard("It broke", "t"))
    other = replace(CHANNEL, channel="c2")
    command = _chosen(shown.menus[0], "billing")
    assert await office.desk.run(command, other, MEMBER) == Response(messages.CASE_GONE)
    forged = command.having({"category": "pain"})
    assert await office.desk.run(forged, THREAD, MEMBER) == Response(
        messages.NO_SUCH_VALUE
    )


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("triage", {}),
        ("Triage last 100", {"last": "100"}),
        ("triage since Monday", {"since": "monday"}),
        ("triage last 5 since 3d", {"last": "5", "since": "3d"}),
        ("triage this please", None),
        ("triage last", None),
        ("triage last year", None),
        ("triage since monday please", {"since": "monday"}),
    ],
)
def test_words_are_a_command_only_if_all_of_them_are(
    text: str, arguments: dict[str, str] | None
) -> None:
    found = parse_command(text)
    assert (dict(found.arguments) if found else None) == arguments
