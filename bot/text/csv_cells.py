"""Writes all CSV, safe for spreadsheets. Pure.

Rule 1: no text becomes a formula. A cell that a spreadsheet may read as a formula gets
a leading apostrophe, which marks the cell as text.
Rule 2: the guard is reversible. `remove_guard` returns exactly the input of `guard`, so
that exported text can be imported unchanged.
Rule 3: a spreadsheet that separates cells by semicolons splits a cell at them, so the
text after a semicolon is guarded as well.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.text.characters import BLANK_LETTERS, replace_lone_surrogates

#: The first characters of a formula, after NFKC, so that wide and small forms match.
_SIGNS = "=+-@\N{MINUS SIGN}"
#: Always guarded: spreadsheets drop these characters and read the rest.
_DROPPED = ("\t", "\r")

# Negative numbers, which stay numbers.
_NUMBER = re.compile(r"-[0-9]{1,30}(?:[.,][0-9]{1,30})?(?:[eE][-+]?[0-9]{1,3})?")

# Categories of invisible characters: controls, formats, unassigned, marks without a
# letter, separators.
_INVISIBLE = frozenset(("Cc", "Cf", "Cn", "Mn", "Me", "Zs", "Zl", "Zp"))

# Where a spreadsheet with other settings may end a cell.
_ENDS = re.compile(r"([;\t\r\n])")
# Without one of these, text after `+`, `-` or `@` calls no function or program.
_CALLS = re.compile("[(|\uff08\uff5c\ufe35\ufe59\u207d\u208d]")

# The possible separators of cells; the first wins a tie.
_SEPARATORS = (",", ";", "\t")

# Characters that require quotes, whatever the separator.
_QUOTED = re.compile(r'[",;|\t\r\n]|\A[ ]|[ ]\Z')


def guard(text: str) -> str:
    """Guard `text`, so that no spreadsheet reads any part of it as a formula."""
    parts = _ENDS.split(text)
    # Parts and separators alternate; the first part is checked with the whole.
    inner = zip(parts[2::2], _formulas_inside(parts), strict=True)
    parts[2::2] = [f"'{part}" if formula else part for part, formula in inner]
    inside = "".join(parts)
    return f"'{inside}" if _is_formula(text) else inside


def remove_guard(text: str) -> str:
    """Undo `guard`. Text that was not guarded is returned unchanged."""
    if "'" not in text:
        return text
    parts = _ENDS.split(text)
    inner = zip(parts[2::2], _formulas_inside(parts), strict=True)
    parts[2::2] = [
        part.removeprefix("'") if formula else part for part, formula in inner
    ]
    bare = "".join(parts)
    return bare[1:] if bare.startswith("'") and _is_formula(bare) else bare


# Both functions below ignore leading apostrophes. So a text that begins with an
# apostrophe gets a second one, and loses only that one when it is read.


def _is_formula(text: str) -> bool:
    """Return True if a spreadsheet may read the cell `text` as a formula.

    Leading apostrophes are ignored.
    """
    bare = text.lstrip("'")
    return bare.startswith(_DROPPED) or (
        _first_sign(bare) in _SIGNS and not _NUMBER.fullmatch(bare)
    )


def _formulas_inside(parts: Sequence[str]) -> list[bool]:
    """Return which of `parts` after the first a spreadsheet may read as a formula.

    `parts` are split by `_ENDS`. A spreadsheet splits at semicolons or at tabs, not at
    both, so a formula may continue in later parts, up to the end of the line.
    """
    found = []
    calls = False
    for at in range(len(parts) - 1, 0, -2):
        calls = calls and parts[at + 1] not in "\r\n"
        calls = calls or bool(_CALLS.search(parts[at]))
        sign = _first_sign(parts[at].lstrip("'"), past='"')
        found.append(sign == "=" or (calls and sign in _SIGNS))
    return found[::-1]


def _first_sign(text: str, *, past: str = "") -> str:
    """Return the first visible character of `text` after NFKC, or a space.

    Characters in `past` are skipped.
    """
    for character in text:
        if (
            character not in past
            and character not in BLANK_LETTERS
            and unicodedata.category(character) not in _INVISIBLE
        ):
            return unicodedata.normalize("NFKC", character)[0]
    return " "


def record(values: Iterable[Any], separator: str = ",") -> str:
    """Return `values` as a line of CSV. Lists are joined, and None becomes "".

    Lone surrogates become U+FFFD. NUL is removed, since many programs end a text there.
    """
    # Readers skip an empty line instead of reading a record.
    return (separator.join(map(_cell, values)) or '""') + "\n"


def as_csv(rows: Sequence[Mapping[str, Any]], names: Sequence[str] = ()) -> str:
    """Return `rows`, which have the same keys, as CSV with a header.

    Without rows, the header has the columns `names`; without both, return "".
    """
    names = list(rows[0]) if rows else list(names)
    if not names:
        return ""
    lines = (record(row[name] for name in names) for row in rows)
    return "".join((record(names), *lines))


def without_formulas(text: str) -> str:
    """Return the CSV `text` with each cell guarded.

    The separator is the most frequent of comma, semicolon and tab in the first line.
    """
    first = text.split("\n", 1)[0]
    separator = max(_SEPARATORS, key=first.count)
    lines = text.splitlines(keepends=True)
    try:
        rows = list(csv.reader(lines, delimiter=separator))
    except csv.Error:
        # A cell has more than 131,072 characters, usually because of an unclosed quote.
        rows = [[line.rstrip("\r\n")] for line in lines]
    return "".join(record(row, separator) for row in rows if row)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    text = guard(
        replace_lone_surrogates("" if value is None else str(value)).replace("\0", "")
    )
    if not _QUOTED.search(text):
        return text
    return '"' + text.replace('"', '""') + '"'
