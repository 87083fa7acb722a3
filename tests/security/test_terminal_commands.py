"""Every command in a pseudo-terminal, with attacks in every source of text."""

import asyncio
import csv
import fcntl
import io
import json
import os
import pty
import re
import struct
import termios
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from bot.domain.budget import NO_LIMITS, Charge
from bot.domain.completion import Usage
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import AuditEntry, Change
from bot.domain.triage_case import TriageCase
from storage.opening import open_store
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.security.test_spreadsheets import formulas
from tests.security.test_terminal import ACTIVE
from tests.support.commands_here import carry_out
from tests.support.deep import DEEP, deep_only, share
from tests.support.process import Nursery, claude_env
from tests.support.store_helpers import exchange, said
from tests.support.triage_requests import sorted_as
from tests.system.test_commands import MISTAKE, Shell

# The nursery of the module lives on one loop, and its tests with it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Every kind of attack in one text, without what a file's name cannot hold.
EVIL = (
    "A\x1b]52;c;eA==\x07\x1b]0;TITLE\x1b\\\x1b[8m\x1b[31;42m\x9b31;42m\x9d0;TITLE\x9c"
    "\x1b[2J\x1b]8;;https://e.example\x07\u202e\u2066\u2028\x85\x08\x7f\x1bP$q\x1b\\[/red]Z"
)
#: What is to be seen of it, if no line ends within.
SEEN = "A]52;c;eA=="
#: The same for a sign that spreadsheets know.
FORMULA = f"={EVIL}"

#: What rich and prompt_toolkit may write. Of what EVIL holds, only erasing could be.
DRAWN = re.compile(r"\x1b\[\??[0-9;]*[A-Za-z]|\x1b[=>]|\r|\x08+(?=\x1b)")
NEVER = ("\x1b[8m", "\x1b[31;42m", "\x1b[2J", "\x1b]", "\x1bP")

COLUMNS, LINES = 400, 50

PROMPT = "›"


@contextmanager
def _terminal() -> Iterator[tuple[int, int]]:
    master, slave = pty.openpty()
    size = struct.pack("HHHH", LINES, COLUMNS, 0, 0)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
    os.set_blocking(master, False)
    try:
        yield master, slave
    finally:
        os.close(master)
        os.close(slave)


class Screen:
    """The output that a terminal received."""

    def __init__(self, master: int) -> None:
        self._master = master
        self._sent = b""
        self._seen = 0
        self._more = asyncio.Event()
        asyncio.get_running_loop().add_reader(master, self.read)

    def read(self) -> None:
        """Take in what was sent."""
        while True:
            try:
                self._sent += os.read(self._master, 1 << 16)
            except BlockingIOError:
                self._more.set()
                return

    def close(self) -> str:
        """Take in the rest, and return all of it."""
        asyncio.get_running_loop().remove_reader(self._master)
        self.read()
        return self.text

    @property
    def text(self) -> str:
        return self._sent.decode(errors="surrogateescape")

    async def until(self, words: str) -> None:
        """Wait until `words` are to be seen, and then a prompt, after what was waited
        for before."""
        try:
            async with asyncio.timeout(60):
                while PROMPT not in self._fresh().partition(words)[2]:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(f"{words} is not in {self._fresh()!a}") from None
        self._seen = len(self.text)

    def _fresh(self) -> str:
        return DRAWN.sub("", self.text[self._seen :])


def check(sent: str) -> str:
    """Check that a terminal was sent no control sequences besides those for drawing;
    return the visible text on one line."""
    for each in NEVER:
        assert each not in sent
    left = DRAWN.sub("", sent)
    assert not ACTIVE.search(left), ascii(ACTIVE.search(left))
    assert "Traceback" not in left
    return " ".join(left.split())


class Desk(Shell):
    """A shell in a terminal, and the Claude that it reaches."""

    claude: ClaudeEmulator

    async def see(self, *arguments: str, **env: str) -> tuple[int, str]:
        """Return the exit status of a command, and what people see of what it
        prints."""
        wide = {
            **{"TERM": "xterm-256color", "PATH": os.environ["PATH"]},
            "THREADKEEP_DB": str(self.folder / "threadkeep.db"),
        }
        with _terminal() as (master, slave):
            screen = Screen(master)
            everything = {**wide, **claude_env(self.claude), **env}
            if "/dev/stdout" in arguments:
                # A process of its own prints this.
                terminal = Path(os.ttyname(slave))
                began = await self.nursery.fork(arguments, everything, terminal)
                async with asyncio.timeout(60):
                    status = await began.wait()
            else:
                size = {"COLUMNS": str(COLUMNS), "LINES": str(LINES)}
                status, _ = await carry_out(
                    arguments, {**everything, **size}, self.folder, terminal=slave
                )
            return status, check(screen.close())

    def read(self, path: str) -> str:
        return Path(path).read_bytes().decode()

    def file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def tickets(self) -> str:
        """Tickets with attacks in every cell, in the head and in the file's name."""
        out = io.StringIO()
        lines = csv.writer(out)
        lines.writerow([f"id {EVIL}", "ticket", "[/red]", EVIL, "category"])
        lines.writerow([f"1{EVIL}", f"It broke {EVIL}", "[/x]", EVIL, "bug"])
        lines.writerow([f"1{EVIL}", f"Pay me {EVIL}", "[/y]", FORMULA, "bug"])
        return self.file(f"tickets{EVIL.replace('/', '')}.csv", out.getvalue())


@pytest_asyncio.fixture(loop_scope="module")
async def desk(tmp_path: Path, nursery: Nursery) -> AsyncIterator[Desk]:
    async with ClaudeEmulator() as claude:
        claude.always(sorted_as(summary=f"It broke {EVIL}"))
        desk = Desk(tmp_path, nursery)
        desk.claude = claude
        yield desk


EVIL_PLACE = Scope("slack", f"T{EVIL}", f"C{EVIL}")


async def fill(desk: Desk, place: Scope = EVIL_PLACE) -> None:
    """Have attacks said, set, refused, spent, corrected and answered."""
    thread = ThreadKey(place.platform, place.workspace, place.channel, "1.0")
    async with open_store(desk.folder / "threadkeep.db") as store:
        changes = [
            Change(place, "prompt", f"Be brief. {EVIL}\n{FORMULA}", versioned=True),
            Change(place, "stop_sequences", json.dumps([EVIL])),
        ]
        await store.change_settings(changes, who=FORMULA, now=1.0)
        await store.record_refusal(
            AuditEntry(0, 2.0, place, FORMULA, "denied", f"set {EVIL}")
        )
        charge = Charge(place, FORMULA, "auto-triage", f"model {EVIL}", 4.0)
        opened = await store.open_charge(charge, NO_LIMITS, time.time())
        assert isinstance(opened, int)
        await store.close_charge(opened, Usage(), 2.5, time.time())
        asked = said("1", thread=thread, author=FORMULA, text=FORMULA)
        await exchange(store, asked, FORMULA)
        facts = await store.turn_facts(thread)
        assert facts is not None
        await store.record_feedback(thread, facts.key, True)
        case = await store.open_case(TriageCase(0, place, "1.0", 1.0, "U1", FORMULA))
        values = {"category": "bug", "priority": "high", "summary": FORMULA}
        await store.record_case_result(case.id, values, "")
        await store.correct_case(case.id, "category", EVIL, FORMULA, time.time())


SINCE = ("--since", "1970-01-01")
CSV, JSON = ("--format", "csv"), ("--format", "json")


REPORTS = (
    ("usage", "--by", "person"),
    ("audit", *SINCE),
    ("audit", "--refused", *SINCE),
    ("feedback", *SINCE),
    # All forms of a table are written by one function, and all files opened by one.
    ("usage", "--by", "person", *JSON),
    ("audit", *SINCE, *CSV),
    ("settings", "export"),
    ("triage", "corrections"),
    ("triage", "corrections", "-o", "/dev/stdout"),
    *deep_only(
        ("usage",),
        *(("usage", "--by", by) for by in ("channel", "model", "thread")),
        ("usage", "--by", "person", *CSV),
        ("audit", *SINCE, *JSON),
        ("audit", "--refused", *SINCE, *CSV),
        ("audit", "--refused", *SINCE, *JSON),
        ("feedback", "--texts", *SINCE, *CSV),
        ("feedback", "--texts", *SINCE, *JSON),
        ("settings", "export", "-"),
        ("settings", "export", "/dev/stdout", "--force"),
    ),
)


async def test_what_is_stored_is_printed_as_text(desk: Desk) -> None:
    await fill(desk)
    for arguments in REPORTS:
        status, seen = await desk.see(*arguments)
        assert status == 0, arguments
        assert "A" in seen, arguments
        assert "]52;c;eA==" in seen, arguments


PIPED = (
    ("usage", "--by", "person", *CSV),
    ("audit", *SINCE, *CSV),
    ("audit", "--refused", *SINCE, *CSV),
    ("feedback", "--texts", *SINCE, *CSV),
    ("triage", "corrections"),
)


async def test_a_pipe_gets_all_of_it_and_no_formula(desk: Desk) -> None:
    await fill(desk)
    for arguments in PIPED:
        env = {"THREADKEEP_DB": str(desk.folder / "threadkeep.db")}
        status, printed = await carry_out(arguments, env, desk.folder)
        assert status == 0, arguments
        assert formulas(printed) == [], arguments
        assert "=A\x1b]52" in printed, arguments


async def test_settings_that_are_imported_are_shown_as_text(desk: Desk) -> None:
    await fill(desk)
    evil = EVIL.replace("/", "")
    file = str(desk.folder / f"settings{evil}.yaml")
    status, seen = await desk.see("settings", "export", file)
    assert (status, SEEN in seen) == (0, True)
    status, seen = await desk.see("settings", "export", file)
    assert (status, SEEN in seen) == (MISTAKE, True)
    status, seen = await desk.see("settings", "import", file)
    assert (status, SEEN in seen) == (MISTAKE, False)
    # A prompt may change the direction of text, and hold no control character.
    prompt = "Be bold. \u202ea\u2066b\u2028c [/red]"
    file = desk.file(f"own{evil}", f"version: 1\nslack: {{T1: {{prompt: '{prompt}'}}}}")
    for flags in (("--dry-run",), ()):
        status, seen = await desk.see("settings", "import", file, *flags)
        assert status == 0, seen
        assert "Be bold. ab" in seen
        assert "[/red]" in seen
    status, seen = await desk.see("backup", f"{file}.db")
    assert (status, SEEN in seen) == (0, True)


async def test_tickets_are_sorted_in_a_terminal(desk: Desk) -> None:
    file = desk.tickets()
    ids = ("--id", " ".join(f"id {EVIL}".split()))
    status, seen = await desk.see("triage", file, *ids)
    assert status == 0, seen
    assert f"It broke {SEEN}" in seen
    assert "More than one row has the id A" in seen
    for form in (CSV, *deep_only(("--format", "jsonl"), ("--format", "table"))):
        # A file that is named is opened as what is printed without one.
        for to in (("-o", "/dev/stdout"), *deep_only(())):
            status, seen = await desk.see("triage", file, *ids, *form, *to)
            assert (status, SEEN in seen, "[/red]" in seen) == (0, True, True), seen
    out = desk.folder / "out.txt"
    status, _ = await desk.see("triage", file, *ids, "-o", str(out))
    assert status == 0
    assert not ACTIVE.search(out.read_text())
    assert SEEN in out.read_text()
    status, seen = await desk.see("triage", "list")
    assert (status, f"tickets{SEEN}" in seen) == (0, True)
    status, seen = await desk.see("triage", file, *ids, "--estimate")
    assert (status, "2 different tickets" in seen) == (0, True)


async def test_sorted_tickets_hold_no_formula_and_come_back(desk: Desk) -> None:
    file = desk.tickets()
    desk.claude.always(sorted_as(summary=FORMULA))
    for name in ("out.csv", "again.csv"):
        out = str(desk.folder / name)
        status, _ = await desk.see("triage", file, "-c", "ticket", "-o", out)
        assert status == 0
        assert formulas(desk.read(out)) == []
        file = out
    first, again = (
        list(
            csv.DictReader(io.StringIO(desk.read(str(desk.folder / name)), newline=""))
        )
        for name in ("out.csv", "again.csv")
    )
    assert [{key: row[key] for key in first[0]} for row in again] == first
    assert first[0]["summary"].startswith("'=A")


async def test_scores_and_schemes_are_text(desk: Desk) -> None:
    file = desk.tickets()
    desk.claude.always(sorted_as(category="billing", summary=EVIL))
    name = f"own{EVIL.replace('/', '')}.yaml"
    scheme = desk.file(
        name,
        "fields: {category: {values: [bug, billing, '[/red]', \"a\\e]0;TITLE\\a\"]}}\n",
    )
    desk.claude.always('{"category": "billing"}')
    column = " ".join(EVIL.split())
    chosen = ("--scheme", scheme, "-c", "ticket", "--by", column)
    status, seen = await desk.see("triage", "eval", file, *chosen)
    assert status == 0, seen
    assert f"own{SEEN}" in seen
    assert "[/red]" in seen
    for to in ("-", *deep_only("/dev/stdout")):
        status, seen = await desk.see("triage", "eval", file, *chosen, "--json", to)
        assert status == 0
        assert "A\\u001b]52;c;eA==" in seen
    status, seen = await desk.see("triage", "--print-scheme", "--scheme", scheme)
    assert (status, "[/red]" in seen) == (0, True)


ATTACKS = (
    (EVIL,),
    ("usage", "--since", EVIL),
    ("audit", "--in", EVIL),
    # Refused before the command begins, by the library that reads the line.
    *share(
        (
            ("usage", EVIL),
            ("usage", f"--{EVIL}"),
            ("usage", "--by", EVIL),
            ("audit", "--most", EVIL),
            ("audit", "--format", EVIL),
            ("feedback", EVIL),
            ("check", EVIL),
            ("serve", EVIL),
            ("settings", EVIL),
            ("triage", "run", "x", EVIL),
            ("triage", "run", "x", "--budget", EVIL),
        ),
        *(1, 4),
    ),
    ("settings", "import", f"/nowhere/{EVIL}"),
    ("settings", "export", f"/nowhere/{EVIL}"),
    ("backup", f"/nowhere/{EVIL}"),
    ("triage", f"/nowhere/{EVIL}"),
    ("triage", "run", "x", "--model", EVIL),
    ("triage", "run", "/dev/null", "-o", f"/nowhere/{EVIL}"),
    ("triage", "run", "x", "--scheme", f"/nowhere/{EVIL}"),
    ("triage", "--print-scheme", "--scheme", f"/nowhere/{EVIL}"),
    ("triage", "resume", EVIL),
    ("triage", "cancel", EVIL),
    ("triage", "eval", f"/nowhere/{EVIL}"),
    ("triage", "eval", "x", "--model", EVIL),
    ("triage", "corrections", "--since", EVIL),
)


async def test_arguments_are_told_as_text(desk: Desk) -> None:
    await fill(desk)
    for arguments in ATTACKS:
        status, seen = await desk.see(*arguments)
        assert status in (0, MISTAKE), arguments
        assert seen, arguments


@pytest.mark.parametrize("name", ["eine Spalte\x1b]0;TITLE\x07", "[/red]"])
async def test_columns_are_named_as_text(desk: Desk, name: str) -> None:
    file = desk.file("x.csv", f'"a {name}","b {name}"\n1,x\n2,y\n')
    status, seen = await desk.see("triage", file)
    assert status == MISTAKE
    assert "Say with --column which column of" in seen
    assert "[/red]" in seen or "`b " in seen
    file = desk.file("y.csv", f'ticket,category\nx,"{name} {EVIL}"\n')
    status, seen = await desk.see("triage", "eval", file)
    assert (status, "the scheme has no category" in seen) == (MISTAKE, True)


async def test_a_file_whose_name_is_no_text(desk: Desk) -> None:
    name = os.fsdecode(bytes(desk.folder) + b"/t\xff\xfe.csv")
    desk.file(name, "ticket\nIt broke\n")
    for target in ("-", os.fsdecode(bytes(desk.folder) + b"/o\xff.csv")):
        status, seen = await desk.see("triage", name, "-o", target)
        assert status == 0, seen
    status, seen = await desk.see("triage", "list")
    assert (status, "t\ufffd\ufffd.csv" in seen) == (0, True)
    status, seen = await desk.see("settings", "import", f"{name}.yaml")
    assert (status, "cannot be read" in seen) == (MISTAKE, True)


VARIABLES = (
    *("THREADKEEP_MODEL", "THREADKEEP_PROMPT", "THREADKEEP_ADMINS"),
    *("THREADKEEP_LOG", "THREADKEEP_BUDGET_DAY", "THREADKEEP_DB"),
    *("ANTHROPIC_BASE_URL", "SLACK_BOT_TOKEN", "DISCORD_TOKEN"),
)


async def test_variables_are_told_as_text(desk: Desk) -> None:
    commands = (("check", "--offline"), ("usage",), ("triage", "list"))
    for number, variable in enumerate(VARIABLES):
        for command in share(commands, number, 3):
            status, _ = await desk.see(*command, **{variable: EVIL})
            assert status in (0, 1, MISTAKE), variable


ODD_YAML = {
    "a list as a name": "version: 1\n? [a, b]\n: {quiet: on}\n",
    "a nested list as a name": "version: 1\nslack: {? [[a], [b]] : {quiet: on}}\n",
    "names as a name": "version: 1\nslack: {T1: {? {a: b} : on}}\n",
    "nothing as a name": "version: 1\nslack: {~: {quiet: on}}\n",
    "no name": "version: 1\nslack: {: {quiet: on}}\n",
    "a date as a name": "version: 1\nslack: {T1: {2026-11-28: on}}\n",
    "itself": "version: 1\nslack: &a {T1: *a}\n",
    "itself as a name": "version: 1\n? &a [*a]\n: x\n",
    "itself in a list": "&a [*a]\n",
    "much nesting": "[" * 100_000,
    "much nesting of names": "{a: " * 100_000,
    "much nesting by indents": "\n".join(" " * n + "a:" for n in range(2_000)),
    "a merge": "version: 1\n<<: [a, b]\n",
    "an object": "!!python/object/apply:os.system [id]\n",
    "a set": "!!set {a, b}\n",
    "bytes": "version: 1\nslack: {T1: {prompt: !!binary aGk=}}\n",
    "a list of lists": "version: 1\nslack: {T1: {prompt: [[a]]}}\n",
    "nothing": "",
    "a word": "word\n",
    "a number": "5\n",
    "two documents": "version: 1\n---\nversion: 1\n",
    "a large number": f"version: {'9' * 10_000}\n",
    "an attack": 'version: 1\nslack: {T1: {"\\e]0;TITLE\\a": on}}\n',
    "an attack as a platform": 'version: 1\n"\\e]52;c;A\\a": {T1: {quiet: on}}\n',
    "an attack as a value": 'version: 1\nslack: {T1: {quiet: "\\e]0;TITLE\\a"}}\n',
    "an attack as it is": "version: 1\nslack: {T1: {quiet: \x1b]0;TITLE\x07}}\n",
}


async def test_odd_settings_are_refused_in_a_sentence(desk: Desk) -> None:
    await fill(desk)
    # `test_documents` and `test_import` show that every document costs a sentence;
    # here it is printed.
    attacks = [kind for kind in ODD_YAML if "attack" in kind]
    others = [kind for kind in ODD_YAML if kind not in attacks]
    for number, kind in enumerate((*attacks, *share(others, 0, 6))):
        file = desk.file("odd.yaml", ODD_YAML[kind])
        status, seen = await desk.see("settings", "import", file)
        assert status == MISTAKE, kind
        assert seen.startswith("threadkeep: "), kind
        assert "internal error" not in seen, kind
        if not DEEP and number % 5:
            continue
        status, seen = await desk.see("triage", file, "--scheme", file)
        assert (status, "internal error" in seen) == (MISTAKE, False), kind


async def test_a_conversation_drives_nothing(desk: Desk) -> None:
    """As people have it: typed, with answers that grow."""
    link = "[your bank](https://evil.example)"
    desk.claude.always(f"# Yes {EVIL}\n\n{link} `{EVIL}`\n\n{EVIL} end.")
    env = {
        **{"TERM": "xterm-256color", "PATH": os.environ["PATH"]},
        **{"PROMPT_TOOLKIT_NO_CPR": "1", **claude_env(desk.claude)},
        "THREADKEEP_DB": str(desk.folder / "threadkeep.db"),
    }
    with _terminal() as (master, slave):
        screen = Screen(master)
        terminal = Path(os.ttyname(slave))
        process = await desk.nursery.fork(("chat",), env, terminal, given=terminal)
        await screen.until("Threadkeep. Ask something")
        os.write(master, b"hello \x1b[200~\x1b]0;TITLE\x07\x1b[201~\r")
        await screen.until("end.")
        for line, words in (
            (b"/set prompt channel \x9b31;42m be brief\r", "Saved for"),
            (b"/settings\r", "Everything else is the default"),
            (b"/new\r", "This is a new thread."),
            (b"/threads\r", "goes back to one"),
            (b"/threads 1\r", "your bank"),
            (b"/nonsense\r", "There is no /nonsense"),
        ):
            os.write(master, line)
            await screen.until(words)
        os.write(master, b"\x04")
        async with asyncio.timeout(60):
            assert await process.wait() == 0
        seen = check(screen.close())
    assert SEEN in seen
    assert "https://evil.example" in seen
