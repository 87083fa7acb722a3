"""Claude reads everything that a reader sees of the messages in `tests/data/messages/`,
which have the wire formats of the platforms."""

import re
from pathlib import Path

import pytest

from bot.context.prompt import EMPTY
from tests.show import messages, platform_of, shown

RECORDED = sorted(Path("tests/data/messages").iterdir())

# Times are shown in the reader's own time zone; the bot's own mention is left out where
# it addresses the bot, and is its name elsewhere.
_APART = re.compile(r"…|@(?:UBOT|Threadkeep)")
_ADDRESS = re.compile(r" \([a-z]+:[^\s()]+\)")


def words(text: str) -> str:
    """Return `text` without marks and blanks."""
    return "".join(filter(str.isalnum, text)).casefold()


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_claude_reads_all_that_a_reader_sees(path: Path) -> None:
    platform = platform_of(path)
    for message in messages(path):
        [seen], [read] = platform.seen([message]), platform.read([message])
        author, *lines = seen.splitlines()
        # Behind the words of a link Claude reads its address.
        all_words = words(_ADDRESS.sub("", read)) + words(read)
        for line in [author] * any(lines) + lines:
            for part in _APART.split(line):
                assert words(part) in all_words, line
        assert EMPTY not in read
    assert "-- A reader sees" in shown(path)
