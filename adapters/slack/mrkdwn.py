"""Slack's text notation, read and written. Pure.

Incoming text marks mentions, channels and links as `<…>` and escapes `&`, `<`
and `>`; outgoing `text` wants the same escapes (platform facts A6).
"""

import re
from collections.abc import Mapping

from bot.dialogue import REFERENCE

# Sequences that notify people, also inside a markdown block as far as anyone
# can tell (facts A6): a user, a channel, a user group, everybody.
PINGS = re.compile(r"<(?:[@#][A-Z0-9]|!(?:channel|here|everyone|subteam\^|date\^))")

_TOKEN = re.compile(r"<([^<>]+)>")
_USER = re.compile(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>")
_UNNAMED_CHANNEL = re.compile(r"<#([A-Z0-9]+)\|?>")


def mentions(text: str, user: str) -> bool:
    """Whether `text` mentions `user`."""
    return user in _USER.findall(text)


def users(text: str) -> list[str]:
    """Return the ids of the users that `text` mentions, each once, in order."""
    return list(dict.fromkeys(_USER.findall(text)))


def channels(text: str) -> list[str]:
    """Return the ids of the channels that `text` mentions without naming them, each
    once, in order."""
    return list(dict.fromkeys(_UNNAMED_CHANNEL.findall(text)))


def without_mention(text: str, user: str) -> str:
    """`text` without the mentions of `user`, and without the gaps they leave."""
    mention = rf"<@{re.escape(user)}(?:\|[^<>]*)?>"
    text = re.sub(rf"^\s*(?:{mention}[ \t]*[,:]?\s*)+", "", text)
    text = re.sub(rf"(?<=\S)[ \t]+{mention}(?=[ \t]*[.,;:!?)]|\s|$)", "", text)
    return re.sub(rf"{mention}[ \t]*", "", text).strip()


def readable(text: str, names: Mapping[str, str]) -> str:
    """`text` as a reader sees it; `names` by user or channel id."""
    return unescape(_TOKEN.sub(lambda m: _read(m[1], names), text))


def tokens(text: str) -> str:
    """What somebody typed, with ids as `bot.dialogue` writes them in place of
    mentions, and without Slack's escapes."""
    text = re.sub(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>", r"user:\1", text)
    text = re.sub(r"<#([A-Z0-9]+)(?:\|[^<>]*)?>", r"channel:\1", text)
    text = re.sub(r"<!subteam\^([A-Z0-9]+)(?:\|[^<>]*)?>", r"group:\1", text)
    return unescape(text)


def formatted(text: str) -> str:
    """The small Markdown of `bot.dialogue` in Slack's notation.

    Mentions in it show names and notify nobody, as long as only one person sees it:
    in a message for one person, a modal or the home tab.
    """
    parts = re.split(r"(```.*?```|`[^`\n]+`)", text, flags=re.DOTALL)
    return "".join(
        _code(part) if nth % 2 else _prose(part) for nth, part in enumerate(parts)
    )


def _code(text: str) -> str:
    # Slack knows no language of a block of code, and would show it as its first line.
    return escape(re.sub(r"^```\w+\n", "```\n", text))


def _prose(text: str) -> str:
    text = escape(text)
    text = re.sub(r"^&gt; ?", "> ", text, flags=re.MULTILINE)
    text = re.sub(r"^- ", "• ", text, flags=re.MULTILINE)
    text = re.sub(r"\*\*([^*\n]+)\*\*", r"*\1*", text)
    return REFERENCE.sub(_reference, text)


def _reference(match: re.Match[str]) -> str:
    marks = {"user": "<@{}>", "group": "<!subteam^{}>", "channel": "<#{}>"}
    return marks[match[1]].format(match[2])


def escape(text: str) -> str:
    """`text` so that Slack shows it as it is, and pings nobody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """The reverse of `escape`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _read(token: str, names: Mapping[str, str]) -> str:
    target, _, label = token.partition("|")
    kind, rest = target[:1], target[1:]
    if kind == "@":
        return "@" + (names.get(rest) or label.lstrip("@") or rest)
    if kind == "#":
        return "#" + (label.lstrip("#") or names.get(rest) or rest)
    if kind == "!":
        return _special(rest, label)
    target = target.removeprefix("mailto:")
    return target if not label or label == target else f"{label} ({target})"


def _special(target: str, label: str) -> str:
    if target.startswith("date^"):
        return label or target
    if target.startswith("subteam^"):
        return "@" + (label.lstrip("@") or "group")
    return "@" + (label.lstrip("@") or target)
