"""Reads an office document in a process of its own.

Run as `python -m bot.context.files.apart TOKENS`, with the file as standard input. The
process writes one line of JSON, and then the text. The parsers of these formats are
Python code that creates many objects. In a thread, they would block the event loop for
as long as the garbage collector takes to examine those objects.
"""

import json
import sys
from pathlib import Path

from bot.context.files import reader
from bot.context.files.accepted import Accepted
from bot.context.files.content import most_bytes
from bot.context.files.file_types import FileType
from bot.domain.attachment import FileContent, FileKind
from bot.errors import FileUnread, Unread
from bot.runtime import child_process

#: The types of files that a separate process reads.
KINDS = (
    *(FileType.WORD, FileType.SLIDES, FileType.WORKBOOK, FileType.OLD_WORKBOOK),
    FileType.OPEN_SHEET,
)
#: The most bytes of memory, mapped memory included. A Word document of 25 MB takes 43
#: MiB.
MEMORY = 1024**3
#: The most seconds, of wall-clock time and of processor time.
SECONDS = 60
# The most bytes of the first line and of the note at the end of a text that was cut.
_BESIDE = 1_000

#: The module that the process runs: this one.
MODULE = "bot.context.files.apart"
_INPUT = Path("/proc/self/fd/0")


def read(path: Path, name: str, accepted: Accepted) -> FileContent:
    """Return what `reader.read` returns, and raise what it raises.

    Blocks like `reader.read`, but parses documents outside of this interpreter.
    """
    kind = reader.type_of(path)
    if kind not in KINDS or not _INPUT.parent.exists():
        return reader.read(path, name, accepted)
    written = child_process.run(
        MODULE,
        str(accepted.text_tokens),
        path,
        seconds=SECONDS,
        most=most_bytes(accepted) + _BESIDE,
    )
    if written is None:
        raise FileUnread(Unread.BROKEN)
    line, _, data = written.partition(b"\n")
    facts = json.loads(line)
    if "unread" in facts:
        raise FileUnread(Unread(facts["unread"]))
    return FileContent(
        FileKind.TEXT, "text/plain", data, int(facts["tokens"]), cut=bool(facts["cut"])
    )


def main() -> None:
    """Read the document on standard input, and write its content for Claude."""
    child_process.limit(memory=MEMORY, seconds=SECONDS)
    data = b""
    try:
        content = reader.read(_INPUT, "", Accepted(text_tokens=int(sys.argv[1])))
    except FileUnread as error:
        facts: dict[str, object] = {"unread": error.reason.value}
    else:
        facts = {"tokens": content.tokens, "cut": content.cut}
        data = content.data
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n" + data)


if __name__ == "__main__":
    main()
