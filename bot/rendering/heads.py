"""Lines whose meaning another line decides: headings with an underline, heads of tables
without pipes at their sides, and definitions of reference links.

Rule: every function reads one line without its end, or the beginning of one, so that it
can be called while the line arrives.
"""

import re

from bot.rendering.markdown import beginning

# The longest heading with an underline, and the longest first cell of a table without
# pipes at its sides, that the next line is awaited for: headings take about 40
# characters. Nobody waits longer for the beginning of a paragraph than for that.
MOST_TITLE = 60
# The longest head of such a table.
MOST_HEAD = 300

_LEAD = re.compile(r"[ \t>]*+")
# Indented code, or too many marks.
_INDENTED = re.compile(r"\A {4}|> {5}|\t|.{61}")
# Ends of sentences, which stand in no heading.
_TITLE_END = re.compile(r"(?<!\d)\.|[…!。！]")
_PIPE = re.compile(r"(?<!\\)\|")

_DEFINITION = re.compile(
    r"\A[ >]{0,60}+\[([^\[\]^\n][^\[\]\n]{0,99}+)\]:[ \t]*+<?(https?://[^\s<>]++)"
)
_DEFINITION_SO_FAR = re.compile(
    r"\A[ >]{0,60}+\[(?:[^\[\]^\n][^\[\]\n]{0,99}+(?:\](?::[^\n]{0,300}+)?)?)?$"
)


def may_become_head(line: str) -> bool:
    """Return True if `line`, or what begins with it, can be a heading with an underline
    or the head of a table without pipes at its sides.

    If it is False for the beginning of a line, it is False for the line.
    """
    lead = _LEAD.match(line)
    assert lead is not None
    at = lead.end()
    is_marked = beginning(line) > at or line.startswith("#", at)
    if is_marked or _INDENTED.search(lead[0]):
        return False
    cells = (
        found.start()
        for found in _PIPE.finditer(line, 0, MOST_TITLE + 1)
        if line.count("`", 0, found.start()) % 2 == 0
    )
    pipe = next(cells, None)
    first = line if pipe is None else line[:pipe]
    if len(first) > MOST_TITLE or _TITLE_END.search(first):
        return False
    return len(line) <= MOST_HEAD


def definition(line: str) -> tuple[str, str] | None:
    """Return the label, in small letters, and the address that `line` defines for
    reference links; None for other lines."""
    match = _DEFINITION.match(line)
    return (label(match[1]), match[2]) if match else None


def may_become_definition(line: str) -> bool:
    """Return True if `line` may still become a definition of a reference link."""
    return _DEFINITION_SO_FAR.match(line) is not None


def label(text: str) -> str:
    """Return the label of a reference link in the form in which labels are compared."""
    return " ".join(text.split()).casefold()
