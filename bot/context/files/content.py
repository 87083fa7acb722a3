"""Builds content for Claude from lines of text. Pure."""

import itertools
from collections.abc import Iterable
from math import ceil

from bot.context.files import notes
from bot.context.files.accepted import Accepted
from bot.domain.attachment import FileContent, FileKind
from bot.domain.completion import BYTES_PER_TOKEN
from bot.errors import FileUnread, Unread
from bot.text.characters import is_blank, replace_invalid


def most_bytes(accepted: Accepted) -> int:
    """Return the most bytes of one text in UTF-8."""
    return int(accepted.text_tokens * BYTES_PER_TOKEN)


def text_content(lines: Iterable[str], accepted: Accepted) -> FileContent:
    """Return `lines` as one text, cut to the accepted size at the end of a line.

    A last line says that the text was cut. No more of `lines` is consumed than needed.
    Raises FileUnread if the text has no visible characters.
    """
    left = most_bytes(accepted)
    parts: list[str] = []
    note = ""
    found = itertools.chain.from_iterable(
        _valid(each).splitlines(keepends=True) for each in lines
    )
    for line in found:
        size = len(line.encode())
        if size > left:
            note = notes.only_lines(len(parts))
            if left > most_bytes(accepted) / 2:
                # A single long line, as in JSON that programs write.
                parts.append(line.encode()[:left].decode(errors="ignore"))
                note = notes.only_characters(sum(map(len, parts)))
            break
        parts.append(line)
        left -= size
    text = "".join(parts)
    if is_blank(text):
        raise FileUnread(Unread.EMPTY)
    data = "\n".join(filter(None, (text.rstrip(), note))).encode()
    return FileContent(
        FileKind.TEXT,
        "text/plain",
        data,
        tokens=ceil(len(data) / BYTES_PER_TOKEN),
        cut=bool(note),
    )


def _valid(line: str) -> str:
    line = line if line.endswith("\n") else f"{line}\n"
    return replace_invalid(line.replace("\r\n", "\n").replace("\r", "\n"))
