"""The lines of Word documents, as Markdown without emphasis.

Tracked changes are accepted: mammoth reads insertions and skips deletions.
"""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import mammoth

from bot.context.files import archives, notes, tables
from bot.context.files.accepted import Accepted

# mammoth creates objects for all elements, which takes seconds and 50 times the memory.
_MOST_XML = 3_000_000

_LINKS = ("http://", "https://", "mailto:")
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}


def lines(path: Path, accepted: Accepted) -> Iterator[str]:
    """Yield headings, paragraphs, list items and table rows of the document `path`.

    Raises FileUnread.
    """
    parts, _ = archives.read_members(path, most=_MOST_XML)
    found = mammoth.convert_to_html(
        archives.pack(parts),
        include_embedded_style_map=False,
        external_file_access=False,
        convert_image=_picture,
    )
    writer = _Writer()
    writer.feed(found.value)
    writer.close()
    yield from writer.lines


def _picture(image: Any) -> list[Any]:
    return [mammoth.html.text(notes.picture(image.alt_text or ""))]


class _Writer(HTMLParser):
    """Turns the HTML of mammoth into lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._text: list[str] = []
        self._lists: list[int | None] = []
        self._rows: list[list[str]] = []
        self._first = ""
        self._link = ""

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("ul", "ol"):
            self._flush()
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self._flush()
            self._first = self._item()
        elif tag in _HEADINGS:
            self._first = f"{_HEADINGS[tag]} "
        elif tag == "tr":
            self._flush()
            self._rows.append([])
        elif tag == "br":
            self._text.append("\n")
        elif tag == "a":
            link = dict(attrs).get("href") or ""
            self._link = link if link.startswith(_LINKS) else ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("p", "li") or tag in _HEADINGS:
            self._flush()
        elif tag in ("ul", "ol") and self._lists:
            self._lists.pop()
            self._gap()
        elif tag == "table":
            self._gap()
        elif tag in ("td", "th") and self._rows:
            self._rows[-1].append("".join(self._text))
            self._text.clear()
        elif tag == "tr" and self._rows:
            self._end_row()
        elif tag == "a" and self._link:
            if self._link not in "".join(self._text[-1:]):
                self._text.append(f" ({self._link})")
            self._link = ""

    def _item(self) -> str:
        """Return the mark of the next item of the innermost list."""
        indent = "  " * (len(self._lists) - 1)
        if not self._lists or self._lists[-1] is None:
            return f"{indent}- "
        self._lists[-1] += 1
        return f"{indent}{self._lists[-1]}. "

    def _end_row(self) -> None:
        row = self._rows.pop()
        if self._rows:
            # A table within a cell becomes text of that cell.
            self._text += [" ".join(row), " "]
        else:
            self.lines.append(tables.row(row))

    def _flush(self) -> None:
        if self._rows:
            # The paragraphs of a cell are joined on one line.
            self._text.append(" ")
            return
        text = "".join(self._text).strip()
        self._text.clear()
        if text:
            self.lines.append(f"{self._first}{text}")
            self._gap()
        self._first = ""

    def _gap(self) -> None:
        """Add a blank line, except in lists and tables."""
        if not self._lists and not self._rows and self.lines[-1:] != [""]:
            self.lines.append("")
