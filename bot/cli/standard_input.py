"""Reads a document in any encoding from standard input."""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import ConfigError
from bot.messages import cli as messages
from bot.messages import plurals, ticket_files
from bot.runtime import encodings
from bot.runtime.encodings import Damage, Encoding

#: In bytes. The largest context window holds about four megabytes of text, which is at
#: most sixteen in UTF-32. `encodings.lines` reads no longer line than this.
MOST_BYTES = 15_000_000

_HEAD = 65_536


@dataclass(frozen=True)
class Document:
    """The text on standard input; empty if it is a terminal."""

    text: str = ""
    encoding: Encoding = field(default_factory=lambda: Encoding("utf-8"))
    damage: Damage = field(default_factory=Damage)

    @property
    def doubts(self) -> Iterator[str]:
        """Warnings about the decoding of the text, one sentence each."""
        encoding, invalid, nul = self.encoding, self.damage.invalid, self.damage.nul
        if encoding.guessed:
            words = ", ".join(encoding.words)
            yield messages.encoding_guessed(encoding=encoding.name, words=words)
        if invalid.count:
            yield ticket_files.bytes_replaced(
                count=plurals.BYTES(invalid.count),
                encoding=encoding.name,
                places=invalid,
            )
        if nul.count:
            yield ticket_files.nul_bytes_replaced(
                count=plurals.NUL_BYTES(nul.count), places=nul
            )


def read() -> Document:
    """Return all of standard input, or an empty document if it is a terminal.

    Blocks until the end of the input. Raises ConfigError if the input is not text or
    has more than `MOST_BYTES`.
    """
    if sys.stdin is None or sys.stdin.isatty():
        return Document()
    content = sys.stdin.buffer.read(MOST_BYTES + 1)
    if not content:
        return Document()
    if len(content) > MOST_BYTES:
        raise ConfigError(messages.input_too_large(most=MOST_BYTES // 1_000_000))
    with tempfile.TemporaryDirectory(prefix="threadkeep-") as folder:
        file = Path(folder) / "input"
        file.write_bytes(content)
        encoding = encodings.detect(file)
        if encodings.is_binary(content[:_HEAD], encoding):
            raise ConfigError(messages.INPUT_NOT_TEXT)
        damage = Damage()
        lines = encodings.lines(file, encoding, damage)
        text = "".join(lines).replace("\0", "\ufffd")
    return Document(text, encoding, damage)
