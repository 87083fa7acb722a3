"""Rows that are written with their answers."""

import csv
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.errors import ConfigError
from bot.ports.archive import Row, Run
from bot.schemes.scheme import read
from bot.triage.answer import Answer
from bot.triage.bulk import writer
from storage.triage_archive import open_archive

SCHEME = "fields: {team: {type: text}, not_sorted: {type: text}}"


async def written(folder: Path, **row: Any) -> dict[str, str]:
    """Return `row` with its answer as the CSV has it, by column."""
    file = folder / "out.csv"
    run = Run(
        *("one", 1.0, "t.csv", tuple(row), ("text",), "", SCHEME, "m", False),
        ((str(file), writer.CSV),),
    )
    answer = Answer({"team": "sales", "not_sorted": "new"})

    async def nowhere(path: Path, table: str, rows: AsyncIterator[Any]) -> None:
        raise AssertionError

    async with open_archive(folder / "triage.db") as archive:
        await archive.begin(run, [(Row(1, "a", row), answer)])
        await writer.write(archive, run, read(SCHEME), nowhere)
    names, cells = csv.reader(file.read_text().splitlines())
    assert len({*names}) == len(names), names
    return dict(zip(names, cells, strict=True))


async def test_no_column_of_the_file_is_overwritten(tmp_path: Path) -> None:
    row = {"team": "a", "not_sorted": "b", "triage_team": "c", "triage_team_2": "d"}
    assert await written(tmp_path, **row) == {
        **row,
        **{"triage_team_3": "sales", "triage_not_sorted": "new"},
        "triage_not_sorted_2": "",
    }


async def test_values_of_json_are_json_in_a_cell(tmp_path: Path) -> None:
    nested = {"a": [1, "Größe", None]}
    found = await written(
        tmp_path, o=nested, m=[nested], l=[1, "x"], yes=True, none=None
    )
    assert json.loads(found["o"]) == nested
    assert json.loads(found["m"]) == [nested]
    assert (found["l"], found["yes"], found["none"]) == ("1, x", "true", "")


def test_too_many_columns_are_refused_before_anything_is_paid_for() -> None:
    columns = [f"c{n}" for n in range(996)]
    writer.check_width([("out.db", writer.SQLITE)], columns[1:], read(SCHEME))
    writer.check_width([("out.csv", writer.CSV)], columns, read(SCHEME))
    with pytest.raises(ConfigError, match="cannot hold 1,000 columns"):
        writer.check_width([("out.db", writer.SQLITE)], columns, read(SCHEME))


@pytest.mark.parametrize("name", ["out.xlsx", "out.JSON", "out.db"])
def test_a_name_of_another_format_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} would hold CSV, not"):
        writer.form_of(name, None, terminal=False)
    assert writer.form_of(name, writer.JSONL, terminal=False) == writer.JSONL


def test_a_link_to_the_output_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old")
    link = tmp_path / "out.csv"
    link.symlink_to("real.csv")
    with writer.open_result(str(link)) as file:
        file.write("new")
    assert link.is_symlink()
    assert (tmp_path / "real.csv").read_text() == "new"
    assert len([*tmp_path.iterdir()]) == 2
