"""Whole numbers that people write. Pure."""

#: Longer numbers are not valid anywhere. Up to this many digits are exact in JSON and
#: fit into SQLite; Python refuses more than 4,300 with an error of its own.
MOST_DIGITS = 15


def approximate(count: int) -> str:
    """Return `count` with two significant digits and separators: 981 as "980"."""
    digits = max(0, len(str(count)) - 2)
    return f"{round(count, -digits):,}"


def number(text: str, most_digits: int = MOST_DIGITS) -> int | None:
    """Return the number that `text` writes in ASCII digits without a sign; None for
    anything else, and for more than `most_digits` digits."""
    if len(text) > most_digits or not (text.isascii() and text.isdecimal()):
        return None
    return int(text)
