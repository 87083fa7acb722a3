"""Writes tables for spreadsheets: the one door to CSV. Pure.

Rule 1: nothing that people, the model or a file said becomes a formula. A cell that
might be one gets an apostrophe in front, which spreadsheets take for "this is text".
Rule 2: it can be taken back. `unguarded` returns exactly what `guarded` was given, so
what is exported, corrected and read again is what it was.
Rule 3: where a comma separates, a semicolon in a text does not; but a spreadsheet that
is set to semicolons splits there. So what follows one within a cell is guarded as well.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.text.characters import replace_lone_surrogates

#: What begins a formula; as NFKC has it, so that wide and small forms count.
_SIGNS = "=+-@\N{MINUS SIGN}"
#: What is guarded by itself: spreadsheets drop it and look at what comes next.
_DROPPED = ("\t", "\r")

# What a cell may hold besides text: numbers, which stay numbers if they are negative.
_NUMBER = re.compile(r"-[0-9]{1,30}(?:[.,][0-9]{1,30})?(?:[eE][-+]?[0-9]{1,3})?")

# Letters and signs that look like nothing; other blanks are known by their category.
_BLANK = "\u115f\u1160\u2800\u3164\uffa0"
# Controls, formats, unassigned, marks without a letter, separators.
_INVISIBLE = frozenset(("Cc", "Cf", "Cn", "Mn", "Me", "Zs", "Zl", "Zp"))

# Where a spreadsheet with other settings ends a cell that is one for us.
_ENDS = re.compile(r"([;\t\r\n])")
# Without one of these, what follows a `+`, `-` or `@` calls no function and no program.
_CALLS = re.compile("[(|\uff08\uff5c\ufe35\ufe59\u207d\u208d]")

# What has to stand between quotes, whichever separator is expected.
_QUOTED = re.compile(r'[",;|\t\r\n]|\A[ ]|[ ]\Z')


def guarded(text: str) -> str:
    """Return `text` so that no spreadsheet takes it, or a part of it, for a formula."""
    parts = _ENDS.split(text)
    # Parts and what ends them take turns; the first part is judged with the whole.
    inner = zip(parts[2::2], _formulas_inside(parts), strict=True)
    parts[2::2] = [f"'{part}" if formula else part for part, formula in inner]
    inside = "".join(parts)
    return f"'{inside}" if _is_formula(text) else inside


def unguarded(text: str) -> str:
    """Return what `guarded` was given to return `text`; what it never returns is as it
    is."""
    if "'" not in text:
        return text
    parts = _ENDS.split(text)
    inner = zip(parts[2::2], _formulas_inside(parts), strict=True)
    parts[2::2] = [
        part.removeprefix("'") if formula else part for part, formula in inner
    ]
    bare = "".join(parts)
    return bare[1:] if bare.startswith("'") and _is_formula(bare) else bare


# Apostrophes in front are looked past in both: a text that has one already gets
# another, and loses that one alone when it is read.


def _is_formula(text: str) -> bool:
    """Return whether the cell `text` is one, apostrophes in front aside."""
    bare = text.lstrip("'")
    return bare.startswith(_DROPPED) or (
        _first_sign(bare) in _SIGNS and not _NUMBER.fullmatch(bare)
    )


def _formulas_inside(parts: Sequence[str]) -> list[bool]:
    """Return for each of `parts`, as `_ENDS` splits them, but the first whether it may
    be read as a formula.

    A program ends cells at semicolons or at tabs, so what a part calls may stand
    behind the other one, up to the end of the line.
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
    """Return what the first visible character of `text` means, a space for none;
    characters of `past` are looked past as well."""
    for character in text:
        if (
            character not in past
            and character not in _BLANK
            and unicodedata.category(character) not in _INVISIBLE
        ):
            return unicodedata.normalize("NFKC", character)[0]
    return " "


def record(values: Iterable[Any]) -> str:
    """Return `values` as a line of CSV; a list as its items, None as nothing.

    Halves of a character become U+FFFD, and NUL, which ends a text for many programs,
    is left out.
    """
    # A line without anything would be no record.
    return (",".join(map(_cell, values)) or '""') + "\n"


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return `rows`, all of the same names, as CSV with a head; "" for none."""
    if not rows:
        return ""
    names = list(rows[0])
    lines = (record(row[name] for name in names) for row in rows)
    return "".join((record(names), *lines))


def _cell(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    text = guarded(
        replace_lone_surrogates("" if value is None else str(value)).replace("\0", "")
    )
    if not _QUOTED.search(text):
        return text
    return '"' + text.replace('"', '""') + '"'
