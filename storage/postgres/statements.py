"""Statements as SQLite takes them, in the words of PostgreSQL. Pure.

Rule: only words differ here, never what a statement does: placeholders, and hints for
SQLite's planner. Whatever else differs is in `storage.dialect`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

# A text, a name in quotes and a comment hold no placeholder; `::` is none.
_TOKEN = re.compile(
    r"""'[^']*'|"[^"]*"|--[^\n]*|::|\?|:(?P<name>[A-Za-z_][A-Za-z0-9_]*)"""
    r"""|\bINDEXED\s+BY\s+\w+|\bCROSS\s+JOIN\b"""
)

# More than the code has: some are put together of parts.
MOST_STATEMENTS = 2_000

Values = Sequence[Any] | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with the placeholders `$1`, `$2`, and the names of their values; None
    if they have no names."""

    text: str
    names: tuple[str, ...] | None

    def values(self, given: Values) -> Sequence[Any]:
        """Return `given` in the order of the placeholders."""
        if self.names is None:
            assert not isinstance(given, Mapping)
            return given
        assert isinstance(given, Mapping)
        return [given[name] for name in self.names]


@lru_cache(MOST_STATEMENTS)
def translated(statement: str) -> Statement:
    """Return `statement`, which has placeholders `?` or `:name`, for PostgreSQL."""
    names: list[str] = []
    count = 0

    def replace(token: re.Match[str]) -> str:
        nonlocal count
        found = token.group()
        if name := token.group("name"):
            if name not in names:
                names.append(name)
            return f"${names.index(name) + 1}"
        if found == "?":
            count += 1
            return f"${count}"
        if found.startswith("INDEXED"):
            return ""
        return "JOIN" if found.startswith("CROSS") else found

    text = _TOKEN.sub(replace, statement)
    assert not (names and count), "placeholders of both kinds"
    return Statement(text, tuple(names) if names else None)
