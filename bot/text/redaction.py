"""Removes tokens and keys from text that is printed, logged or posted. Pure.

Rule: a value written by others is quoted only with `quote`, so that a misplaced
credential is not exposed to other people or programs.
"""

import re

from bot.messages import config as messages

# The tokens of Slack, Anthropic and our own API, by prefix; those of Discord bots, by
# their three parts; those of Discord's interactions; tickets in Socket Mode URLs; the
# word after "Bearer" or "Bot"; and the part of a URL before its host. Lookbehinds make
# each repetition start at the beginning of a run of its characters, so that no run is
# scanned twice.
_TOKENS = (
    r"(?<![A-Za-z0-9])(?:xox[a-z]|xapp|xwfp|sk-ant)-[\w.-]+"
    r"|(?<![\w-])[\w-]{18,}+\.[\w-]{6,7}\.[\w-]{27,}"
    r"|(?<![A-Za-z0-9])tk_[0-9a-f]{12}_[\w-]+"
    r"|(?<![\w-])aW50ZXJhY3Rpb2[\w-]+"
    r"|(?<=ticket=)[\w.%-]+|(?i:(?<=bearer ))\S+|(?<=Bot )\S+"
    # A password may have signs that should be escaped.
    r"|(?<=://)[^\s/@:'\"]{0,100}+:[^\s'\"]{0,200}(?=@)"
    r"|(?<=://)[^\s/@]++(?=@)"
)
_TOKEN = re.compile(_TOKENS)

#: The secrets that are removed from log lines: tokens, other headers with keys, values
#: that are called a token, secret, key or password, and the paths of webhooks. Our own
#: log lines contain no secrets, but those of a library might.
SECRETS = re.compile(
    rf"{_TOKENS}"
    r"|(?i:(?<=authorization: basic )|(?<=x-api-key: ))\S+"
    r"|(?i:(?<=[^a-z]token=)|(?<=_token=)|(?<=_secret=)|(?<=api_key=)|(?<=password=)"
    r"|(?<=hooks\.slack\.com/)|(?<=/api/webhooks/))[^\s&'\"]+"
)

# A text that looks like a key: at least 32 characters, the length of an MD5 sum. Either
# hexadecimal, or base64 without hyphens that mixes digits, lower- and upper-case
# letters.
_OPAQUE = re.compile(
    r"[0-9A-Fa-f]{32,}"
    r"|(?=[^0-9]*[0-9])(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])[A-Za-z0-9+/_]{32,}={0,2}"
)

# A word that may be a key, and that a message about the value can omit.
_LONG_WORD = re.compile(r"(?<![\w+/=.-])[\w+/=.-]{20,}")
_DIGIT = re.compile(r"[0-9]")
_SMALL = re.compile(r"[a-z]")
_LARGE = re.compile(r"[A-Z]")

#: Longer values are not quoted, since they are neither names nor numbers.
QUOTED_CHARS = 40


def is_credential(value: str) -> bool:
    """Return True if `value` looks like a token or key, or contains a token."""
    value = value.strip()
    return bool(_TOKEN.search(value) or _OPAQUE.fullmatch(value))


def quote(value: str) -> str:
    """Return `value` in quotation marks, for a message about the value.

    A possible credential and a value longer than `QUOTED_CHARS` are described instead.
    """
    plain = " ".join(value.split())
    if is_credential(plain) or any(map(_is_mixed, _LONG_WORD.findall(plain))):
        return messages.A_CREDENTIAL
    if len(plain) > QUOTED_CHARS:
        return messages.long_text(length=len(plain))
    return f"“{plain}”"


def _is_mixed(word: str) -> bool:
    """Return True if `word` looks like a key rather than a word.

    Keys are hexadecimal, or mix digits, lower- and upper-case letters.
    """
    hexadecimal = not word.strip("0123456789abcdefABCDEF")
    patterns = (_DIGIT, _SMALL, _LARGE)
    return hexadecimal or all(each.search(word) for each in patterns)
