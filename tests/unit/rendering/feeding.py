"""Text that arrives in pieces."""

from typing import Protocol


class Reader(Protocol):
    """Changes a text while it arrives."""

    def feed(self, text: str) -> str: ...

    def flush(self) -> str: ...


def fed(reader: Reader, text: str, size: int) -> str:
    """Return what `reader` makes of `text` in pieces of `size` characters."""
    pieces = [reader.feed(text[at : at + size]) for at in range(0, len(text), size)]
    return "".join([*pieces, reader.flush()])
