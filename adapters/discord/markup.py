"""Discord's notation for people, channels and the rest, read and written. Pure.

What a client draws as a name stands in the text as an id in angle brackets
(platform facts B5).
"""

import re
from collections.abc import Mapping

from bot.dialogue import REFERENCE

#: The most characters of a thread's name (facts B6).
NAME_CHARS = 100
UNNAMED = "A question"

_USER = re.compile(r"<@!?(\d+)>")
_TOKEN = re.compile(
    r"<(?:"
    r"@!?(?P<user>\d+)"
    r"|@&(?P<role>\d+)"
    r"|#(?P<channel>\d+)"
    r"|/(?P<command>[^:<>]+):\d+"
    r"|a?:(?P<emoji>\w+):\d+"
    r"|(?P<link>https?://[^<>\s]+)"
    r")>"
)
_MENTION = re.compile(r"<(@!?|@&|#)(\d+)>")
_KINDS = {"@": "user", "@!": "user", "@&": "group", "#": "channel"}
_SIGNS = {"user": "@", "group": "@&", "channel": "#"}
# Code, whose inside is shown as it is; fenced code that nobody ended, too.
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]+`)", re.DOTALL)
_BLANKS = re.compile(r"\s+")
# Marks that a thread's name would show as they are.
_MARKS = re.compile(r"^[#>\s-]+|[*`~|]+")


def users(text: str) -> list[str]:
    """Return the ids of the users that `text` mentions, each once, in order."""
    return list(dict.fromkeys(_USER.findall(text)))


def without_mention(text: str, *ids: str) -> str:
    """`text` without the mentions of `ids`, users or roles, and without the gaps
    they leave."""
    mention = rf"<@[!&]?(?:{'|'.join(map(re.escape, ids))})>"
    text = re.sub(rf"^\s*(?:{mention}[ \t]*[,:]?\s*)+", "", text)
    text = re.sub(rf"(?<=\S)[ \t]+{mention}(?=[ \t]*[.,;:!?)]|\s|$)", "", text)
    return re.sub(rf"{mention}[ \t]*", "", text).strip()


def readable(
    text: str,
    *,
    users: Mapping[str, str],
    roles: Mapping[str, str],
    channels: Mapping[str, str],
) -> str:
    """`text` as a reader sees it; the names by id."""

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


def mentioned(text: str) -> str:
    """`text` of the core with people, roles and channels in Discord's notation, where
    a client draws it as names: not in code."""
    parts = _CODE.split(text)
    parts[::2] = [REFERENCE.sub(_mention, part) for part in parts[::2]]
    return "".join(parts)


def tokens(text: str) -> str:
    """`text` with what it mentions named as the core names it."""
    return _MENTION.sub(lambda match: f"{_KINDS[match[1]]}:{match[2]}", text)


def quoted(author: str, text: str, most: int, about: str = "") -> str:
    """`text` as a quote of what `author` asks (`about` something), `most` characters
    at the most."""
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
    """A name for a thread about `text`: its beginning, cut at a word."""
    line = next(filter(None, (_plain(line) for line in text.splitlines())), "")
    if len(line) <= NAME_CHARS:
        return line or UNNAMED
    head = line[: NAME_CHARS - 1]
    # A word as long as a name is cut anywhere.
    return f"{(head.rpartition(' ')[0] or head).rstrip(' ,.;:-')}…"


def _mention(match: re.Match[str]) -> str:
    kind, number = match[1], match[2]
    # A word that only looks like one, such as "user:operator".
    return f"<{_SIGNS[kind]}{number}>" if number.isdecimal() else match[0]


def _plain(line: str) -> str:
    return _BLANKS.sub(" ", _MARKS.sub("", line)).strip()
