"""Recognises commands in another order or spelling. Pure.

If Claude answers a person who wants to set something, the person may believe that it is
set. Rule: a wording is recognised only if it can hardly be anything but a command.
"""

import re
from collections.abc import Sequence

from bot.claude.catalog import named
from bot.settings.options import BY_NAME
from bot.text.numbers import plain_number
from bot.ui.elements import Kind

#: The most words of a text that is recognised.
MOST_WORDS = 12

# Words without meaning in a budget: "a budget of 5 USD for each day".
_FILLERS = frozenset(
    (
        *("a", "an", "at", "each", "every", "for", "here", "in", "is", "of", "per"),
        *("the", "this", "to", "=", ":"),
    )
)
_PERIODS = {
    **dict.fromkeys(("day", "daily"), "day"),
    **dict.fromkeys(("month", "monthly"), "month"),
}
_CURRENCY = re.compile(r"(?:us)?[$€£¥]|usd|dollars?|eur|euros?|gbp|pounds?|chf", re.I)
_GROUP = re.compile(r"[0-9]{3}(?:[.,][0-9]{1,4})?")

# The signs that people put between the name of a setting and its value.
_SIGN = re.compile(r"[=:]")
_MOST_NAME = 4


def worded(text: str) -> str:
    """Return the command that `text` means in other words; "" if it means none."""
    words = _SIGN.sub(" = ", text, count=1).split()
    if not 1 < len(words) <= MOST_WORDS or text.rstrip().endswith("?"):
        return ""
    match words[0].lower():
        case "budget" | "limit":
            return _budget(words[1:])
        case "model":
            return _model([word for word in words[1:] if word != "="])
        case "set":
            return _setting(words[1:])
    return ""


def _budget(words: Sequence[str]) -> str:
    """Return the command for a budget of the one amount in `words`, in any order."""
    periods, amounts, rest = set[str](), list[str](), list[str]()
    left = [word for word in words if word.lower() not in _FILLERS]
    while left:
        word = left.pop(0)
        digits = _CURRENCY.sub("", word)
        if digits[:1].isdecimal():
            while left and _GROUP.fullmatch(left[0]):
                digits += f" {left.pop(0)}"
            amounts.append(plain_number(digits))
        elif digits and word.lower() in _PERIODS:
            periods |= {_PERIODS[word.lower()]}
        elif digits:
            rest.append(word)
    if len(amounts) != 1 or len(periods) > 1:
        return ""
    return " ".join(["budget", *periods, *amounts, *rest])


def _model(words: Sequence[str]) -> str:
    """Return the command for the model whose name has several words: "opus 5.5"."""
    for count in (len(words), len(words) - 1):
        name = "-".join(words[:count]).lower().replace(".", "-")
        bare = name.removeprefix("claude-")
        if facts := named(bare) or named(f"claude-{bare}"):
            return " ".join(["model", facts.id, *words[count:]])
    return ""


def _setting(words: Sequence[str]) -> str:
    """Return the command for the setting that `words` begin with: "web search on",
    "max-tokens to 4096"."""
    left = [word for word in words if word.lower() not in ("the", "=")]
    for count in range(min(_MOST_NAME, len(left)), 0, -1):
        option = BY_NAME.get("_".join(left[:count]).lower().replace("-", "_"))
        if option is not None and option.kind is not Kind.TEXT:
            values = left[count + (left[count : count + 1] == ["to"]) :]
            return " ".join(["set", option.name, *values])
    return ""
