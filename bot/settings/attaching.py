"""The values of `attach_lines`: the length above which a block of an answer is attached
as a file. Pure."""

from bot.messages import phrases
from bot.messages import values as messages
from bot.settings import parsers

#: The default: more lines do not fit into one message on Discord (platform facts B5).
LINES = "60"
LEAST, MOST = 10, 1_000

_NEVER = "0"

#: Parses a value.
read = parsers.with_former_names(
    parsers.whole_number(LEAST, MOST, messages.LINES),
    {phrases.NEVER: _NEVER, _NEVER: _NEVER},
)


def format_value(value: str) -> str:
    """Format a canonical value."""
    return phrases.NEVER if value == _NEVER else phrases.lines(count=int(value))
