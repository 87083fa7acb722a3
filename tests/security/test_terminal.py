"""No text controls the terminal: output is filtered, and only one module prints."""

import ast
import io
import json
import logging
import random
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator

import pyte
import pytest
from rich.live import Live
from rich.table import Table
from rich.text import Text

from adapters.terminal.answer_view import PlainScreen, RichScreen
from bot.runtime import terminal, terminal_markdown
from bot.runtime.logs import Redacting
from tests.support import code
from tests.support.deep import rounds, share
from tests.support.process import ROOT

#: What terminals obey, each with what it may do, around words that people are to see.
ATTACKS = {
    "clipboard": "a\x1b]52;c;cm0gLXJmIH4=\x07b",
    "title": "a\x1b]0;root@bank\x1b\\b",
    "hidden": "a\x1b[8mb\x1b[0m",
    "colour": "a\x1b[31;42mb",
    "C1 colour": "a\x9b31mb",
    "C1 title": "a\x9d0;root@bank\x9cb",
    "device control": 'a\x90$q"p\x1b\\b',
    "answer back": "a\x05b\x1b[c\x1b[6n",
    "link": "a\x1b]8;;https://evil.example\x1b\\b\x1b]8;;\x1b\\",
    "over the line": "a\rb",
    "backspace": "a\x08\x08b",
    "delete": "a\x7fb",
    "bell": "a\x07b",
    "reset": "a\x1bcb",
    "clear": "a\x1b[2J\x1b[3J\x1b[Hb",
    "alternate screen": "a\x1b[?1049hb",
    "character set": "a\x0e\x1b(0b",
    "NUL": "a\x00b",
    "override": "a\u202eb\u202c",
    "embedding": "a\u202ab\u202b\u202d",
    "isolates": "a\u2066\u2067\u2068b\u2069",
    "deprecated format": "a\u206a\u206fb",
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
    "next line": "a\x85b",
    "vertical tab": "a\x0bb\x0cb",
    "information separators": "a\x1cb\x1d\x1e\x1f",
    "half a character": "a\ud83db",
    "entities": "a&#x1b;]0;t&#7;&#x9b;31m&#x202e;&#13;b",
}

ACTIVE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u206f\ud800-\udfff]"
)
#: What rich itself may write: styles, moves of the cursor, erasing, and hiding it.
DRAWN = re.compile(
    r"\x1b\[(?:[0-9;]*m|[0-9]*[A-G]|[012]?[KJ]|\?25[hl])|\r(?=\x1b|\n|\Z)"
)

#: What stays as it is: joined emoji, Arabic, Persian, Hebrew with its marks, tabs.
HONEST = "👩‍👩‍👧 ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 سلام می‌خواهم שלום\u200f! \u200eZürich ＝ 日本語"


def is_harmless(output: str) -> bool:
    """Return whether `output` holds no control sequence besides those that rich draws
    with."""
    return not ACTIVE.search(DRAWN.sub("", output))


def a_table(text: str) -> Table:
    """Return a table with `text` wherever a table can have some."""
    table = Table(title=text, caption=text, show_footer=True)
    table.add_column(text, footer=text)
    table.add_column(Text(text, "bold"), overflow="fold")
    table.add_row(text, Text(text, "red"))
    return table


DRAWINGS: dict[str, Callable[[str], object]] = {
    "text": lambda text: text,
    "styled text": lambda text: Text(text, "bold"),
    "a link": lambda text: Text(text, f"link https://evil.example/{'x'}"),
    "a table": a_table,
    "markdown": terminal_markdown.markdown,
    "markdown code": lambda text: terminal_markdown.markdown(f"```python\n{text}\n```"),
    "markdown inline": lambda text: terminal_markdown.markdown(
        f"**{text}** `{text}` _{text}_"
    ),
    "markdown list": lambda text: terminal_markdown.markdown(
        f"# {text}\n\n- {text}\n\n> {text}"
    ),
    "markdown table": lambda text: terminal_markdown.markdown(
        f"|{text}|\n|-|\n|{text}|"
    ),
    "markdown link": lambda text: terminal_markdown.markdown(
        f"[{text}](https://e.example/{text})"
    ),
    "markdown image": lambda text: terminal_markdown.markdown(
        f"![{text}](https://e.example/a)"
    ),
}


def drawn(renderable: object, *, encoding: str = "utf-8") -> str:
    """Return what a terminal receives for `renderable`."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding)
    console = terminal.on(file, width=60, force_terminal=True, color_system="truecolor")
    console.print(renderable)
    file.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_nothing_that_is_drawn_is_obeyed(drawing: str) -> None:
    nth = [*DRAWINGS].index(drawing)
    for attack in share([*ATTACKS.values()], nth, 6):
        output = drawn(DRAWINGS[drawing](attack))
        assert is_harmless(output), ascii(attack)
        assert "\x1b[8m" not in output
        assert "\x1b[31;42m" not in output
        assert {"a", "b"} <= set(DRAWN.sub("", output)), ascii(attack)


def test_nothing_that_is_said_is_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    for attack in ATTACKS:
        terminal.say(ATTACKS[attack])
        terminal.complain(f"{ATTACKS[attack]}\nthreadkeep: all is well")
        said = capsys.readouterr()
        assert not ACTIVE.search(said.out + said.err), attack
        assert (said.out.count("\n"), said.err.count("\n")) == (1, 1), attack


# Whatever the attack, one function filters it, which is tried on all of them above.
@pytest.mark.parametrize("attack", share([*ATTACKS], 1, 4))
def test_an_answer_that_grows_drives_nothing(attack: str) -> None:
    text = f"# {ATTACKS[attack]}\n\n{ATTACKS[attack]} `{ATTACKS[attack]}`\n\nend"
    out, plain = io.StringIO(), io.StringIO()
    screen = RichScreen(terminal.on(out, width=40, height=6, force_terminal=True))
    screens = (screen, PlainScreen(plain))
    for end in (*range(1, len(text), rounds(12, 1)), len(text)):
        for each in screens:
            each.update(text[:end])
    for each in screens:
        each.close()
    assert is_harmless(out.getvalue())
    assert not ACTIVE.search(plain.getvalue())


def test_what_is_printed_beside_a_moving_bar_is_filtered_too() -> None:
    out = io.StringIO()
    console = terminal.on(out, width=40, force_terminal=True)
    with Live("…", console=console, auto_refresh=False):
        for attack in ATTACKS.values():
            console.print(attack, soft_wrap=True)
            sys.stdout.write(f"{attack}\n")
    assert is_harmless(out.getvalue())


def test_brackets_are_brackets() -> None:
    for text in (
        "[/red]",
        "[bold]x[/bold]",
        ":smile:",
        "[link=https://e.example]x",
        "[/]",
    ):
        assert text in drawn(text)
        assert drawn(a_table(text)).count(text) == 7


def test_a_link_shows_where_it_leads() -> None:
    output = drawn(terminal_markdown.markdown("[your bank](https://evil.example)"))
    assert "https://evil.example" in output
    assert "\x1b]8" not in output


def test_what_people_write_stays() -> None:
    for text in (HONEST, "one\n\ttwo"):
        assert terminal.printable(text) == text
    assert "".join(drawn(HONEST).split()) == "".join(HONEST.split())


def test_a_table_keeps_its_lines_and_loses_no_letter() -> None:
    table = Table("key", "value", box=None)
    table.add_row("k1", "one\u2028two\x85three")
    table.add_row("k2", "x" * 10 + "\u202e" * 30 + "y" * 10)
    table.add_row("k3", "\u2029".join("abcdefgh"))
    lines = [line.split() for line in drawn(table).splitlines()]
    assert DRAWN.sub("", " ".join(lines[1])) == "k1 one two three"
    assert DRAWN.sub("", " ".join(lines[2])) == "k2 " + "x" * 10 + "y" * 10
    assert DRAWN.sub("", " ".join(lines[3])) == "k3 a b c d e f g h"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_what_a_terminal_has_no_letter_for_is_no_error(encoding: str) -> None:
    assert "?" in drawn(a_table(f"{HONEST} é"), encoding=encoding)
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding)
    terminal.say(HONEST, file=file)
    assert b"?" in raw.getvalue()


def test_what_programs_read_is_utf_8_wherever_it_goes() -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, "ascii")
    terminal.through(file).write(HONEST)
    file.flush()
    assert raw.getvalue().decode() == HONEST


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_programs_read_is_exact_unless_people_see_it() -> None:
    for attack in ATTACKS:
        text = ATTACKS[attack]
        pipe, screen = io.StringIO(), Screen()
        terminal.through(pipe).write(text)
        terminal.through(screen).write(text)
        assert pipe.getvalue() == text, attack
        assert not ACTIVE.search(screen.getvalue()), attack
        for indent in (None, 2):
            written = terminal.as_json({text: [text]}, indent=indent)
            assert not ACTIVE.search(written), attack
            assert json.loads(written) == {text: [text]}, attack


def test_a_line_of_the_log_is_one_line_of_text() -> None:
    for attack in ATTACKS:
        record = logging.LogRecord(
            *(
                "x",
                logging.ERROR,
                "x",
                1,
                "turn.failed thread=%s",
                (ATTACKS[attack] + "\nb",),
            ),
            None,
        )
        line = Redacting("%(levelname)s %(message)s").format(record)
        assert not ACTIVE.search(line), attack
        assert "\n" not in line, attack


def mixtures(count: int) -> Iterator[str]:
    """Texts of attacks, parts of them, single characters and honest words."""
    chance = random.Random(20)
    whole = [*ATTACKS.values(), HONEST, "[/red]", "word", " ", "\n", "|", "`", "*", "_"]
    single = "\x1b[]()#;?0123456789mhlcABHJK\x07\\\r\x08\x9b\x9d\u202e\u2066\t\n\u2028 "
    for _ in range(count):
        parts = []
        for _ in range(chance.randint(1, 6)):
            match chance.randrange(4):
                case 0:
                    parts.append(chance.choice(whole))
                case 1:
                    parts.append(
                        "".join(chance.choices(single, k=chance.randint(1, 8)))
                    )
                case 2:
                    parts.append(chr(chance.randrange(0x110000)))
                case _:
                    part = chance.choice(whole)
                    parts.append(part[chance.randrange(len(part)) :])
        yield "".join(parts)


def test_mixtures_drive_nothing() -> None:
    """Every twentieth is drawn as well, which takes longer."""
    for number, text in enumerate(mixtures(rounds(150, 100_000))):
        found = terminal.printable(text)
        assert not any(map(ACTIVE.match, set(found)))
        assert len(found) <= len(text)
        assert json.loads(terminal.as_json(text)) == text
        if number % 20 == 0:
            drawing = list(DRAWINGS.values())[number // 20 % len(DRAWINGS)]
            assert is_harmless(drawn(drawing(text))), ascii(text)


def test_a_screen_shows_what_was_meant() -> None:
    screen = pyte.HistoryScreen(60, 30, history=1000)
    stream = pyte.Stream(screen)
    for attack in ("title", "C1 title", "device control", "entities"):
        stream.feed(drawn(a_table(ATTACKS[attack])).replace("\n", "\r\n"))
    assert (screen.title, screen.icon_name) == ("", "")


def test_the_categories_are_complete() -> None:
    """Every control character but line feed and tab, whatever Unicode adds; so far all
    are in its first plane."""
    for character in map(chr, range(rounds(0x10000, 0x110000))):
        if unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs"):
            assert bool(ACTIVE.match(character)) == (character not in "\n\t")
        if unicodedata.bidirectional(character) in (
            *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"),
        ):
            assert ACTIVE.match(character)


# That nothing else prints.

#: What prints when it is called, and what writes tables past `bot.text.csv_cells`.
PRINTERS = {
    *("print", "input", "breakpoint", "os.write", "sys.excepthook"),
    *("rich.print", "rich.print_json", "rich.get_console", "rich.inspect"),
    *("rich.console.Console", "rich.markdown.Markdown", "rich.progress.Progress"),
    *("click.echo", "click.secho", "click.echo_via_pager", "click.prompt"),
    *("click.confirm", "click.progressbar", "click.clear", "click.pause"),
    *("traceback.print_exc", "traceback.print_exception", "warnings.warn"),
    *("csv.writer", "csv.DictWriter"),
}
#: What need only be named to be written to.
STREAMS = {"sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__"}

#: Where something of that stands all the same, and why it prints nothing.
MAY: dict[tuple[str, str], str] = {
    ("bot/cli/ask.py", "sys.stdout"): "is asked whether it is a terminal",
    ("bot/cli/serve.py", "sys.stdout"): "is asked whether it is a terminal",
    ("bot/cli/triage.py", "sys.stdout"): "is asked whether it is a terminal",
    ("bot/context/files/apart.py", "sys.stdout"): "is a pipe to the process above",
    ("bot/triage/bulk/writer.py", "sys.stdout"): "is written to by `terminal.through`",
    ("adapters/terminal/adapter.py", "sys.stdout"): "is given to `terminal`",
}


def printers(tree: ast.Module) -> set[str]:
    """Return the names of everything in a module that prints."""
    names: dict[str, str] = {}
    for taken in code.of_kind(tree, ast.ImportFrom):
        names |= {a.asname or a.name: f"{taken.module}.{a.name}" for a in taken.names}
    for node in code.of_kind(tree, ast.Import):
        names |= {a.asname: a.name for a in node.names if a.asname}

    def full(node: ast.AST) -> str:
        if isinstance(node, ast.Attribute):
            return f"{full(node.value)}.{node.attr}"
        return names.get(node.id, node.id) if isinstance(node, ast.Name) else ""

    called = {full(node.func) for node in code.of_kind(tree, ast.Call)}
    named = {
        *map(full, code.of_kind(tree, ast.Attribute)),
        *map(full, code.of_kind(tree, ast.Name)),
    }
    return called & PRINTERS | named & STREAMS


@code.WALKS
def test_only_one_module_prints() -> None:
    modules = {
        str(path.relative_to(ROOT)): code.tree(path)
        for package in ("bot", "adapters", "storage")
        for path in (ROOT / package).rglob("*.py")
    }
    assert printers(modules.pop("bot/runtime/terminal.py")) >= STREAMS - {
        *("sys.__stdout__", "sys.__stderr__")
    }
    found = {(name, each) for name in modules for each in printers(modules[name])}
    assert found == set(MAY)


def test_what_prints_is_found() -> None:
    for text in (
        "import sys\nsys.stdout.write('x')",
        "from sys import stderr\nstderr.write('x')",
        "import click as c\nc.echo('x')",
        "from click import secho as s\ns('x')",
        "from rich.console import Console\nConsole().print('x')",
        "import csv\ncsv.writer(open('x'))",
        "print('x')",
    ):
        assert len(printers(ast.parse(text))) == 1, text
