"""Escapes our own tags in text from others. Pure.

The prompts put text between tags: `<message>` and `<note>` for chat messages,
`<ticket>`, `<example>` and `<answer>` for classification, `<question>` for routing, and
`<summary>` for the summary of a thread's older part. Nobody else may write such a tag.

Rule 1: all tags share one list of names and one function.
Rule 2: text is matched as a person sees it. A model may ignore invisible characters,
read a full-width letter, or skip a blank between `<` and a name, so this module does,
too.
Rule 3: only the character that begins a tag is changed. Joined emoji, Arabic and Hebrew
marks and all other markup are kept.
Rule 4: each character is examined a bounded number of times, whatever the text.
"""

import re
from collections.abc import Sequence

# Invisible characters: controls, format characters (category Cf), combining marks, and
# default-ignorable code points. `tests/security/test_tags.py` compares the list with
# Python's Unicode tables.
_UNSEEN = (
    r"\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u0300-\u036f\u0600-\u0605\u061c\u06dd\u070f"
    r"\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\u2800\u3164\ufe00-\ufe0f"
    r"\ufe20-\ufe2f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)

# `<`, its compatibility forms, and the characters that Unicode lists as confusable with
# it (UTS 39).
_OPENERS = "<＜﹤˂ᐸ‹❮\U0001d236\U00016eba"

# Characters allowed between `<` and a name: blanks, slashes, invisible characters.
_GAP = rf"[\s/／⁄∕{_UNSEEN}]*+"
_I = rf"[{_UNSEEN}]*+"

_NAMES = ("message", "note", "ticket", "example", "answer", "question", "summary")

# Unicode's other alphabets of Latin letters, by the first letter of each: full-width,
# circled, in parentheses, squared, and mathematical.
_ALPHABETS = (
    *(0xFF41, 0x24D0, 0x249C, 0x1F110, 0x1F130, 0x1F150, 0x1F170),
    *range(0x1D400, 0x1D6A4, 26),
)

# Other letters that look like a Latin one (UTS 39), or that Unicode makes from one.
_ALIKE = {
    "a": "аɑαᴀ",
    "e": "еєℯⅇℰᴇ",
    "g": "ɡցℊɢ",
    "i": "іıιⅰℹ",
    "k": "кκᴋ",
    "l": "ӏⅼℓʟ",
    "m": "мⅿℳᴍ",
    "n": "ոռηɴ",
    "o": "оοօℴᴏ",
    "p": "рρᴘ",
    "q": "ԛգℚ",
    "r": "гᴦℛℜℝʀ",
    "s": "ѕꜱſ",
    "t": "тτᴛ",
    "u": "υսᴜ",
    "w": "ԝաᴡ",
    "x": "хχⅹ",
    "y": "уγүʏ",
    "c": "сϲⅽℂᴄ",
}


def _letters(letters: Sequence[str]) -> str:
    """Return a pattern for any of `letters`, and for what looks like it."""
    found = [
        letter
        + _ALIKE[letter]
        + "".join(chr(a + ord(letter) - ord("a")) for a in _ALPHABETS)
        for letter in letters
    ]
    return f"[{''.join(found)}]"


# Invisible characters may stand between the letters of a name.
_NAME = "|".join(_I.join(map(_letters, name)) for name in _NAMES)

# The initials of the names, tested first, since most characters begin no name.
_INITIALS = f"(?={_letters(sorted({name[0] for name in _NAMES}))})"

# A name ends where no letter follows, or before a letter that looks like `<` or is
# invisible.
_END = rf"(?:(?!\w)|(?=[{_OPENERS}{_UNSEEN}]))"

#: Matches the character that begins one of our tags. All repetitions are possessive and
#: stop at the next `<`, so the time is linear in the length of the text.
TAG = re.compile(rf"[{_OPENERS}](?={_GAP}{_INITIALS}(?:{_NAME}){_END})", re.IGNORECASE)

#: All characters that end a line in some program, and all other controls.
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]++")

# The characters that would end an attribute or begin a tag, and their entities.
_ENTITIES = str.maketrans(
    {"&": "&amp;", '"': "&quot;", "＂": "&quot;", **dict.fromkeys(_OPENERS, "&lt;")}
)


def escape(text: str) -> str:
    """Return `text` with `&lt;` for each character that would begin one of our tags."""
    return TAG.sub("&lt;", text)


def escape_line(text: str) -> str:
    """Return `text` escaped and on one line, for a file name."""
    return escape(_BREAKS.sub(" ", text))


def plain(value: str) -> str:
    """Undo the escaping of `attribute`."""
    for character, entity in (("<", "&lt;"), ('"', "&quot;"), ("&", "&amp;")):
        value = value.replace(entity, character)
    return value


def attribute(value: str) -> str:
    """Return `value` as the text of an attribute between quotes, on one line."""
    return _BREAKS.sub(" ", value).translate(_ENTITIES)
