"""Translates statements from SQLite's SQL to PostgreSQL's. Pure.

Rule: the translation changes only the wording of a statement, never its effect:
placeholders, hints for SQLite's planner, and the constants of `storage.dialect`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from storage.dialect import POSTGRES

# A string, a quoted name and a comment contain no placeholder. `::` is not one.
_TOKEN = re.compile(
    r"""'[^']*'|"[^"]*"|--[^\n]*|::|\?|:(?P<name>[A-Za-z_][A-Za-z0-9_]*)"""
    r"""|\bINDEXED\s+BY\s+\w+|\bCROSS\s+JOIN\b"""
)

# The changes that the triggers of the search index follow. The text of an answer is in
# the index once the answer has ended.
_ADDS = re.compile(r"\bINSERT\s+INTO\s+messages\b")
_TAKES_AWAY = re.compile(
    r"\bDELETE\s+FROM\s+messages\b|\bUPDATE\s+turns\s+SET\s+text\b"
    r"|\bUPDATE\s+messages\b[^;]*\b(?:text|deleted_at)\s*="
    r"|\bUPDATE\s+threads\b[^;]*\bplatform\s*="
)

# More than the code contains. Some statements are composed of parts.
MOST_STATEMENTS = 2_000

Values = Sequence[Any] | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement with the placeholders `$1`, `$2`, and the names of their values.

    `names` is None for values without names.
    """

    text: str
    names: tuple[str, ...] | None
    #: Whether the statement may add texts that a search finds, or remove some.
    adds: bool = False
    takes_away: bool = False

    def values(self, given: Values) -> Sequence[Any]:
        """Return `given` in the order of the placeholders."""
        if self.names is None:
            return () if isinstance(given, Mapping) else given
        assert isinstance(given, Mapping)
        return [given[name] for name in self.names]


@lru_cache(MOST_STATEMENTS)
def translate(statement: str) -> Statement:
    """Return `statement`, with placeholders `?` or `:name`, translated for
    PostgreSQL."""
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

    for ours, theirs in POSTGRES.items():
        statement = statement.replace(ours, theirs)
    text = _TOKEN.sub(replace, statement)
    assert not (names and count), "placeholders of both kinds"
    takes_away = _TAKES_AWAY.search(statement) is not None
    return Statement(
        text,
        tuple(names) if names else None,
        # A statement that removes a text may store another in its place.
        adds=takes_away or _ADDS.search(statement) is not None,
        takes_away=takes_away,
    )
