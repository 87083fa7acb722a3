"""Characters that can be stored and sent."""

import re
import unicodedata
from typing import Any

#: The delimiters of references (`bot.text.references`): noncharacters, which Unicode
#: reserves for use inside programs, so that no real text contains them.
OPEN = "\ufdd0"
CLOSE = "\ufdd1"

# A lone surrogate: JSON can carry one; UTF-8, and so SQLite and HTTP, cannot.
_HALF = re.compile("[\ud800-\udfff]")
# Two that came one by one and make a character.
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")

# Letters and symbols that look blank; other blanks are known by their category.
BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"
# The categories of characters without a look of their own: controls, formats, marks
# without a letter, separators.
_UNSEEN = frozenset(("Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp"))

# The replacement character.
_REPLACED = "\ufffd"


def is_blank(text: str) -> bool:
    """Return whether nothing of `text` can be seen."""
    return not text or text.isspace() or all(map(_is_unseen, text))


def _is_unseen(character: str) -> bool:
    return character in BLANK_LETTERS or unicodedata.category(character) in _UNSEEN


def byte_count(text: str) -> int:
    """Return the size of `text` in UTF-8, in which a lone surrogate has three bytes."""
    # An ASCII text has a byte for each character, and is known to be one: encoding
    # thousands of messages would take milliseconds.
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


def replace_lone_surrogates(text: str) -> str:
    """Return `text` with U+FFFD for lone surrogates and for the marks of references.

    Rule: what others wrote passes through here where it enters, so that nothing of it
    is refused later, and nothing in it passes for what the core itself wrote.
    """
    if text.isascii():
        return text
    text = text.replace(OPEN, _REPLACED).replace(CLOSE, _REPLACED)
    try:
        # Several times as fast as a search, and lone surrogates are rare.
        text.encode()
    except UnicodeEncodeError:
        return _HALF.sub(_REPLACED, _PAIR.sub(_joined, text))
    return text


def _joined(pair: re.Match[str]) -> str:
    return pair[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def split_half(text: str) -> tuple[str, str]:
    """Return `text`, and apart from it the first half of a character at its end, whose
    second half may follow in the next piece."""
    is_half = "\ud800" <= text[-1:] <= "\udbff"
    return (text[:-1], text[-1]) if is_half else (text, "")


def replace_invalid(text: str) -> str:
    """Return `text`, which is data, with NUL replaced as well: SQLite's functions end a
    text there."""
    return replace_lone_surrogates(text).replace("\0", _REPLACED)


def replace_invalid_json(value: Any) -> Any:
    """Return the parsed JSON `value` with all its texts made valid, keys included.

    Raises RecursionError if it nests too deep.
    """
    if isinstance(value, str):
        return replace_invalid(value)
    if isinstance(value, list):
        return [replace_invalid_json(each) for each in value]
    if isinstance(value, dict):
        return {
            replace_invalid(key): replace_invalid_json(each)
            for key, each in value.items()
        }
    return value
