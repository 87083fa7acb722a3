"""Recognises commands in another order or spelling. Pure.

If Claude answers a person who wants to set something, the person may believe that it is
set. Rule: a wording is recognised only if it can hardly be anything but a command.
"""

import re
from collections.abc import Sequence

from bot.claude.catalog import named
from bot.commands import typed_text
from bot.commands.catalog import ALL
from bot.settings.options import BY_NAME
from bot.text.numbers import plain_number, western
from bot.ui.elements import Kind

#: The most words of a text that is recognised.
MOST_WORDS = 12

# Words without meaning in a budget: "a budget of 5 USD for each day".
_FILLERS = frozenset(
    (
        *("a", "an", "at", "each", "every", "for", "here", "in", "is", "of", "per"),
        *("the", "this", "to", "=", ":", "me", "my", "our", "your"),
    )
)
_PERIODS = {
    **dict.fromkeys(("day", "daily"), "day"),
    **dict.fromkeys(("month", "monthly"), "month"),
}
# Words for periods that no budget has.
_OTHER_PERIODS = frozenset(
    ("week", "weekly", "week's", "hour", "hourly", "year", "yearly")
)
_LEVELS = {"channel's": "channel", "workspace's": "workspace", "server's": "server"}

# The value that deletes a setting.
_NONE = "none"
_REMOVE = frozenset(("remove", "delete", "clear", "reset"))
_CHANGE = frozenset(
    (*("set", "change", "raise", "increase", "lower", "reduce", "switch", "use"),)
)
# Words between such a word and the name of a model.
_TO_MODEL = frozenset(("the", "model", "to", "=", "here", "a", "now"))
_SCREENS = frozenset(("settings", "usage", "budget", "audit", "prompt history", "help"))

_CURRENCY = re.compile(r"(?:us)?[$€£¥]|usd|dollars?|eur|euros?|gbp|pounds?|chf", re.I)
_GROUP = re.compile(r"[0-9]{3}(?:[.,][0-9]{1,4})?")

# The signs that people put between the name of a setting and its value.
_SIGN = re.compile(r"[=:]")
_MOST_NAME = 4


def find_command(text: str) -> str:
    """Return the command that `text` means in other words; "" if it means none."""
    words = _SIGN.sub(" = ", typed_text.bare(text), count=1).split()
    if not 1 < len(words) <= MOST_WORDS or text.rstrip().endswith("?"):
        return ""
    first, *rest = words
    low = [word.lower() for word in words]
    match first.lower():
        case "budget" | "limit":
            return _budget(rest)
        case "model":
            return _model([word for word in rest if word != "="])
        case "daily" | "monthly" if low[1] == "budget":
            return _budget([first, *words[2:]])
        case "show" | "list":
            return _shown(low[1:])
        case "triage":
            return _triage(low[1:])
    if first.lower() == "set" and (found := _setting(rest)):
        return found
    if first.lower() in _REMOVE and "budget" in low:
        period = [word for word in rest if word.lower() != "budget"]
        return _budget([*period, _NONE])
    if first.lower() in _CHANGE and "budget" in low:
        return _budget([word for word in rest if word.lower() != "budget"])
    if first.lower() in _CHANGE:
        return _model([word for word in rest if word.lower() not in _TO_MODEL])
    return ""


def _shown(words: Sequence[str]) -> str:
    """Return the command that shows what `words` name: "me all the settings"."""
    left = [word for word in words if word not in _FILLERS]
    name = " ".join(word for word in left if word != ALL)
    if name == "prompt":
        return "prompt show"
    if name not in _SCREENS:
        return ""
    if name == "settings" and ALL in left:
        return " ".join((name, ALL))
    return name


def _triage(words: Sequence[str]) -> str:
    """Return the command for triage: "the last 50 messages", "this thread"."""
    left = [w for w in words if w not in (*_FILLERS, "last", "messages", "thread")]
    if not left:
        return "triage"
    if len(left) == 1 and left[0].isdecimal():
        return " ".join(("triage", "last", left[0]))
    if left in (["today"], ["yesterday"]):
        return " ".join(("triage", "since", left[0]))
    return ""


def _budget(words: Sequence[str]) -> str:
    """Return the command for a budget of the one amount in `words`, in any order."""
    periods, amounts, rest = set[str](), list[str](), list[str]()
    left = [word for word in words if word.lower() not in _FILLERS]
    if any(word.lower() in _OTHER_PERIODS for word in left):
        # The form says which periods there are.
        return "budget" if any(map(_has_digit, left)) else ""
    while left:
        word = left.pop(0)
        word = _LEVELS.get(word.lower(), word)
        digits = _CURRENCY.sub("", word)
        if digits[:1].isdecimal():
            while left and _GROUP.fullmatch(left[0]):
                digits += f" {left.pop(0)}"
            amounts.append(plain_number(western(digits)))
        elif word == _NONE:
            amounts.append(word)
        elif digits and word.lower() in _PERIODS:
            periods |= {_PERIODS[word.lower()]}
        elif digits:
            rest.append(word)
    if len(amounts) != 1 or len(periods) > 1:
        return ""
    return " ".join(["budget", *periods, *amounts, *rest])


def _has_digit(word: str) -> bool:
    return any(map(str.isdecimal, word))


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
