"""The usage report: cents and answers, and tokens on request."""

import pytest

from bot.commands.catalog import parse_command
from bot.domain.budget import NO_LIMITS, Charge
from bot.domain.completion import Usage
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.messages.labels import DETAILS
from bot.ui.elements import Command, Response
from tests.support.command_harness import CHANNEL, MEMBER, NOON, OWNER, THREAD, Office


async def spent() -> Office:
    """Two answers to Max in a thread, which cost 3.4 cents, and a cheap one to Ann."""
    office = Office()
    for who, cost in (("max", 0.03), ("max", 0.004), ("ann", 0.0002)):
        charge = Charge(THREAD, who, "answer", "claude-haiku-5-5")
        number = await office.store.open_charge(charge, NO_LIMITS, NOON)
        assert isinstance(number, int)
        used = Usage(input=3_000, cache_read=900, output=400)
        await office.store.close_charge(number, used, cost, NOON)
    return office


async def told(
    office: Office, person: Person, place: Scope, view: str = ""
) -> Response:
    arguments = {"view": view} if view else {}
    reply = await office.give("usage", person, place, **arguments)
    assert isinstance(reply, Response)
    return reply


@pytest.mark.parametrize("person", [OWNER, MEMBER], ids=["admin", "member"])
async def test_rows_are_cents_and_answers(person: Person) -> None:
    shown = await told(await spent(), person, CHANNEL)
    lines = shown.text.splitlines()
    assert lines[:2] == [
        "- **This channel, today**: $0.03 · 3 answers",
        "- **This channel, this month**: $0.03 · 3 answers",
    ]
    assert "token" not in shown.text
    assert "read" not in shown.text
    last = lines[-1]
    if person is MEMBER:
        assert last == "- **You, this month**: $0.03 · 2 answers"
    else:
        assert last.endswith("<$0.01 · 1 answer")


@pytest.mark.parametrize("person", [OWNER, MEMBER], ids=["admin", "member"])
@pytest.mark.parametrize("place", [CHANNEL, THREAD], ids=["channel", "thread"])
async def test_the_button_shows_the_same_rows_with_tokens(
    person: Person, place: Scope
) -> None:
    office = await spent()
    shown = await told(office, person, place)
    [button] = shown.buttons
    assert button.label == DETAILS
    pressed = Command.of_line(button.command.line)
    more = await office.desk.run(pressed, place, person)
    assert isinstance(more, Response)
    assert more.buttons == ()
    rows = [line for line in shown.text.splitlines() if line.startswith("- ")]
    detailed = [line for line in more.text.splitlines() if line.startswith("- ")]
    assert len(rows) == len(detailed)
    for row, with_tokens in zip(rows, detailed, strict=True):
        assert with_tokens.startswith(f"{row}, ")
    assert "11,700 tokens read, 1,200 written, caching saved <$0.01" in more.text


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("usage", {}),
        ("usage details", {"view": "details"}),
        ("Usage Details workspace", {"view": "details", "where": "workspace"}),
        ("usage channel", {"where": "channel"}),
    ],
)
def test_it_can_be_typed(text: str, arguments: dict[str, str]) -> None:
    assert parse_command(text) == Command("usage", arguments)


def test_a_question_about_it_is_none() -> None:
    assert parse_command("usage details of what?") is None


async def test_what_is_typed_is_what_the_button_shows() -> None:
    office = await spent()
    typed = await office.type("usage details", MEMBER)
    assert typed == (await told(office, MEMBER, CHANNEL, "details")).text


async def test_an_upper_bound_says_so_in_cents() -> None:
    office = Office()
    charge = Charge(CHANNEL, "max", "answer", "claude-haiku-5-5", most=0.0121)
    number = await office.store.open_charge(charge, NO_LIMITS, NOON)
    assert isinstance(number, int)
    await office.store.close_charge(number, Usage(), 0.0121, NOON, bounded=True)
    assert "at most $0.02 · 1 answer" in (await told(office, OWNER, CHANNEL)).text
