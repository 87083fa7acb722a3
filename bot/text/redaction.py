"""Removal of tokens and keys from what is printed, logged or posted. Pure.

Rule: a value that somebody else wrote is quoted through `quoted` only, so that a
misplaced credential is not shown where other people or programs read it.
"""

import re

from bot.messages import config as messages

#: The secrets that are removed from a line of the log: tokens of Slack, Anthropic and
#: our own API by their prefix, those of Discord bots by their three parts, those of its
#: interactions, tickets in Socket Mode addresses, the word behind "Bearer" or "Bot",
#: and the part of an address before its host. Our own lines hold none; those of a
#: library might. Each repetition begins where no part of it can precede, so that no run
#: of characters is scanned twice.
SECRETS = re.compile(
    r"(?<![A-Za-z0-9])(?:xox[a-z]|xapp|xwfp|sk-ant)-[\w.-]+"
    r"|(?<![\w-])[\w-]{18,}+\.[\w-]{6,7}\.[\w-]{27,}"
    r"|(?<![A-Za-z0-9])tk_[0-9a-f]{12}_[\w-]+"
    r"|(?<![\w-])aW50ZXJhY3Rpb2[\w-]+"
    r"|(?<=ticket=)[\w.%-]+|(?<=Bearer )\S+|(?<=Bot )\S+"
    r"|(?<=://)[^\s/@]++(?=@)"
)

# A text that looks like a key: at least as long as an MD5 sum, in hexadecimal, or in
# base64 without hyphens, with digits, lower- and upper-case letters.
_OPAQUE = re.compile(
    r"[0-9A-Fa-f]{32,}"
    r"|(?=[^0-9]*[0-9])(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])[A-Za-z0-9+/_]{32,}={0,2}"
)

# A word that may be a key, and is not needed in a message about it.
_LONG_WORD = re.compile(r"(?<![\w+/=.-])[\w+/=.-]{20,}")
_DIGIT = re.compile(r"[0-9]")
_SMALL = re.compile(r"[a-z]")
_LARGE = re.compile(r"[A-Z]")

#: Longer values are not quoted: they are no names or numbers.
QUOTED_CHARS = 40


def is_credential(value: str) -> bool:
    """Return True if `value` is or holds a token or key, as far as its form tells."""
    value = value.strip()
    return bool(SECRETS.search(value) or _OPAQUE.fullmatch(value))


def quoted(value: str) -> str:
    """Return `value` in quotation marks, for a message about it; or a description of
    it, if it may be a credential or is longer than `QUOTED_CHARS`."""
    plain = " ".join(value.split())
    if is_credential(plain) or any(map(_is_mixed, _LONG_WORD.findall(plain))):
        return messages.A_CREDENTIAL
    if len(plain) > QUOTED_CHARS:
        return messages.long_text(length=len(plain))
    return f"“{plain}”"


def _is_mixed(word: str) -> bool:
    """Return True if `word` is hexadecimal, or mixes digits, lower- and upper-case
    letters, as keys do and words do not."""
    hexadecimal = not word.strip("0123456789abcdefABCDEF")
    patterns = (_DIGIT, _SMALL, _LARGE)
    return hexadecimal or all(each.search(word) for each in patterns)
