"""Parses Discord's ids, which are numbers.

Rule: an id is untrusted and may be malformed: people write ids into settings, and a
database may hold anything. A malformed id raises ThreadGone.
"""

from bot.errors import ThreadGone

# Ids are unsigned 64-bit numbers.
MOST = 2**64
DIGITS = len(str(MOST))


def is_id(text: str) -> bool:
    """Return whether `text` is well formed as a Discord id."""
    # Check the length first: parsing thousands of digits is slow, or raises.
    return (
        len(text) <= DIGITS
        and text.isascii()
        and text.isdecimal()
        and 0 < int(text) < MOST
    )


def parse_id(text: str) -> int:
    """Return `text` as an id, or 0, which nothing has, if it is malformed."""
    return int(text) if is_id(text) else 0


def number(text: str, what: str) -> int:
    """Return `text` as an id; `what` names the operation in the log. Raises
    ThreadGone."""
    if not is_id(text):
        # Do not log the text itself: it may be anything.
        raise ThreadGone(f"{what}: no id of Discord's")
    return int(text)
