"""Leave long base64 out of texts: pictures in notebooks, pages and mails. Pure.

A person who reads such a file skips it; Claude would be paid to read it, and the rest
of the file would be cut for it.

Bytes are looked at as Latin-1, in which each is a character.
"""

import re
from collections.abc import Iterable, Iterator

from bot.context.files import notes

#: The least base64 that is left out, in characters, and how much of it stays, by which
#: its kind can be told. Less may be what the question is about.
LEAST, KEPT = 4_000, 60

# In JSON it may have line ends.
_RUN = re.compile(r"(?:[A-Za-z0-9+/_-]|\\n)++")
# Random bytes have all of these; words, numbers and sequences of genes have not.
_KINDS = tuple(map(re.compile, ("[A-Z]", "[a-z]", "[0-9]", "[+/_-]")))


def has_long(text: bytes) -> bool:
    """Return True if base64 of `text` may be left out."""
    if max(map(len, text.split()), default=0) < LEAST:
        # The usual text, which takes ten times as long below.
        return False
    found = _RUN.finditer(text.decode("latin-1"))
    return any(run.end() - run.start() >= LEAST for run in found)


def shortened(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the text in `chunks`, with a note in place of long base64."""
    for piece in _shortened(_whole(chunks)):
        yield piece.encode("latin-1")


def _whole(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield `chunks`, none of which ends between a backslash and its letter."""
    left = ""
    for chunk in chunks:
        text = left + chunk.decode("latin-1")
        left = "\\" if text.endswith("\\") else ""
        yield text.removesuffix("\\")
    yield left


def _shortened(chunks: Iterable[str]) -> Iterator[str]:
    # The run that has not ended: its beginning, and all of its length.
    run, length, is_base64 = "", 0, False
    for chunk in chunks:
        at = 0
        for found in (*_RUN.finditer(chunk), None):
            start = found.start() if found else len(chunk)
            if start > at:
                yield _ended(run, length) if is_base64 else run
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
    yield _ended(run, length) if is_base64 else run


def _ended(run: str, length: int) -> str:
    return run[:KEPT] + notes.base64_left_out(length - KEPT)
