"""The values of `follow`: the messages answered in the bot's own threads. Pure."""

from datetime import date

from bot.messages import options as messages
from bot.settings import parsers
from bot.ui.elements import Choice

SMART, ALL, MENTION = "smart", "all", "mention"
_ABOUT = {
    SMART: messages.FOLLOW_SMART,
    ALL: messages.FOLLOW_ALL,
    MENTION: messages.FOLLOW_MENTION,
}

#: Parses a value, including those of the former switch.
read = parsers.with_former_names(
    parsers.one_of(SMART, ALL, MENTION),
    {
        **{"on": SMART, "off": MENTION},
        **{f"{value}, {about}".lower(): value for value, about in _ABOUT.items()},
    },
)


def choices(today: date) -> tuple[Choice, ...]:
    """Return the choices of a form."""
    return tuple(Choice(value, value, about) for value, about in _ABOUT.items())


def format_value(value: str) -> str:
    """Format a canonical value."""
    return f"{value}, {_ABOUT.get(value, '')}".strip(", ")
