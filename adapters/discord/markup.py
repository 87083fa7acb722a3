"""Parses and writes Discord's notation for people, channels and more. Pure.

What clients show as a name is an id in angle brackets in the text (platform facts B5).
"""

import re
from collections.abc import Iterable, Mapping

from bot.ui.elements import REFERENCE

#: The most characters of a thread's name (facts B6).
NAME_CHARS = 100
UNNAMED = "A question"

# An id is a 64-bit number, so it has at most 20 digits.
_USER = re.compile(r"<@!?([0-9]{1,20}+)>")
_TOKEN = re.compile(
    r"<(?:"
    r"@!?(?P<user>[0-9]{1,20}+)"
    r"|@&(?P<role>[0-9]{1,20}+)"
    r"|#(?P<channel>[0-9]{1,20}+)"
    r"|/(?P<command>[^:<>]++):[0-9]{1,20}+"
    r"|a?:(?P<emoji>\w++):[0-9]{1,20}+"
    r"|(?P<link>https?://[^<>\s]++)"
    r")>"
)
_MENTION = re.compile(r"<(@!?|@&|#)([0-9]{1,20}+)>")
# A mention of a user or role with the blanks to remove with it: at the beginning, after
# a word and before punctuation or a blank, and anywhere.
_ADDRESSED = r"<@[!&]?([0-9]{1,20}+)>"
_FIRST = re.compile(rf"\s*+{_ADDRESSED}[ \t]*+[,:]?\s*+")
_BEHIND = re.compile(rf"(?<=\S)[ \t]++{_ADDRESSED}(?=[ \t]*+[.,;:!?)]|\s|$)")
_ANYWHERE = re.compile(rf"{_ADDRESSED}[ \t]*+")
_KINDS = {"@": "user", "@!": "user", "@&": "group", "#": "channel"}
_SIGNS = {"user": "@", "group": "@&", "channel": "#"}
# Code, whose content is shown literally, including fenced code without an end.
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]++`)", re.DOTALL)
_BLANKS = re.compile(r"\s++")
# Markdown that a thread's name would show literally.
_MARKS = re.compile(r"^[#>\s-]++|[*`~|]++")
# How much of a text is searched for a name.
_TITLE_OF = 4_000


def users(text: str) -> list[str]:
    """Return the ids of the users that `text` mentions, each once, in order."""
    return list(dict.fromkeys(_USER.findall(text)))


def without_mention(text: str, *ids: str) -> str:
    """Return `text` without the mentions of `ids`, users or roles, and the blanks
    around them."""
    ours = frozenset(ids)

    def gone(match: re.Match[str]) -> str:
        return "" if match[1] in ours else match[0]

    at = 0
    while (first := _FIRST.match(text, at)) and first[1] in ours:
        at = first.end()
    return _ANYWHERE.sub(gone, _BEHIND.sub(gone, text[at:])).strip()


def readable(
    text: str,
    *,
    users: Mapping[str, str],
    roles: Mapping[str, str],
    channels: Mapping[str, str],
) -> str:
    """Return `text` as a reader sees it; the names are by id."""

    def name(match: re.Match[str]) -> str:
        kind, value = match.lastgroup, match[match.lastgroup or 0]
        match kind:
            case "user":
                return "@" + users.get(value, value)
            case "role":
                return "@" + roles.get(value, "role")
            case "channel":
                return "#" + channels.get(value, "channel")
            case "command":
                return "/" + value
            case "emoji":
                return f":{value}:"
        return value

    return _TOKEN.sub(name, text)


def read(
    text: str,
    ours: Iterable[str],
    *,
    users: Mapping[str, str],
    roles: Mapping[str, str],
    channels: Mapping[str, str],
) -> str:
    """Return `text` as a reader sees it, without the mentions of `ours`."""
    said = without_mention(text, *ours)
    return readable(said, users=users, roles=roles, channels=channels)


def mentioned(text: str) -> str:
    """Return `text` with the core's references in Discord's notation, except in code,
    where clients do not show names."""
    parts = _CODE.split(text)
    parts[::2] = [REFERENCE.sub(_mention, part) for part in parts[::2]]
    return "".join(parts)


def tokens(text: str) -> str:
    """Return `text` with mentions as references of `bot.ui.elements`."""
    return _MENTION.sub(lambda match: f"{_KINDS[match[1]]}:{match[2]}", text)


def quoted(author: str, text: str, most: int, about: str = "") -> str:
    """Return the question `text` of `author` (`about` something) as a quote of at most
    `most` characters."""
    head = f"**{author}** asks{f' about {about}' if about else ''}:\n"
    room = most - len(head) - 1
    lines = []
    for line in text.strip().splitlines():
        line = f"> {line}"
        if len(line) > room:
            lines.append(line[: max(0, room)].rstrip() + "…")
            break
        lines.append(line)
        room -= len(line) + 1
    return head + "\n".join(lines)


def title(text: str) -> str:
    """Return a name for a thread about `text`: its beginning, cut between words."""
    lines = text[:_TITLE_OF].splitlines()
    line = next(filter(None, (_plain(line) for line in lines)), "")
    if len(line) <= NAME_CHARS:
        return line or UNNAMED
    head = line[: NAME_CHARS - 1]
    # A word that is longer than a name is cut anywhere.
    return f"{(head.rpartition(' ')[0] or head).rstrip(' ,.;:-')}…"


def _mention(match: re.Match[str]) -> str:
    kind, number = match[1], match[2]
    # "user:operator" and the like only look like references.
    return f"<{_SIGNS[kind]}{number}>" if number.isdecimal() else match[0]


def _plain(line: str) -> str:
    return _BLANKS.sub(" ", _MARKS.sub("", line)).strip()
