"""Slack's text notation, read and written. Pure.

Incoming text marks mentions, channels and links as `<…>` and escapes `&`, `<`
and `>`; outgoing `text` wants the same escapes (platform facts A6).
"""

import re
from collections.abc import Mapping

# Sequences that notify people, also inside a markdown block as far as anyone
# can tell (facts A6): a user, a channel, a user group, everybody.
PINGS = re.compile(r"<(?:[@#][A-Z0-9]|!(?:channel|here|everyone|subteam\^|date\^))")

_TOKEN = re.compile(r"<([^<>]+)>")
_USER = re.compile(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>")
_CHANNEL = re.compile(r"<#([A-Z0-9]+)(?:\|[^<>]*)?>")


def mentions(text: str, user: str) -> bool:
    """Whether `text` mentions `user`."""
    return user in _USER.findall(text)


def users(text: str) -> set[str]:
    """The ids of the users that `text` mentions."""
    return set(_USER.findall(text))


def channels(text: str) -> set[str]:
    """The ids of the channels that `text` mentions without naming them."""
    return {m[1] for m in re.finditer(r"<#([A-Z0-9]+)\|?>", text)} & set(
        _CHANNEL.findall(text)
    )


def without_mention(text: str, user: str) -> str:
    """`text` without the mentions of `user`, and without the gaps they leave."""
    mention = rf"<@{re.escape(user)}(?:\|[^<>]*)?>"
    text = re.sub(rf"^\s*(?:{mention}[ \t]*[,:]?\s*)+", "", text)
    text = re.sub(rf"(?<=\S)[ \t]+{mention}(?=[ \t]*[.,;:!?)]|\s|$)", "", text)
    return re.sub(rf"{mention}[ \t]*", "", text).strip()


def readable(text: str, names: Mapping[str, str]) -> str:
    """`text` as a reader sees it; `names` by user or channel id."""
    return unescape(_TOKEN.sub(lambda m: _read(m[1], names), text))


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
