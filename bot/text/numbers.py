"""Numbers that people write. Pure."""

import re

#: Longer numbers are not valid anywhere. Up to this many digits are exact in JSON and
#: fit into SQLite; Python refuses more than 4,300 with an error of its own.
MOST_DIGITS = 15


# What people put between groups of three digits.
_GROUPED = re.compile(
    r"(-?[1-9][0-9]{0,2})(([,_'\u2019 \u00a0\u202f])[0-9]{3}(?:\3[0-9]{3})*+)"
    r"(?:(?:\.|(?<!,...),)([0-9]*+))?"
)
_GROUPED_BY_DOTS = re.compile(
    r"(-?[1-9][0-9]{0,2})((?:\.[0-9]{3})++),([0-9]++)"
    r"|(-?[1-9][0-9]{0,2})((?:\.[0-9]{3}){2,}+)"
)
_WITH_COMMA = re.compile(r"(-?[0-9]*+),([0-9]++)")


def plain_number(text: str) -> str:
    """Return `text` with digits and at most a decimal point, if it writes a number with
    separators of any country; otherwise unchanged.

    "1,000" and "1 000.5" have groups of three; "5,50" and "1.000,50" a decimal comma.
    """
    if found := _GROUPED.fullmatch(text):
        cents = f".{found[4]}" if found[4] else ""
        return f"{found[1]}{found[2].replace(found[3], '')}{cents}"
    if found := _GROUPED_BY_DOTS.fullmatch(text):
        whole, groups = found[1] or found[4], found[2] or found[5]
        cents = f".{found[3]}" if found[3] else ""
        return f"{whole}{groups.replace('.', '')}{cents}"
    if found := _WITH_COMMA.fullmatch(text):
        return f"{found[1]}.{found[2]}"
    return text


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
