"""Reads Discord's ids, which are numbers.

Rule: an id comes from outside, and may be none: people write ids into settings, and a
database may hold anything. What has none of Discord's ids cannot be reached, and that
is a ThreadGone like any other.
"""

from bot.errors import ThreadGone

# They are unsigned, of 64 bits.
MOST = 2**64
DIGITS = len(str(MOST))


def is_id(text: str) -> bool:
    """Whether `text` may be an id of Discord's."""
    # The length first: reading thousands of digits takes Python long, or raises.
    return (
        len(text) <= DIGITS
        and text.isascii()
        and text.isdecimal()
        and 0 < int(text) < MOST
    )


def known(text: str) -> int:
    """The id that `text` is; 0, which nothing has, for what is none."""
    return int(text) if is_id(text) else 0


def number(text: str, what: str) -> int:
    """The id that `text` is; `what` names it in the log. Raises ThreadGone."""
    if not is_id(text):
        # Not the text itself: it may be anything.
        raise ThreadGone(f"{what}: no id of Discord's")
    return int(text)
