"""The archive of bulk triage, and that nothing is paid for twice."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.completion import Usage
from bot.ports.archive import DONE, Row, Run, Sent
from bot.triage.answer import EMPTY, EXPIRED, FREE, INVALID, PAID, Answer
from storage.triage_archive import TriageArchive, open_archive, read_runs

VALUES = {"category": "bug", "summary": "Größe"}
GOOD = Answer(VALUES, usage=Usage(input=10, output=5), cost=0.25)
BAD = Answer(reason=INVALID, usage=Usage(input=10, output=5), cost=0.25)


def a_run(id: str = "one", **more: object) -> Run:
    run = Run(
        id, 1.0, "t.csv", ("id", "t"), ("t",), "id", "…", "m", False, (("-", "csv"),)
    )
    return replace(run, **more)  # type: ignore[arg-type]


def rows(*digests: str) -> list[tuple[Row, Answer | None]]:
    return [
        (
            Row(n, digest, {"id": str(n), "t": digest}),
            None if digest else Answer(reason=EMPTY),
        )
        for n, digest in enumerate(digests, start=1)
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "triage.db"


@pytest.fixture
async def archive(path: Path) -> AsyncIterator[TriageArchive]:
    async with open_archive(path) as opened:
        yield opened


async def put(
    archive: TriageArchive, digest: str, answer: Answer, batch: int = 0
) -> None:
    await archive.put([(digest, answer)], "m", 2.0, batch)


async def pending(archive: TriageArchive, run: str = "one") -> list[str]:
    return [row.digest for row in await archive.pending(run, 0, 100)]


async def test_rows_that_read_the_same_are_asked_about_once(
    archive: TriageArchive,
) -> None:
    await archive.begin(a_run(), rows("a", "b", "a", ""))
    assert await pending(archive) == ["a", "b"]
    await put(archive, "a", GOOD)
    assert await pending(archive) == ["b"]
    found = await archive.rows("one", 0, 100)
    assert [row.answer.values if row.answer else None for row in found] == [
        *(VALUES, None),
        *(VALUES, None),
    ]
    tally = await archive.tally("one")
    assert (tally.rows, tally.sorted, tally.left) == (4, 2, 1)
    assert (tally.questions, tally.settled) == (3, 2)
    assert tally.marked == {EMPTY: 1}
    assert tally.cost == 0.25
    assert await archive.counts("one", "category") == {"bug": 2}


async def test_a_failed_try_is_repeated_once_and_both_are_paid_for(
    archive: TriageArchive,
) -> None:
    await archive.begin(a_run(), rows("a"))
    await put(archive, "a", BAD)
    [row] = await archive.pending("one", 0, 9)
    assert row.answer is not None
    assert row.answer.tries == 1
    await put(archive, "a", BAD)
    assert await pending(archive) == []
    tally = await archive.tally("one")
    assert (tally.cost, tally.usage.output) == (0.5, 10)
    assert tally.marked == {INVALID: 1}
    await archive.again("one", FREE)
    assert await pending(archive) == []
    await archive.again("one", PAID)
    assert await pending(archive) == ["a"]
    await put(archive, "a", GOOD)
    assert (await archive.tally("one")).cost == 0.75


async def test_values_are_never_replaced(archive: TriageArchive) -> None:
    await archive.begin(a_run(), rows("a"))
    await put(archive, "a", GOOD)
    await put(archive, "a", BAD)
    [row] = await archive.rows("one", 0, 9)
    assert row.answer is not None
    assert row.answer.values == VALUES


async def test_what_cost_nothing_is_asked_about_whenever_there_is_occasion(
    archive: TriageArchive,
) -> None:
    await archive.begin(a_run(), rows("a"))
    for key in (1, 2):
        await put(archive, "a", Answer(reason=EXPIRED), batch=key)
    assert await pending(archive) == []
    assert await archive.again("one", FREE) == 1
    assert await pending(archive) == ["a"]


async def test_results_of_a_batch_count_once(archive: TriageArchive) -> None:
    await archive.begin(a_run(), rows("a"))
    for _ in range(3):
        await put(archive, "a", BAD, batch=7)
    [row] = await archive.pending("one", 0, 9)
    assert row.answer is not None
    assert (row.answer.tries, row.answer.cost) == (1, 0.25)


async def test_the_same_file_again_goes_on_with_the_open_run(
    archive: TriageArchive,
) -> None:
    await archive.begin(a_run(), rows("a", "b"))
    outputs = (("out.csv", "csv"),)
    again = await archive.begin(a_run("two", outputs=outputs), rows("a", "b"))
    assert (again.id, again.outputs, again.rows) == ("one", outputs, 2)
    other = await archive.begin(a_run("three"), rows("b", "a"))
    assert other.id == "three"
    batched = await archive.begin(a_run("four", batched=True), rows("a", "b"))
    assert batched.id == "four"
    await archive.finish("one")
    fresh = await archive.begin(a_run("five"), rows("a", "b"))
    assert fresh.id == "five"


async def test_a_finished_run_keeps_answers_and_no_tickets(
    archive: TriageArchive, path: Path
) -> None:
    await archive.begin(a_run(), rows("a"))
    await put(archive, "a", GOOD)
    await archive.finish("one")
    assert await archive.rows("one", 0, 9) == []
    [(run, _, _)] = await read_runs(path)
    assert (run.id, run.state, run.rows) == ("one", DONE, 1)
    await archive.begin(a_run("two"), rows("a"))
    assert await pending(archive, "two") == []


async def test_batches_are_noted_before_they_are_sent(archive: TriageArchive) -> None:
    await archive.begin(a_run(batched=True), rows("a"))
    sent = await archive.send(Sent(0, "one", "", 5.0, 1, 0.5))
    lost = await archive.send(Sent(0, "one", "", 6.0, 1, 0.5))
    assert [each.batch for each in await archive.sent("one")] == ["", ""]
    await archive.arrived(sent.key, "msgbatch_1")
    await archive.arrived(lost.key, "")
    await archive.collected(sent.key)
    [found] = await archive.sent("one")
    assert found == replace(sent, batch="msgbatch_1", collected=True)


async def test_ids_that_come_twice_are_found(archive: TriageArchive) -> None:
    twins = [
        (Row(n, str(n), {"id": id, "t": "x"}), None)
        for n, id in enumerate(["7", "8", "7", 9], start=1)
    ]
    await archive.begin(a_run(), twins)
    assert await archive.duplicates("one", "id") == ["7"]


async def test_a_row_that_cannot_be_read_leaves_nothing(archive: TriageArchive) -> None:
    def broken() -> Iterator[tuple[Row, Answer | None]]:
        yield rows("a")[0]
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        await archive.begin(a_run(), broken())
    assert await archive.runs() == []
    assert await archive.rows("one", 0, 9) == []


async def test_a_run_that_goes_on_has_the_rows_of_now(archive: TriageArchive) -> None:
    begun = await archive.begin(a_run(), rows("a", "b"))
    exported_anew = [
        (Row(n, digest, {"id": f"T-{n}", "text": digest}), None)
        for n, digest in enumerate("ab", start=1)
    ]
    again = await archive.begin(a_run("two"), exported_anew)
    assert again.id == begun.id
    found = await archive.rows("one", 0, 9)
    assert [each.row for each in found] == [row.row for row, _ in exported_anew]
    assert await archive.rows("two", 0, 9) == []
