"""Keeps what people write from being read as one of our own tags. Pure.

The prompts put text between tags: `<message>` and `<note>` around what is said in a
chat, `<ticket>`, `<example>` and `<answer>` around what is sorted, `<question>` around
what is routed. Nobody else may write such a tag.

Rule 1: one list of names and one function for all of them.
Rule 2: text is looked at as a reader sees it: a model may overlook whatever is
invisible, a full-width letter, or a blank between `<` and a name, so this does, too.
Rule 3: only the sign that begins a tag is changed. Joined emoji, Arabic and Hebrew
marks, and all other markup stay as they were written.
Rule 4: each character is looked at a bounded number of times, whatever the text.
"""

import re

# Characters that show nothing: controls, format characters (category Cf), combining
# marks, and what Unicode calls default-ignorable. `tests/security/test_tags.py`
# compares the list with Python's own tables.
_UNSEEN = (
    r"\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u0300-\u036f\u0600-\u0605\u061c\u06dd\u070f"
    r"\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\u2800\u3164\ufe00-\ufe0f"
    r"\ufe20-\ufe2f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)

# `<`, and what Unicode's compatibility forms and its list of confusable characters
# (UTS 39) make of it.
_OPENERS = "<＜﹤˂ᐸ‹❮\U0001d236\U00016eba"

# What may stand between `<` and a name: blanks, slashes, and what shows nothing.
_GAP = rf"[\s/／⁄∕{_UNSEEN}]*+"
_I = rf"[{_UNSEEN}]*+"

# The names, in narrow and full-width letters, with anything unseen between them.
_MESSAGE = rf"[mｍ]{_I}[eｅ]{_I}[sｓ]{_I}[sｓ]{_I}[aａ]{_I}[gｇ]{_I}[eｅ]"
_NOTE = rf"[nｎ]{_I}[oｏ]{_I}[tｔ]{_I}[eｅ]"
_TICKET = rf"[tｔ]{_I}[iｉ]{_I}[cｃ]{_I}[kｋ]{_I}[eｅ]{_I}[tｔ]"
_EXAMPLE = rf"[eｅ]{_I}[xｘ]{_I}[aａ]{_I}[mｍ]{_I}[pｐ]{_I}[lｌ]{_I}[eｅ]"
_ANSWER = rf"[aａ]{_I}[nｎ]{_I}[sｓ]{_I}[wｗ]{_I}[eｅ]{_I}[rｒ]"
_QUESTION = rf"[qｑ]{_I}[uｕ]{_I}[eｅ]{_I}[sｓ]{_I}[tｔ]{_I}[iｉ]{_I}[oｏ]{_I}[nｎ]"

# What the names begin with: looked at first, since most signs begin none of them.
_INITIALS = r"(?=[mｍnｎtｔeｅaａqｑ])"

# A name ends where a word does, or before a letter that looks like `<` or like nothing.
_END = rf"(?:\b|(?=[{_OPENERS}{_UNSEEN}]))"

#: Matches the sign that begins a tag of ours. All repetitions are possessive and stop
#: at the next `<`, so the time is linear in the length of the text.
TAG = re.compile(
    rf"[{_OPENERS}](?={_GAP}{_INITIALS}"
    rf"(?:{_MESSAGE}|{_NOTE}|{_TICKET}|{_EXAMPLE}|{_ANSWER}|{_QUESTION}){_END})",
    re.IGNORECASE,
)

#: All that ends a line somewhere, and all other control characters.
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]++")

# What would end an attribute or begin a tag, and how it is written there.
_ENTITIES = str.maketrans(
    {"&": "&amp;", '"': "&quot;", "＂": "&quot;", **dict.fromkeys(_OPENERS, "&lt;")}
)


def escape(text: str) -> str:
    """Return `text` with `&lt;` for each sign that would begin a tag of ours."""
    return TAG.sub("&lt;", text)


def escape_line(text: str) -> str:
    """Return `text` on one line, and escaped: for the name of a file."""
    return escape(_BREAKS.sub(" ", text))


def attribute(value: str) -> str:
    """Return `value` as an attribute can hold it between its quotes, on one line."""
    return _BREAKS.sub(" ", value).translate(_ENTITIES)
