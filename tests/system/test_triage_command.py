"""`threadkeep triage` as an operator uses it: processes, files and signals."""

import asyncio
import csv
import importlib.util
import io
import itertools
import json
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from bot.domain.scope import Scope
from bot.domain.triage_case import TriageCase
from storage.opening import open_store
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Fail, Hold, Step, Stop
from tests.emulators.claude.sorting import sorted_by_words
from tests.support.deep import share
from tests.support.process import Nursery, Process, claude_env
from tests.support.triage_requests import sorted_as
from tests.system.test_commands import MISTAKE, Shell
from tests.unit.triage.chat.test_corrections import TICKETS

# The nursery of the module lives on one loop, and its tests with it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

SOME, STOPPED = 1, 130


class Office(Shell):
    """A shell, and the Claude that it reaches."""

    claude: ClaudeEmulator

    def file(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def tickets(self, *texts: str) -> str:
        return self.file("tickets.csv", "\n".join(["id,ticket", *texts, ""]))

    def out(self, name: str = "out.csv") -> list[dict[str, str]]:
        with (self.folder / name).open(newline="") as file:
            return list(csv.DictReader(file))

    async def triage(self, *arguments: str) -> tuple[int, str]:
        return await self.run(claude_env(self.claude), "triage", *arguments)

    @property
    def to(self) -> tuple[str, str]:
        return "-o", str(self.folder / "out.csv")


@pytest_asyncio.fixture(loop_scope="module")
async def office(tmp_path: Path, nursery: Nursery) -> AsyncIterator[Office]:
    async with ClaudeEmulator() as claude:
        claude.always(sorted_as())
        office = Office(tmp_path, nursery)
        office.claude = claude
        yield office


async def test_csv_to_csv(office: Office) -> None:
    file = office.tickets("1,It broke", '2,"Pay, please"', "3,")
    status, printed = await office.triage(file, *office.to)
    assert status == SOME
    assert "Sorted 2 of 3 rows" in printed
    assert "Not sorted 1: empty: there is nothing to sort" in printed
    assert "bug 2 100 %" in printed
    first, second, third = office.out()
    assert first == {
        "id": "1",
        "ticket": "It broke",
        "category": "bug",
        "priority": "high",
        "summary": "It broke.",
        "not_sorted": "",
    }
    assert second["ticket"] == "Pay, please"
    assert (third["category"], third["not_sorted"][:5]) == ("", "empty")


async def test_the_same_again_costs_nothing(office: Office) -> None:
    file = office.tickets("1,It broke", "2,Pay me", "3,It broke")
    status, printed = await office.triage(file, *office.to)
    assert status == 0
    assert " now, " not in printed
    assert printed.endswith(f"Written {office.folder / 'out.csv'}")
    assert len(office.claude.questions) == 2
    status, printed = await office.triage(file, "--format", "jsonl")
    assert status == 0
    assert "Cost $0.00 now, $0.00" in printed
    assert "Written" not in printed
    assert printed.count('"category": "bug"') == 3
    assert len(office.claude.questions) == 2
    status, printed = await office.triage("list")
    assert printed.count("done") == 2


async def test_lines_in_tables_out_and_a_scheme_of_ones_own(office: Office) -> None:
    scheme = office.file(
        "own.yaml", "fields: {team: {values: [sales, tech]}, category: {type: text}}"
    )
    office.claude.always(json.dumps({"team": "TECH", "category": "=1+1"}))
    lines = [{"nr": 1, "body": "Hi", "category": "old"}, {"nr": 2, "body": "Ho"}]
    file = office.file("in.jsonl", "\n".join(map(json.dumps, lines)))
    db = str(office.folder / "out.db")
    status, _ = await office.triage(file, *office.to, "--scheme", scheme, "--db", db)
    assert status == 0
    # What the model says must not become a formula; a column that is there stays.
    assert office.out() == [
        {
            **{"nr": "1", "body": "Hi", "category": "old", "team": "tech"},
            **{"triage_category": "'=1+1", "not_sorted": ""},
        },
        {
            **{"nr": "2", "body": "Ho", "category": "", "team": "tech"},
            **{"triage_category": "'=1+1", "not_sorted": ""},
        },
    ]
    with sqlite3.connect(db) as found:
        rows = found.execute('SELECT "row", body, team, triage_category FROM tickets')
        assert rows.fetchall() == [
            (1, "Hi", "tech", "=1+1"),
            (2, "Ho", "tech", "=1+1"),
        ]
    found.close()


async def test_a_table_for_people(office: Office) -> None:
    file = office.tickets("a1,It broke")
    status, printed = await office.triage(file, "--format", "table")
    assert status == 0
    assert "id category priority summary a1 bug high It broke." in printed


async def test_the_scheme_can_be_printed_and_read_back(office: Office) -> None:
    status, printed = await office.triage("--print-scheme")
    assert status == 0
    assert "category: about: What the ticket is about." in printed
    assert not office.claude.requests


async def test_an_estimate_asks_for_nothing_that_costs(office: Office) -> None:
    file = office.tickets(*(f"{n},Ticket number {n}" for n in range(5)))
    status, printed = await office.triage(file, "--estimate")
    assert status == 0
    assert "claude-haiku-5-5 $0.00" in printed
    assert "claude-opus-5-5" in printed
    assert "5 different tickets" in printed
    assert not office.claude.questions
    assert not (office.folder / "triage.db").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{file}", "-c", "nope"], "has no column `nope`; it has `id`, `ticket`."),
        (["{empty}"], "is empty."),
        (["{file}", "--scheme", "{bad}"], "unknown type 'date'"),
        (["{file}", "-o", "{file}"], "is the input: write to another file."),
        (["{file}", "-o", "/nowhere/out.csv"], "cannot be written"),
        (["{missing}"], "cannot be read: No such file"),
        (["resume", "abc"], "There is no run abc"),
        (
            ["{file}", "--model", "gpt", "--budget", "1"],
            "The price of gpt is not known",
        ),
    ],
)
async def test_mistakes_cost_one_sentence_and_nothing_else(
    office: Office, arguments: list[str], told: str
) -> None:
    files = {
        "file": office.tickets("1,Hi"),
        "empty": office.file("empty.csv", ""),
        "bad": office.file("bad.yaml", "fields: {a: {type: date}}"),
        "missing": str(office.folder / "missing.csv"),
    }
    status, printed = await office.triage(*(a.format(**files) for a in arguments))
    assert status == MISTAKE
    assert told in printed
    assert printed.startswith("threadkeep: ")
    assert not office.claude.questions


async def test_without_a_key_it_says_so(office: Office) -> None:
    status, printed = await office.run({}, "triage", office.tickets("1,Hi"))
    assert status == MISTAKE
    assert "ANTHROPIC_API_KEY is not set" in printed


async def test_a_wrong_key(office: Office) -> None:
    env = {**claude_env(office.claude), "ANTHROPIC_API_KEY": "sk-ant-wrong"}
    file = office.tickets("1,Hi")
    status, printed = await office.run(env, "triage", file, *office.to)
    assert status == MISTAKE
    assert "the key is not accepted: set ANTHROPIC_API_KEY" in printed
    assert "sk-ant-wrong" not in printed
    assert office.out()[0]["not_sorted"] == "not asked about yet"


async def test_ids_that_come_twice_are_said_and_sorted(office: Office) -> None:
    status, printed = await office.triage(
        office.tickets("7,It broke", "7,Pay me"), *office.to
    )
    assert status == 0
    assert "More than one row has the id 7; each row is sorted by itself." in printed
    assert len(office.out()) == 2


async def test_marked_rows_are_asked_about_again_only_if_wanted(
    office: Office,
) -> None:
    office.claude.script([Stop("refusal")], [Stop("refusal")])
    file = office.tickets("1,It broke")
    status, _ = await office.triage(file, *office.to)
    assert status == SOME
    assert office.out()[0]["not_sorted"].startswith("refused")
    assert (await office.triage(file, *office.to))[0] == SOME
    assert len(office.claude.questions) == 2
    assert (await office.triage(file, *office.to, "--again"))[0] == 0
    assert office.out()[0]["category"] == "bug"


async def test_the_budget_stops_and_resume_goes_on(office: Office) -> None:
    rows = [f"{n},Ticket number {n:03}" for n in range(10)]
    file = office.tickets(*rows)
    status, printed = await office.triage(
        file, *office.to, "--budget", "0.0034", "--at-once", "1"
    )
    assert status == SOME
    assert "What is left of the budget of $0.0034 may not cover" in printed
    done = sum(row["category"] == "bug" for row in office.out())
    assert 0 < done < 10
    run = _run_of(printed)
    status, printed = await office.triage("resume", run, "--budget", "5")
    assert status == 0
    assert "Sorted 10 of 10 rows" in printed
    assert len(office.claude.questions) == 10


async def test_ctrl_c_waits_for_answers_and_keeps_them(office: Office) -> None:
    gate = asyncio.Event()
    held: list[Step] = [Hold(gate), sorted_as()]
    office.claude.script(sorted_as(), *([held] * 3))
    file = office.tickets(*(f"{n},Ticket {n}" for n in range(9)))
    process = office.process(claude_env(office.claude))
    await process.start(
        *("triage", file, *office.to, "--at-once", "3"), nursery=office.nursery
    )
    await office.claude.until(lambda: len(office.claude.questions) == 4)
    process.kill(signal.SIGINT)
    await printed_by(process, "the answers in progress; once more")
    gate.set()
    assert await process.ended() == STOPPED
    assert sum(row["category"] == "bug" for row in office.out()) == 4
    status, _ = await office.triage(file, *office.to)
    assert status == 0
    assert len(office.claude.questions) == 9


async def test_ctrl_c_twice_ends_at_once_and_keeps_what_was_answered(
    office: Office,
) -> None:
    gate = asyncio.Event()
    held: list[Step] = [Hold(gate), sorted_as()]
    office.claude.script(sorted_as(), sorted_as(), *([held] * 3))
    file = office.tickets(*(f"{n},Ticket {n}" for n in range(9)))
    process = office.process(claude_env(office.claude))
    await process.start(
        *("triage", file, *office.to, "--at-once", "3"), nursery=office.nursery
    )
    await office.claude.until(lambda: len(office.claude.questions) == 5)
    process.kill(signal.SIGINT)
    await printed_by(process, "Stopping")
    process.kill(signal.SIGINT)
    assert await process.ended() == STOPPED
    assert "2 of 9 rows are kept." in " ".join(process.output.split())
    gate.set()
    status, _ = await office.triage(file, *office.to)
    assert status == 0
    # The three that nobody waited for are asked about again.
    assert len(office.claude.questions) == 5 + 7


async def test_killed_in_the_middle_it_goes_on(office: Office) -> None:
    gate = asyncio.Event()
    held: list[Step] = [Hold(gate), sorted_as()]
    office.claude.script(*([sorted_as()] * 3), *([held] * 2))
    file = office.tickets(*(f"{n},Ticket {n}" for n in range(8)))
    process = office.process(claude_env(office.claude))
    await process.start(
        *("triage", file, *office.to, "--at-once", "2"), nursery=office.nursery
    )
    await office.claude.until(lambda: len(office.claude.questions) == 5)
    process.kill(signal.SIGKILL)
    await process.ended()
    gate.set()
    status, _ = await office.triage(file, *office.to)
    assert status == 0
    assert len(office.out()) == 8
    # Two were under way.
    assert len(office.claude.questions) == 10


@pytest.fixture
def full_disk() -> str:
    """A file that takes nothing."""
    path = Path("/dev/full")
    if not path.exists():
        pytest.skip("no /dev/full here")
    return str(path)


async def test_a_full_disk_under_the_results(office: Office, full_disk: str) -> None:
    file = office.tickets("1,It broke")
    status, printed = await office.triage(file, "-o", full_disk)
    assert status == MISTAKE
    assert "/dev/full could not be written: No space left on device." in printed
    assert "All answers are kept" in printed
    assert (await office.triage(file, *office.to))[0] == 0
    assert len(office.claude.questions) == 1


async def test_how_well_it_sorts(office: Office) -> None:
    office.claude.script(
        sorted_as(),
        sorted_as(category="billing"),
        sorted_as(category="billing", priority="low"),
        Fail(400),
        Fail(400),
    )
    file = office.file(
        "labelled.csv",
        "id,ticket,category,priority,lang\n"
        "1,It broke,bug,high,en\n"
        "2,Pay me,Billing,critical,en\n"
        "3,Hilfe,bug,,de\n"
        "4,Odd,feature,low,de\n",
    )
    out = str(office.folder / "scores.json")
    status, printed = await office.triage(
        *("eval", file, "--json", out, "--by", "lang", "--at-once", "1")
    )
    assert status == SOME
    assert "claude-haiku-5-5 default scheme 50.0 % 33.3 % 1 of 4" in printed
    [score] = json.loads((office.folder / "scores.json").read_text())
    category = score["fields"]["category"]
    assert category["accuracy"] == 0.5
    assert category["values"]["billing"] == {
        "labelled": 1,
        "precision": 0.5,
        "recall": 1.0,
    }
    assert category["confusion"]["bug"] == {"billing": 1, "bug": 1}
    assert category["confusion"]["feature"] == {"(not sorted)": 1}
    assert score["groups"]["lang"]["de"] == {"category": [0, 2], "priority": [0, 1]}
    assert [d["row"] for d in score["disagreements"]] == ["2", "3", "4", "4"]
    assert score["cost_per_1000_usd"] > 0


async def test_the_labelled_tickets_go_all_the_way(office: Office) -> None:
    # By the emulator's keywords, which say nothing about Claude.
    office.claude.always(sorted_by_words)
    with TICKETS.open(newline="") as tickets:
        rows = list(csv.DictReader(tickets))
    # Some of each kind.
    rows.sort(key=lambda each: each["kind"])
    kinds = [[*each] for _, each in itertools.groupby(rows, lambda row: row["kind"])]
    some = [each for kind in kinds for each in share(kind, 0, 25)]
    labelled = io.StringIO()
    writer = csv.DictWriter(labelled, rows[0])
    writer.writeheader()
    writer.writerows(some)
    file = office.file("labelled.csv", labelled.getvalue())
    status, printed = await office.triage("eval", file, "--by", "kind")
    assert status == 0
    count = f"0 of {len(some)}"
    # How the file is read is said first, as by `triage`.
    assert printed.index("Encoding") < printed.index(count)
    for kind in ("injection", "sarcasm", "two_problems"):
        assert kind in printed
    asked = [each.body["messages"][0]["content"] for each in office.claude.questions]
    assert len(asked) == len(some)
    # Whatever a ticket says, it cannot leave its tags.
    assert {text.count("</ticket>") for text in asked} == {1}


async def test_models_and_schemes_side_by_side(office: Office) -> None:
    file = office.file("labelled.csv", "ticket,category\nHi,bug\nHo,billing\n")
    own = office.file("own.yaml", "fields: {category: {values: [bug, billing]}}")
    status, printed = await office.triage(
        *("eval", file, "--model", "haiku", "--model", "sonnet"),
        *("--scheme", own, "--budget", "1"),
    )
    assert status == SOME
    assert f"claude-haiku-5-5 {own} 0.0 % 2 of 2" in printed
    office.claude.always('{"category": "bug"}')
    status, printed = await office.triage(
        *("eval", file, "--model", "opus", "--model", "sonnet", "--scheme", own)
    )
    assert f"claude-opus-5-5 {own} 50.0 % 0 of 2" in printed
    assert f"claude-sonnet-5-5 {own} 0.0 % 2 of 2" in printed


async def test_a_plot_needs_what_draws_it(office: Office) -> None:
    file = office.file("labelled.csv", "ticket,category\nHi,bug\n")
    picture = office.folder / "scores.png"
    status, printed = await office.triage("eval", file, "--plot", str(picture))
    if importlib.util.find_spec("matplotlib"):
        assert status == 0
        assert picture.read_bytes().startswith(b"\x89PNG")
    else:
        assert status == MISTAKE
        assert "--plot needs matplotlib: pip install matplotlib." in printed
        assert not office.claude.questions


async def test_labels_that_the_scheme_does_not_have(office: Office) -> None:
    file = office.file("labelled.csv", "ticket,category\nHi,spam\n")
    status, printed = await office.triage("eval", file)
    assert status == MISTAKE
    assert "Row 1: the scheme has no category 'spam'; it has bug, feature" in printed
    file = office.file("unlabelled.csv", "ticket\nHi\n")
    status, printed = await office.triage("eval", file)
    assert "No column has labels: one must be called `category` or `priority`" in (
        printed
    )
    assert not office.claude.questions


async def test_what_people_corrected_is_a_labelled_file(office: Office) -> None:
    place = Scope("slack", "T1", "C5", "1.0")
    async with open_store(office.folder / "threadkeep.db") as store:
        case = await store.open_case(
            TriageCase(0, place, "1.0", 1.0, "U1", "Pay me, =now")
        )
        good = {"category": "bug", "priority": "high", "summary": "x"}
        await store.record_case_result(case.id, good, "")
        await store.correct_case(case.id, "category", "billing", "U2", time.time())
    status, printed = await office.triage("corrections", *office.to)
    assert (status, printed) == (0, "1 corrected message.")
    [row] = office.out()
    assert (row["ticket"], row["category"], row["by"]) == (
        *("Pay me, =now", "billing", "U2"),
    )
    office.claude.always(sorted_as(category="billing"))
    file = str(office.folder / "out.csv")
    status, printed = await office.triage("eval", file)
    assert status == 0
    assert "100.0 % 100.0 % 0 of 1" in printed


async def test_a_batch_from_the_first_row_to_the_last(office: Office) -> None:
    file = office.tickets("1,It broke", "2,Pay me")
    status, printed = await office.triage(file, *office.to, "--batch")
    assert status == 0
    assert "Sorted 2 of 2 rows" in printed
    assert "with claude-haiku-5-5, in batches" in printed
    assert not office.claude.questions
    status, printed = await office.triage("list")
    assert "2 done claude-haiku-5-5 1" in printed


async def test_a_batch_outlives_its_terminal_and_can_be_cancelled(
    office: Office,
) -> None:
    office.claude.batches.seconds = 3600
    file = office.tickets("1,It broke", "2,Pay me")
    process = office.process(claude_env(office.claude))
    await process.start("triage", file, *office.to, "--batch", nursery=office.nursery)
    await office.claude.until(lambda: bool(office.claude.batches.made))
    await printed_by(process, "collects it")
    await until_stored(office, "SELECT 1 FROM batches WHERE batch != ''")
    process.kill(signal.SIGINT)
    assert await process.ended() == STOPPED
    run = _run_of(process.output)
    _, printed = await office.triage("list")
    assert f"{run} " in printed
    assert "2 left, 1 in progress" in printed
    # As if the process had been killed before it could store the id.
    with closing(sqlite3.connect(office.folder / "triage.db")) as db, db:
        db.execute("UPDATE batches SET batch = ''")
    for count in (1, 0):
        _, printed = await office.triage("cancel", run)
        assert f"Batches being cancelled: {count}." in printed
    status, printed = await office.triage("resume", run)
    assert status == SOME
    assert "was cancelled. Its answers are kept" in printed
    office.claude.batches.seconds = 0
    status, printed = await office.triage("resume", run)
    assert status == 0
    assert len(office.out()) == 2
    status, printed = await office.triage("resume", run)
    assert status == MISTAKE
    assert "is done and written" in printed


async def printed_by(process: Process, text: str) -> None:
    """Wait until a process has printed `text`."""
    async with asyncio.timeout(60):
        while text not in " ".join(process.output.split()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # a file cannot be awaited


async def until_stored(office: Office, query: str) -> None:
    """Wait until `query` finds something in the archive of runs."""
    async with asyncio.timeout(60):
        with closing(sqlite3.connect(office.folder / "triage.db")) as db:
            while db.execute(query).fetchone() is None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


def _run_of(printed: str) -> str:
    """Return the run that a command says how to go on with."""
    return printed.rsplit("triage resume ", 1)[1].split("`")[0]


async def test_what_may_be_read_wrongly_stops_before_anything_is_sent(
    office: Office,
) -> None:
    file = office.file("t.csv", 'id,text\n1,"It broke\n2,Pay me\n3,Help me\n')
    for more in ((), ("--dry-run",), ("--estimate",)):
        status, printed = await office.triage(file, *office.to, *more)
        assert status == MISTAKE
        assert "the quote that opens in line 2 is never closed" in printed
    assert not office.claude.requests
    status, _ = await office.triage(file, *office.to, "--force")
    assert status == 0
    assert len(office.claude.questions) == 1


async def test_how_a_file_is_read_is_said_before_it_is_paid_for(
    office: Office,
) -> None:
    path = office.folder / "t.csv"
    rows = "1;Größe 1;ändern\n2;;Café\n3;\u200b;\n;;\n"
    path.write_bytes(f"id;Betreff;text\n{rows}".encode("cp1252", "ignore"))
    arguments = (str(path), "--column", "betreff,text", *office.to)
    status, printed = await office.triage(*arguments, "--dry-run")
    assert status == 0
    for told in (
        "CSV, separator: semicolon",
        "Encoding Windows-1252 (guessed from its text)",
        "Rows 3; 1 row without any value left out; 1 with an empty ticket not sent",
        "Ticket Betreff, text (as --column says)",
        "Id id",
        "Warning: the encoding is a guess (Windows-1252, so that it says Größe, ändern",
    ):
        assert told in printed
    assert not office.claude.requests
    status, printed = await office.triage(*arguments)
    assert status == SOME
    assert "Ticket Betreff, text (as --column says)" in printed
    assert [row["Betreff"] for row in office.out()] == ["Größe 1", "", ""]
    assert office.out()[0]["category"] == "bug"


async def test_rows_that_cannot_be_read_have_a_row_in_the_output(
    office: Office,
) -> None:
    lines = ['{"id": "", "text": "It broke", "x": NaN}', "nope", '{"id": "", "y": 2}']
    lines.append('{"id": "", "text": "It hangs"}')
    file = office.file("t.jsonl", "\n".join(lines))
    status, printed = await office.triage(file, *office.to)
    assert status == SOME
    assert "More than one row" not in printed
    assert "line 2 cannot be read: marked in the output" in printed
    first, second, third, fourth = office.out()
    assert (first["category"], first["x"], fourth["category"]) == ("bug", "NaN", "bug")
    assert second["not_sorted"] == "unreadable: line 2, it is not valid JSON"
    assert third["not_sorted"].startswith("empty")
    assert third["y"] == "2"
    assert len(office.claude.questions) == 2
    assert (await office.triage(file, *office.to))[0] == SOME
    assert len(office.claude.questions) == 2
