"""A lone surrogate, which JSON can carry and UTF-8 cannot, loses nothing but itself: no
paid answer and no row is lost, and no file is refused.

The same holds for code point 0, at which SQLite's functions end a text.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.config import Config
from bot.domain.attachment import Attachment
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import Change
from bot.runtime.text_files import read_text
from bot.schemes import scheme
from bot.settings.parsers import model, prompt, stops
from bot.text.characters import (
    CLOSE,
    OPEN,
    replace_invalid,
    replace_invalid_json,
    replace_lone_surrogates,
)
from bot.triage.bulk.reader import open_source
from tests.adapters.discord.conftest import guild
from tests.adapters.discord.test_admin import Town
from tests.adapters.discord.test_admin import fresh_town as town
from tests.adapters.slack.conftest import ApiOffice, api_office, store
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.support.process import Nursery
from tests.support.triage_requests import sorted_as
from tests.system.test_triage_command import Office
from tests.unit.settings.test_options import TODAY

__all__ = ["api_office", "guild", "store", "town"]

HALF, FIRST, SECOND = "\ud83e", "\ud83d", "\ude00"
MARK = "\ufffd"


# What is made whole.


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"a{HALF}b", f"a{MARK}b"),
        (f"{SECOND}{FIRST}", MARK * 2),
        (f"{FIRST}{SECOND}", "😀"),
        ("a\0b é 😀", f"a{MARK}b é 😀"),
        (f"{OPEN}x{CLOSE}", f"{MARK}x{MARK}"),
    ],
)
def test_what_is_no_character_is_replaced(text: str, shown: str) -> None:
    assert replace_invalid(text) == shown
    assert replace_lone_surrogates(text).replace("\0", MARK) == shown
    assert replace_invalid_json({text: [text, 1, None, {"a": text}]}) == {
        shown: [shown, 1, None, {"a": shown}]
    }


def test_what_is_heard_is_whole() -> None:
    thread = ThreadKey("fake", "w", "c", "t")
    heard = Message(
        *(thread, "m", 1.0, f"u{HALF}", f"It {HALF} broke\0"),
        addressed=True,
        opens=True,
        files=(Attachment(f"{HALF}.txt"),),
    )
    assert heard.text == f"It {MARK} broke{MARK}"
    assert (heard.author, heard.files) == (f"u{MARK}", (Attachment(f"{MARK}.txt"),))
    assert Person("u", f"Eve {HALF}").name == f"Eve {MARK}"


# Settings.


def test_settings_are_whole() -> None:
    assert prompt(f"Be {HALF} brief.", TODAY) == f"Be {MARK} brief."
    assert json.loads(stops(json.dumps([f"a{HALF}"]), TODAY)) == [f"a{MARK}"]
    with pytest.raises(Exception, match="There is no model"):
        model(HALF, TODAY)
    read = scheme.read('fields: {a: {about: "x \\ud83e", type: text}}')
    assert read.fields[0].about == f"x {MARK}"


def test_what_the_environment_holds_is_whole() -> None:
    # Bytes that are no UTF-8 come as halves (PEP 383).
    env = {"THREADKEEP_SYSTEM_PROMPT": "Be \udce9 brief.", "ANTHROPIC_API_KEY": "k"}
    values = Config.from_env(env).operator.values
    assert values["prompt"] == f"Be {MARK} brief."


def test_a_scheme_in_a_file_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_bytes(
        f"fields: {{a: {{about: x{HALF}, type: text}}}}".encode(
            "utf-8", "surrogatepass"
        )
    )
    assert scheme.read(read_text(str(file))).fields[0].about == f"x{MARK}"


# Tickets.


def rows(path: Path, content: bytes) -> list[dict[str, object]]:
    path.write_bytes(content)
    with open_source(str(path)) as source:
        return [dict(ticket.row) for ticket in source.tickets()]


def test_lines_with_halves_are_read(tmp_path: Path) -> None:
    lines = [
        {"id": "1", "ticket": f"It {HALF} broke"},
        {"id": f"2{HALF}", "ticket": "a\0b", "k\0": {"x": [HALF]}},
    ]
    content = "\n".join(map(json.dumps, lines)).encode()
    assert rows(tmp_path / "t.jsonl", content) == [
        {"id": "1", "ticket": f"It {MARK} broke"},
        {"id": f"2{MARK}", "ticket": f"a{MARK}b", f"k{MARK}": {"x": [MARK]}},
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_with_halves_are_read(tmp_path: Path, encoding: str) -> None:
    text = f"id,ticket\n1,It {HALF} broke é\n2,a\0b{' ' * 5_000}c\n"
    filler = "0,fine\n" * 1_000
    content = text.replace("1,It", f"{filler}1,It").encode(encoding, "surrogatepass")
    *_, first, second = rows(tmp_path / "t.csv", content)
    assert first == {"id": "1", "ticket": f"It {MARK} broke é"}
    assert str(second["ticket"]).startswith(f"a{MARK}b ")


@pytest_asyncio.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Office]:
    async with Nursery() as nursery, ClaudeEmulator() as claude:
        office = Office(tmp_path, nursery)
        office.claude = claude
        yield office


async def test_an_answer_with_half_a_character_is_kept_and_paid_for_once(
    shell: Office,
) -> None:
    shell.claude.always(sorted_as(summary=f"It {HALF} broke\0."))
    lines = [{"id": f"1{HALF}", "ticket": f"Half {HALF}"}, {"id": "2", "ticket": "Ok"}]
    name = "tickets\udcff.jsonl"
    file = shell.file(name, "\n".join(map(json.dumps, lines)))
    for _ in range(2):
        status, printed = await shell.triage(file, *shell.to)
        assert status == 0, printed
        first, second = shell.out()
        assert first["summary"] == second["summary"] == f"It {MARK} broke{MARK}."
        assert (first["id"], first["ticket"]) == (f"1{MARK}", f"Half {MARK}")
    assert len(shell.claude.questions) == 2
    asked = [str(each.body["messages"]) for each in shell.claude.questions]
    assert any(f"Half {MARK}" in each for each in asked)


# Chats.


async def test_a_message_and_its_answer_on_slack(api_office: ApiOffice) -> None:
    slack, claude = api_office.slack, api_office.claude
    # Two halves in two pieces make a character; one alone, at the end too, does not.
    claude.script([f"It {HALF}", f" is {FIRST}", f"{SECOND}.{FIRST}"])
    asked = api_office.ask(f"What {HALF} is it?")
    await api_office.answered(asked, f"It {MARK} is 😀.{MARK}")
    assert f"What {MARK} is it?" in api_office.prompts()[-1]
    eve, alerts = slack.add_user(f"Eve {HALF}"), slack.add_channel("alerts")
    place = Scope("slack", slack.team, api_office.general)
    for name, value in {
        **{"auto_triage": "on", "triage_announce": f"channel:{alerts}"},
        "triage_sign": "label",
    }.items():
        change = Change(place, name, value)
        await api_office.store.change_settings([change], who=api_office.alice, now=1.0)
    claude.script(sorted_as(priority="critical", summary=f"It {HALF} broke."))
    slack.say(eve, api_office.general, f"It broke {HALF}")
    posts = slack.world.messages[alerts]
    await slack.until(lambda: posts)
    [posted] = posts.values()
    assert f"It {MARK} broke." in posted.shown
    assert f"Posted by Eve {MARK} in" in posted.shown


async def test_commands_forms_files_and_forged_controls_on_discord(
    town: Town,
) -> None:
    asked = town.discord.command(town.ada, town.general, "claude prompt try")
    town.claude.script([f"Ar{HALF}r."])
    given = {"prompt": f"Speak {HALF}.", "question": f"What {HALF}?"}
    told = await town.submit(await town.form(asked), given)
    assert f"Ar{MARK}r." in told.text
    assert f"What {MARK}?" in told.text
    content = f"Be {HALF} kind.".encode("utf-8", "surrogatepass")
    saved = await town.give("claude prompt set", file=("prompt.txt", content))
    assert saved.text.startswith("Saved")
    [version] = await town.store.versions(town.channel, "prompt")
    assert version.text == f"Be {MARK} kind."
    line = f"do:settings where=channel:{HALF}"
    forged = town.discord.forge(town.alice, town.general, line)
    assert (await town.told(forged)).text.startswith(
        "Sorry, only people in that channel"
    )
