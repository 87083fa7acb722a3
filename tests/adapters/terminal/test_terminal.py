"""A conversation in the terminal, typed line by line or through a pipe."""

import asyncio
import io
import re

import pyte
import pytest
from rich.console import Console

from adapters.terminal.adapter import TerminalAdapter
from adapters.terminal.answer_view import (
    PlainScreen,
    RichScreen,
    as_markdown,
    last_break,
)
from bot.app import App
from bot.errors import ModelCut
from bot.ports.store import Store
from bot.text.references import channel, user
from tests.support.memory_store import MemoryStore
from tests.support.process import OPERATOR
from tests.support.scripted_model import ScriptedModel


async def talk(typed: str, model: ScriptedModel, store: Store) -> str:
    """Type `typed` and return what is printed until the end of the input."""
    out = io.StringIO()
    adapter = TerminalAdapter(io.StringIO(typed), out)
    app = App(
        store=store, model=model, adapters=[adapter], operator=OPERATOR, grace=5.0
    )
    async with asyncio.timeout(60):
        await app.run(asyncio.Event())
    return out.getvalue()


async def test_whom_the_core_names_is_printed_by_id() -> None:
    out = io.StringIO()
    adapter = TerminalAdapter(io.StringIO(), out)
    await adapter.tell("local", "you", f"{user('u1')} in {channel('c1')}, user:u2")
    assert out.getvalue() == "u1 in c1, user:u2\n"


async def test_each_line_is_answered_in_one_thread() -> None:
    model = ScriptedModel(["Hel", "lo."], ["Again."])
    printed = await talk("hello\n\nand again\n", model, MemoryStore())
    assert printed == "Hello.\n\nAgain.\n\n"
    assert [said.role for said in model.requests[1].messages] == [
        "user",
        "assistant",
        "user",
    ]
    assert ">hello</message>" in model.requests[1].messages[0].content


async def test_a_new_thread_knows_nothing_of_the_old() -> None:
    model = ScriptedModel()
    await talk("hello\n/new\nanother\n", model, MemoryStore())
    assert [len(each.messages) for each in model.requests] == [1, 1]


async def test_threads_survive_a_restart_and_can_be_entered_again() -> None:
    store, model = MemoryStore(), ScriptedModel()
    await talk("about boats\n/new\nabout trains\n", ScriptedModel(), store)
    printed = await talk("/threads\n/threads 2\ngo on\n", model, store)
    listed = [line for line in printed.splitlines() if "about" in line]
    assert "about trains" in listed[0]
    assert "about boats" in listed[1]
    assert "Understood." in printed
    assert ">about boats</message>" in model.requests[0].messages[0].content


#: What is typed, and a part of what is printed then.
EXPLAINED = (
    ("/help", "Ctrl-D quits"),
    ("/threads", "No threads yet."),
    ("/threads 7", "Type `/threads` first"),
    ("/dance", "There is no `/dance`"),
    ("/thread", "There is no `/thread`. Did you mean `/threads`?"),
    ("/effort", "There is no `/effort`. Did you mean `/set effort`?"),
    ("/model", "**Model**: claude-sonnet-5-5 · by default\n\nChange it with `/set"),
    ("/prompt", "> Be brief.\n\nChange it with `/set prompt …`."),
    ("/set effort", "**Effort**: "),
    ("/budget", "with `/set budget_day …` or `/set budget_month …`."),
    ("/prompt try", "There are no forms in a terminal."),
    ("/usage", "today**: $0.00 · 0 answers\n"),
    ("/usage", "Details: `/usage details thread`\n"),
    ("/usage details", "$0.00 · 0 answers, 0 tokens read"),
    ("/set", "max_tokens"),
    ("/set dance 5", "There is no setting `dance`; `/set` lists them."),
    ("/triage", "I cannot read earlier messages on this platform"),
    ("/triage last 5", "I cannot read earlier messages on this platform"),
    ("/budget day 5", "$5.00"),
    ("/budget", "**Daily budget** of this channel: $5.00"),
)


async def test_commands_explain_themselves() -> None:
    typed = "".join(f"{command}\n" for command, _ in EXPLAINED)
    left = await talk(typed, ScriptedModel(), MemoryStore())
    for command, printed in EXPLAINED:
        before, found, left = left.partition(printed)
        assert found, (command, before)


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("Saved:\n- one\n- two", "Saved:  \n- one  \n- two  "),
        ("- one\nBy person", "- one  \n\nBy person  "),
        ("- one\n> quoted\n- two", "- one  \n> quoted  \n- two  "),
        ("- one\n\ntwo", "- one  \n\ntwo  "),
        ("```diff\n- one\ntwo\n```", "```diff\n- one\ntwo\n```  "),
    ],
)
def test_what_is_no_item_stands_apart_from_a_list(text: str, markdown: str) -> None:
    assert as_markdown(text) == markdown


async def test_a_cut_answer_says_so_and_the_talk_goes_on() -> None:
    model = ScriptedModel(["The capital", ModelCut("eof")], ["Paris."])
    printed = await talk("?\ncontinue\n", model, MemoryStore())
    assert printed.startswith(f"The capital\n\n⚠️ _{ModelCut.user_text}")
    assert printed.endswith("Paris.\n\n")


def test_a_plain_screen_writes_each_character_once() -> None:
    out = io.StringIO()
    screen = PlainScreen(out)
    for text in ("a", "ab", "ab\nc"):
        screen.update(text)
    screen.close()
    assert out.getvalue() == "ab\nc\n\n"


def test_a_long_answer_is_on_the_screen_once_and_whole() -> None:
    out = io.StringIO()
    console = Console(file=out, width=40, height=8, force_terminal=True)
    screen = RichScreen(console)
    text = "\n\n".join(f"paragraph number {n}" for n in range(12))
    for end in range(0, len(text), 23):
        screen.update(text[:end])
    screen.update(text)
    screen.close()
    assert [line for line in seen(out.getvalue(), 40, 8) if line] == [
        f"paragraph number {n}" for n in range(12)
    ]


def test_what_is_typed_meanwhile_is_below_the_answer_and_goes_with_it() -> None:
    out = io.StringIO()
    console = Console(file=out, width=20, height=8, force_terminal=True)
    screen = RichScreen(console)
    screen.type_ahead("and")
    assert seen(out.getvalue(), 20, 8)[:3] == ["…", "", "› and"]
    screen.update("one\n\n" * 20)
    screen.type_ahead("and then\nwhat about x")
    shown = seen(out.getvalue(), 20, 8)
    assert [line for line in shown if "›" in line] == ["›… ↵ what about x"]
    screen.close()
    assert [line for line in seen(out.getvalue(), 20, 8) if line] == ["one"] * 20


def seen(output: str, columns: int, lines: int) -> list[str]:
    """Return the lines of a terminal that was sent `output`, from the top of its
    history."""
    terminal = pyte.HistoryScreen(columns, lines, history=1000)
    pyte.Stream(terminal).feed(output.replace("\n", "\r\n"))
    above = [
        "".join(row[column].data for column in range(columns)).rstrip()
        for row in terminal.history.top
    ]
    return above + [line.rstrip() for line in terminal.display]


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("one", 0),
        ("one\n", 0),
        ("one\n\ntwo", 5),
        ("one\n\ntwo\n\n", 10),
        ("```\na\n\nb", 0),
        ("```\na\n\nb\n```\n\nc", 14),
        ("~~~\na\n\n```\n\n~~~\n\nb", 17),
        ("", 0),
    ],
)
def test_a_block_ends_at_a_blank_line_outside_of_code(text: str, end: int) -> None:
    assert last_break(text) == end


@pytest.mark.parametrize(
    "answer",
    [
        "List<String> and <T>, a<b and c>d",
        "<details>\n<summary>More</summary>\n\nHidden *text*\n\n</details>",
        "<p align=center>hi</p>\n<script>run</script> <!-- note -->",
        "Press <kbd>Ctrl</kbd>, H<sub>2</sub>O, $5 and $6 or $x^2$",
        "- [ ] one\n  - [x] two\n\n1) three\n\n   ```\n   <four>\n   ```",
        "| a | b |\n|---|---|\n| `x | y` | c<br>d |\n",
        "so[^1], [x][1], ![alt](https://a.example/p)\n\n[^1]: A note.",
        "~~~\n```\n<in>\n```\n~~~\nafter ||out||",
        "Term\n: definition\n\n:::note\nhi\n:::\n\nTitle\n===\n",
    ],
)
def test_no_word_and_no_angle_bracket_of_an_answer_is_lost(answer: str) -> None:
    out = io.StringIO()
    screen = RichScreen(Console(file=out, width=100))
    screen.update(answer)
    screen.close()
    shown = out.getvalue()
    for each in re.findall(r"\w+|[<>]", answer):
        assert shown.count(each) >= answer.count(each)
