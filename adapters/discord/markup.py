"""Parses and writes Discord's notation for people, channels and more. Pure.

What clients show as a name is an id in angle brackets in the text (platform facts B5).
"""

import re
from collections.abc import Iterable, Mapping

import discord

from adapters.discord import ids
from bot.text import links, references
from bot.text.references import Reference, ReferenceKind

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
_SIGNS = {
    ReferenceKind.USER: "@",
    ReferenceKind.GROUP: "@&",
    ReferenceKind.CHANNEL: "#",
}
_PEOPLE = (ReferenceKind.USER, ReferenceKind.GROUP)
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


def render(text: str, names: Mapping[str, str] | None = None) -> str:
    """Return a text of the core in Discord's Markdown. Only the core's references
    become mentions or links, and only where clients draw them: not in code.

    People become mentions in a message that one person sees. In one that all see they
    are named by `names`, by id, or else by their ids: a mention may add them.
    """

    def draw(found: Reference) -> str:
        named = names is not None and found.kind in _PEOPLE
        if named or found.kind not in _SIGNS or not ids.is_id(found.id):
            return _plain_name((names or {}).get(found.id, "")) or found.id
        return f"<{_SIGNS[found.kind]}{found.id}>"

    parts = _CODE.split(links.unmask(text))
    parts[::2] = [references.render(part, draw) for part in parts[::2]]
    return references.plain_text("".join(parts))


def as_typed(people: str) -> str:
    """Return `people` of a setting ("user:1 group:2") as a person would type them."""
    return render(references.from_setting(people))


def tokens(text: str) -> str:
    """Return `text` with mentions in the form of settings ("user:1")."""
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


def _plain_name(name: str) -> str:
    """Return a name, escaped so that it reads as it is."""
    # A zero-width space keeps "<@1>" and "[a](b)" in a name from being parsed.
    escaped = discord.utils.escape_markdown(name)
    return escaped.replace("<", "<\u200b").replace("](", "]\u200b(")


def _plain(line: str) -> str:
    return _BLANKS.sub(" ", _MARKS.sub("", line)).strip()
