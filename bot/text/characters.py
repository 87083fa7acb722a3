"""Characters that can be stored and sent."""

import re
from typing import Any

#: What the core puts around what it names itself (`bot.text.references`): characters
#: that Unicode keeps for the inside of programs, so that nobody's text has use for
#: them.
OPEN = "\ufdd0"
CLOSE = "\ufdd1"

# Half a character: JSON can carry it; UTF-8, and so SQLite and HTTP, cannot.
_HALF = re.compile("[\ud800-\udfff]")

# What stands for what is no character.
_REPLACED = "\ufffd"


def replace_lone_surrogates(text: str) -> str:
    """Return `text` with U+FFFD for lone surrogates and for the marks of references.

    Rule: what others wrote passes through here where it enters, so that nothing of it
    is refused later, and nothing in it passes for what the core itself wrote.
    """
    if text.isascii():
        return text
    text = text.replace(OPEN, _REPLACED).replace(CLOSE, _REPLACED)
    try:
        # Several times as fast as to look for it, and nearly never there.
        text.encode()
    except UnicodeEncodeError:
        return _HALF.sub(_REPLACED, text)
    return text


def replace_invalid(text: str) -> str:
    """The same of what is data and no setting: code point 0 is replaced, too. SQLite's
    functions end a text there, and nothing in a database can have it in its name."""
    return replace_lone_surrogates(text).replace("\0", _REPLACED)


def replace_invalid_json(value: Any) -> Any:
    """The same of all texts in `value`, which JSON said, the names in it included.

    Raises RecursionError where it nests too deep.
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
