"""Rows in a table of SQLite, whose columns have names of their own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from storage.export import write_table


async def written(path: Path, *rows: Mapping[str, Any]) -> list[dict[str, Any]]:
    async def each() -> AsyncIterator[Mapping[str, Any]]:
        for row in rows:
            yield row

    await write_table(path / "out.db", "tickets", each())
    with closing(Database(path / "out.db")) as db:
        return list(db["tickets"].rows)


async def test_names_that_differ_only_in_case_are_columns_of_their_own(
    tmp_path: Path,
) -> None:
    found = await written(tmp_path, {"Text": "a", "text": "b"}, {"TEXT": "c"})
    assert found == [
        {"row": 1, "Text": "a", "text (2)": "b", "TEXT (3)": None},
        {"row": 2, "Text": None, "text (2)": None, "TEXT (3)": "c"},
    ]


async def test_a_column_called_row_is_kept(tmp_path: Path) -> None:
    found = await written(tmp_path, {"row": "7"}, {"row": "7"})
    assert found == [{"triage_row": 1, "row": "7"}, {"triage_row": 2, "row": "7"}]
