"""CSV for spreadsheets, the only place that writes it. Pure.

Rule 1: no text becomes a formula. A cell that a spreadsheet may read as one gets an
apostrophe in front, which marks it as text.
Rule 2: the guard is reversible. `unguarded` returns exactly what `guarded` was given,
so that exported text is read again as it was.
Rule 3: a spreadsheet set to semicolons splits a cell at them, so what follows one
within a cell is guarded as well.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.text.characters import BLANK_LETTERS, replace_lone_surrogates

#: The first characters of a formula, after NFKC, so that wide and small forms count.
_SIGNS = "=+-@\N{MINUS SIGN}"
#: Always guarded: spreadsheets drop it and read what follows.
_DROPPED = ("\t", "\r")

# Negative numbers, which stay numbers.
_NUMBER = re.compile(r"-[0-9]{1,30}(?:[.,][0-9]{1,30})?(?:[eE][-+]?[0-9]{1,3})?")

# Categories of invisible characters: controls, formats, unassigned, marks without a
# letter, separators.
_INVISIBLE = frozenset(("Cc", "Cf", "Cn", "Mn", "Me", "Zs", "Zl", "Zp"))

# Where a spreadsheet with other settings ends a cell.
_ENDS = re.compile(r"([;\t\r\n])")
# Without one of these, what follows `+`, `-` or `@` calls no function or program.
_CALLS = re.compile("[(|\uff08\uff5c\ufe35\ufe59\u207d\u208d]")

# The separators of cells in tables; if several fit equally, the first.
_SEPARATORS = (",", ";", "\t")

# Characters that require quotes, for any separator.
_QUOTED = re.compile(r'[",;|\t\r\n]|\A[ ]|[ ]\Z')


def guarded(text: str) -> str:
    """Return `text` so that no spreadsheet reads it, or a part of it, as a formula."""
    parts = _ENDS.split(text)
    # Parts and separators alternate; the first part is checked with the whole.
    inner = zip(parts[2::2], _formulas_inside(parts), strict=True)
    parts[2::2] = [f"'{part}" if formula else part for part, formula in inner]
    inside = "".join(parts)
    return f"'{inside}" if _is_formula(text) else inside


def unguarded(text: str) -> str:
    """Return the text that `guarded` made `text` from; other text is returned
    unchanged."""
    if "'" not in text:
        return text
    parts = _ENDS.split(text)
    inner = zip(parts[2::2], _formulas_inside(parts), strict=True)
    parts[2::2] = [
        part.removeprefix("'") if formula else part for part, formula in inner
    ]
    bare = "".join(parts)
    return bare[1:] if bare.startswith("'") and _is_formula(bare) else bare


# Both ignore leading apostrophes: a text that begins with one gets another, and loses
# only that when it is read.


def _is_formula(text: str) -> bool:
    """Return True if a spreadsheet may read the cell `text` as a formula, ignoring
    leading apostrophes."""
    bare = text.lstrip("'")
    return bare.startswith(_DROPPED) or (
        _first_sign(bare) in _SIGNS and not _NUMBER.fullmatch(bare)
    )


def _formulas_inside(parts: Sequence[str]) -> list[bool]:
    """Return for each of `parts` (split by `_ENDS`) after the first whether a
    spreadsheet may read it as a formula.

    A program splits at semicolons or at tabs, so what a part calls may stand behind the
    other separator, up to the end of the line.
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
    """Return the first visible character of `text` after NFKC, or a space; characters
    in `past` are skipped."""
    for character in text:
        if (
            character not in past
            and character not in BLANK_LETTERS
            and unicodedata.category(character) not in _INVISIBLE
        ):
            return unicodedata.normalize("NFKC", character)[0]
    return " "


def record(values: Iterable[Any], separator: str = ",") -> str:
    """Return `values` as a line of CSV; lists are joined, None is empty.

    Lone surrogates become U+FFFD. NUL is removed, since it ends a text for many
    programs.
    """
    # A line without any characters would not be a record.
    return (separator.join(map(_cell, values)) or '""') + "\n"


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return `rows`, which share their keys, as CSV with a header; "" for none."""
    if not rows:
        return ""
    names = list(rows[0])
    lines = (record(row[name] for name in names) for row in rows)
    return "".join((record(names), *lines))


def without_formulas(text: str) -> str:
    """Return the CSV `text` with each cell guarded. The separator is the one that its
    first line has most of: a comma, a semicolon or a tab."""
    first = text.split("\n", 1)[0]
    separator = max(_SEPARATORS, key=first.count)
    lines = text.splitlines(keepends=True)
    try:
        rows = list(csv.reader(lines, delimiter=separator))
    except csv.Error:
        # A cell of more than 131,072 characters, mostly because a quote is not closed.
        rows = [[line.rstrip("\r\n")] for line in lines]
    return "".join(record(row, separator) for row in rows if row)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    text = guarded(
        replace_lone_surrogates("" if value is None else str(value)).replace("\0", "")
    )
    if not _QUOTED.search(text):
        return text
    return '"' + text.replace('"', '""') + '"'
