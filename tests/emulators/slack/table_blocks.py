"""Checks the sizes of `table` and `data_table` blocks (A5.4). No I/O.

Rule: where sources differ, the smaller size applies.
"""

from typing import Any

Json = dict[str, Any]

#: The most rows without the header, columns, and characters in all tables of a message.
MOST_ROWS = 100
MOST_COLUMNS = 20
MOST_CHARACTERS = 10_000
#: The most rows on a page of a `data_table`.
MOST_PAGE = 100

KINDS = ("table", "data_table")
CELLS = ("raw_text", "raw_number", "rich_text")


def problem(block: Json) -> str | None:
    """Return the error about a table, or None."""
    rows = block.get("rows")
    is_data = block["type"] == "data_table"
    if not isinstance(rows, list) or not 1 + is_data <= len(rows) <= MOST_ROWS + 1:
        return f"must have {1 + is_data} to {MOST_ROWS + 1} rows"
    if is_data and not block.get("caption"):
        return "missing required field: caption"
    if is_data and not 1 <= block.get("page_size", 5) <= MOST_PAGE:
        return f"page_size must be 1 to {MOST_PAGE}"
    if not 1 <= len(rows[0]) <= MOST_COLUMNS:
        return f"must have 1 to {MOST_COLUMNS} columns"
    if len(block.get("column_settings") or ()) > MOST_COLUMNS:
        return f"must have at most {MOST_COLUMNS} column_settings"
    if is_data and any(len(row) != len(rows[0]) for row in rows):
        return "all rows must have the same number of cells"
    if is_data and any(cell.get("type") == "rich_text" for cell in rows[0]):
        return "rich_text is not allowed in the header"
    return next((found for row in rows for cell in row if (found := _cell(cell))), None)


def size(blocks: list[Json]) -> int:
    """Return the number of characters in all cells of the tables in `blocks`."""
    tables = [each for each in blocks if each["type"] in KINDS]
    return sum(len(words(c)) for each in tables for row in each["rows"] for c in row)


def words(cell: Any) -> str:
    """Return the text of a cell."""
    if isinstance(cell, list):
        return "".join(map(words, cell))
    if not isinstance(cell, dict):
        return ""
    text = cell.get("text")
    return (text if isinstance(text, str) else "") + words(cell.get("elements"))


def _cell(cell: Json) -> str | None:
    if cell.get("type") not in CELLS:
        return f"unsupported type: {cell.get('type')}"
    return None if words(cell) else "must be more than 0 characters"
