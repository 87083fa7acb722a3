"""Keeps tokens and keys out of what is printed, logged or said. Pure.

Rule: a value that somebody else wrote is quoted through `quoted`, and never in any
other way, so that a credential in the wrong place is not shown where people or
programs read along.
"""

import re

#: What is cut out of a line of the log: tokens of Slack and Anthropic by what they
#: begin with, those of Discord's bots by their three parts and those of its
#: interactions, tickets in Socket Mode addresses, anything after "Bearer" or "Bot", and
#: what stands before the host of an address. Our own lines hold none; those of a
#: library might.
#:
#: What repeats begins where nothing of it can stand before, so that no run of
#: characters is looked at twice.
SECRETS = re.compile(
    r"(?<![A-Za-z0-9])(?:xox[a-z]|xapp|xwfp|sk-ant)-[\w.-]+"
    r"|(?<![\w-])[\w-]{18,}+\.[\w-]{6,7}\.[\w-]{27,}"
    r"|(?<![\w-])aW50ZXJhY3Rpb2[\w-]+"
    r"|(?<=ticket=)[\w.%-]+|(?<=Bearer )\S+|(?<=Bot )\S+"
    r"|(?<=://)[^\s/@]++(?=@)"
)

# A key by nothing but its look: as long as an MD5 sum, in hexadecimal; or in base64
# without the hyphens that names have, with digits, small and large letters.
_OPAQUE = re.compile(
    r"[0-9A-Fa-f]{32,}"
    r"|(?=[^0-9]*[0-9])(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])[A-Za-z0-9+/_]{32,}={0,2}"
)

# What may be a key, and what nobody misses in a message about it.
_LONG_WORD = re.compile(r"(?<![\w+/=.-])[\w+/=.-]{20,}")
_DIGIT = re.compile(r"[0-9]")
_SMALL = re.compile(r"[a-z]")
_LARGE = re.compile(r"[A-Z]")

#: Longer values are not quoted: they are no names or numbers, and may be anything.
QUOTED_CHARS = 40


def is_credential(value: str) -> bool:
    """Whether `value` is or holds a token or key, as surely as its look can tell."""
    value = value.strip()
    return bool(SECRETS.search(value) or _OPAQUE.fullmatch(value))


def quoted(value: str) -> str:
    """Return `value` between quotation marks, for a message about it; where it may be a
    credential or is longer than `QUOTED_CHARS`, what it is instead."""
    plain = " ".join(value.split())
    if is_credential(plain) or any(map(_is_mixed, _LONG_WORD.findall(plain))):
        return "this value, which looks like a token or key"
    if len(plain) > QUOTED_CHARS:
        return f"this text of {len(plain):,} characters"
    return f"“{plain}”"


def _is_mixed(word: str) -> bool:
    """Whether `word` is hexadecimal, or has digits, small and large letters, as keys
    do and words do not."""
    hexadecimal = not word.strip("0123456789abcdefABCDEF")
    patterns = (_DIGIT, _SMALL, _LARGE)
    return hexadecimal or all(each.search(word) for each in patterns)
