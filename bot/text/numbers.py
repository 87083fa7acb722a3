"""Numbers that people write. Pure."""

import re
import unicodedata

#: The maximum number of digits. Such numbers are exact in JSON and fit into SQLite.
#: Python itself refuses to parse more than 4,300 digits.
MOST_DIGITS = 15


# With the separators that people put between groups of three digits.
_GROUPED = re.compile(
    r"(-?[1-9][0-9]{0,2})(([,_'\u2019 \u00a0\u202f])[0-9]{3}(?:\3[0-9]{3})*+)"
    r"(?:(?:\.|(?<!,...),)([0-9]*+))?"
)
_GROUPED_BY_DOTS = re.compile(
    r"(-?[1-9][0-9]{0,2})((?:\.[0-9]{3})++),([0-9]++)"
    r"|(-?[1-9][0-9]{0,2})((?:\.[0-9]{3}){2,}+)"
)
_WITH_COMMA = re.compile(r"(-?[0-9]*+),([0-9]++)")


# The signs of the Arabic scripts, as those of Western Europe.
_SIGNS = str.maketrans({"\u066b": ".", "\u066c": ",", "\u2212": "-"})


def western(text: str) -> str:
    """Return `text` with the digits and signs of all scripts in ASCII, and without
    invisible characters: "＄５" is "$5"."""
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKC", text).translate(_SIGNS)
    return "".join(
        str(unicodedata.decimal(each, each))
        for each in plain
        if unicodedata.category(each) != "Cf"
    )


def plain_number(text: str) -> str:
    """Return a number with any country's separators as digits and a decimal point.

    "1,000" and "1 000.5" have groups of three digits; "5,50" and "1.000,50" have a
    decimal comma. Any other text is returned unchanged.
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
    """Format `count` with two significant digits and separators: 981 as "980"."""
    digits = max(0, len(str(count)) - 2)
    return f"{round(count, -digits):,}"


def number(text: str, most_digits: int = MOST_DIGITS) -> int | None:
    """Parse ASCII digits without a sign.

    Return None for anything else and for more than `most_digits` digits.
    """
    if len(text) > most_digits or not (text.isascii() and text.isdecimal()):
        return None
    return int(text)
