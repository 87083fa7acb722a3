"""The lines of PowerPoint presentations."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pptx

from bot.context.files import archives, notes, tables
from bot.context.files.accepted import Accepted

# Parsed XML takes about ten times as much memory.
_MOST_XML = 10_000_000


def lines(path: Path, accepted: Accepted) -> Iterator[str]:
    """Yield number and title, texts, tables and notes of the slides of `path`.

    Raises FileUnread.
    """
    parts, _ = archives.read_members(path, most=_MOST_XML)
    presentation = pptx.Presentation(archives.pack(parts))
    for number, slide in enumerate(presentation.slides, 1):
        title = slide.shapes.title
        heading = _one_line(title.text_frame.text) if title is not None else ""
        hidden = slide.element.get("show") == "0"
        yield notes.slide(number, heading, hidden=hidden)
        own = title.element if title is not None else None
        yield from _texts(each for each in slide.shapes if each.element is not own)
        frame = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
        if frame is not None and (said := frame.text.strip()):
            yield notes.speaker_notes(_on_one_line(said))


def _texts(shapes: Iterable[Any]) -> Iterator[str]:
    waiting = list(shapes)
    while waiting:
        shape = waiting.pop(0)
        if hasattr(shape, "shapes"):
            # The shapes of a group take the place of the group.
            waiting[:0] = list(shape.shapes)
        elif getattr(shape, "has_table", False):
            for row in shape.table.rows:
                yield tables.row(cell.text for cell in row.cells)
        elif getattr(shape, "has_text_frame", False):
            for paragraph in shape.text_frame.paragraphs:
                if text := _on_one_line(paragraph.text).strip():
                    yield f"{'  ' * paragraph.level}{text}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _on_one_line(text: str) -> str:
    # PowerPoint marks a line break within a paragraph with a vertical tab.
    return text.replace("\v", "\n")
