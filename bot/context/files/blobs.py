"""Leaves long base64 out of texts. Pure.

Notebooks, web pages and mails hold pictures as base64. A person who reads such a file
skips the base64. Claude would be paid to read it, and the rest of the file would be cut
to make room for it.

Bytes are decoded as Latin-1, in which each byte is a character.
"""

import re
from collections.abc import Iterable, Iterator

from bot.context.files import notes

#: The shortest base64 that is left out, in characters, and how much of its beginning
#: stays, which shows its kind. The question may be about anything shorter.
LEAST, KEPT = 4_000, 60

# Base64 within JSON may contain escaped line ends.
_RUN = re.compile(r"(?:[A-Za-z0-9+/_-]|\\n)++")
# Random bytes contain all of these; words, numbers and gene sequences do not.
_KINDS = tuple(map(re.compile, ("[A-Z]", "[a-z]", "[0-9]", "[+/_-]")))


def has_long(text: bytes) -> bool:
    """Return whether `text` may contain base64 that is left out."""
    if max(map(len, text.split()), default=0) < LEAST:
        # Most texts end here. The search below takes ten times as long.
        return False
    found = _RUN.finditer(text.decode("latin-1"))
    return any(run.end() - run.start() >= LEAST for run in found)


def shorten(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the text in `chunks`, with a note in place of long base64."""
    for piece in _shorten(_join_escapes(chunks)):
        yield piece.encode("latin-1")


def _join_escapes(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield the text of `chunks` so that no piece ends between a backslash and its
    letter."""
    left = ""
    for chunk in chunks:
        text = left + chunk.decode("latin-1")
        left = "\\" if text.endswith("\\") else ""
        yield text.removesuffix("\\")
    yield left


def _shorten(chunks: Iterable[str]) -> Iterator[str]:
    # The current run: its beginning, and its whole length.
    run, length, is_base64 = "", 0, False
    for chunk in chunks:
        at = 0
        for found in (*_RUN.finditer(chunk), None):
            start = found.start() if found else len(chunk)
            if start > at:
                yield _end_run(run, length) if is_base64 else run
                run, length, is_base64 = "", 0, False
                yield chunk[at:start]
            if found is None:
                break
            at = found.end()
            length += at - start
            if is_base64:
                continue
            run += found[0]
            if len(run) >= LEAST:
                is_base64 = all(kind.search(run, 0, LEAST) for kind in _KINDS)
                if not is_base64:
                    yield run
                    run, length = "", 0
    yield _end_run(run, length) if is_base64 else run


def _end_run(run: str, length: int) -> str:
    return run[:KEPT] + notes.base64_left_out(length - KEPT)
