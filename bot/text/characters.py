"""Characters that can be stored and sent."""

import re
import unicodedata
from typing import Any

#: The delimiters of references (`bot.text.references`): noncharacters, which Unicode
#: reserves for use inside programs, so that no real text contains them.
OPEN = "\ufdd0"
CLOSE = "\ufdd1"

# A lone surrogate. JSON can contain one; UTF-8, and so SQLite and HTTP, cannot.
_HALF = re.compile("[\ud800-\udfff]")
# Two surrogates that arrived separately and form one character.
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")

# Letters and symbols that look blank. Other blanks are recognised by their category.
BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"
# The categories of invisible characters: controls, formats, marks without a letter,
# separators.
_UNSEEN = frozenset(("Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp"))

# The replacement character.
_REPLACED = "\ufffd"


def is_blank(text: str) -> bool:
    """Return whether `text` has no visible character."""
    return not text or text.isspace() or all(map(_is_unseen, text))


def _is_unseen(character: str) -> bool:
    return character in BLANK_LETTERS or unicodedata.category(character) in _UNSEEN


def byte_count(text: str) -> int:
    """Return the size of `text` in UTF-8, with three bytes for a lone surrogate."""
    # `isascii` takes constant time, while encoding thousands of messages would take
    # milliseconds.
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


def replace_lone_surrogates(text: str) -> str:
    """Return `text` with U+FFFD for lone surrogates and for delimiters of references.

    Rule: all input from others passes through here on entry. Then no later step refuses
    it, and it cannot imitate references made by the core.
    """
    if text.isascii():
        return text
    text = text.replace(OPEN, _REPLACED).replace(CLOSE, _REPLACED)
    try:
        # Several times as fast as a search, and lone surrogates are rare.
        text.encode()
    except UnicodeEncodeError:
        return _HALF.sub(_REPLACED, _PAIR.sub(_join_pair, text))
    return text


def _join_pair(pair: re.Match[str]) -> str:
    return pair[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def split_half(text: str) -> tuple[str, str]:
    """Split off a leading surrogate at the end of `text`.

    The other half of the character may follow in the next piece.
    """
    is_half = "\ud800" <= text[-1:] <= "\udbff"
    return (text[:-1], text[-1]) if is_half else (text, "")


def replace_invalid(text: str) -> str:
    """Like `replace_lone_surrogates`, but replace NUL as well, for text to be stored.

    SQLite's functions end a text at NUL.
    """
    return replace_lone_surrogates(text).replace("\0", _REPLACED)


def replace_invalid_json(value: Any) -> Any:
    """Apply `replace_invalid` to all strings of the parsed JSON `value`, also to keys.

    Raises RecursionError if `value` nests too deeply.
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
