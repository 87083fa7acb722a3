"""Parses and writes Discord's notation for people, channels and more. Pure.

Where clients show a name, the text has an id in angle brackets (platform facts B5).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial

import discord

from adapters.discord import ids
from bot.messages import controls as messages
from bot.text import links, references
from bot.text.references import Reference, ReferenceKind

# An id is a 64-bit number, so it has at most 20 digits.
_USER = re.compile(r"<@!?([0-9]{1,20}+)>")
_TOKEN = re.compile(
    r"<(?:"
    r"@!?(?P<user>[0-9]{1,20}+)"
    r"|@&(?P<role>[0-9]{1,20}+)"
    r"|#(?P<channel>[0-9]{1,20}+)"
    r"|/(?P<command>[^:<>]++):[0-9]{1,20}+"
    r"|a?:(?P<emoji>\w++):[0-9]{1,20}+"
    r"|t:(?P<time>-?[0-9]{1,13}+)(?::(?P<style>[tTdDfFsSR]))?"
    r"|id:(?P<place>[a-z-]++)(?::[0-9]{1,20}+)?"
    r"|(?P<link>(?:https?://|mailto:|tel:)[^<>\s]++)"
    r")>"
)
# How times are shown, by style (facts B5 names the form; the styles are Discord's). A
# relative time is written out: "in an hour" would be wrong by the time it is read.
_STYLES = {
    "t": "%H:%M",
    "T": "%H:%M:%S",
    "d": "%Y-%m-%d",
    "D": "%d %B %Y",
    "f": "%d %B %Y %H:%M",
    "F": "%A, %d %B %Y %H:%M",
    "s": "%Y-%m-%d %H:%M",
    "S": "%Y-%m-%d %H:%M:%S",
    "R": "%d %B %Y %H:%M",
}
_DATES = {"d", "D"}
# Pages of a server that a text can link to, by their name in the notation.
_PLACES = {
    "customize": "Channels & Roles",
    "browse": "Browse Channels",
    "guide": "Server Guide",
    "home": "Server Guide",
    "linked-roles": "Linked Roles",
}
# Code, whose content clients show as it was typed.
_LITERAL = re.compile(
    r"```.+?```|(?<!`)``[^`\n]++(?:`[^`\n]++)*+``|`[^`\n]++`", re.DOTALL
)
# The first excerpt below a text (`bot.text.excerpts`): the text from there on quotes
# other people.
_EXCERPT = re.compile(r"^\[[^\[\]\n]++\]\n>", re.MULTILINE)
_MENTION = re.compile(r"<(@!?|@&|#)([0-9]{1,20}+)>")
# A mention of a user or role with the blanks to remove with it: at the beginning, after
# a word and before punctuation or a blank, and anywhere.
_ADDRESSED = r"<@[!&]?([0-9]{1,20}+)>"
# A comma or colon belongs to the mention only before a blank: people type emoji as
# ":name:", and the name of an unknown emoji stays in the text. In Chinese and Japanese,
# no blank follows.
_FIRST = re.compile(rf"\s*+{_ADDRESSED}(?:[ \t]*+(?:[,:](?!\S)|[，：、]))?\s*+")
# At the end of a sentence, the comma before the mention is removed as well: "right,
# @bot?".
_BEHIND = re.compile(
    rf"(?<=\S)(?:,(?=[ \t]++<@[^<>]++>[ \t]*+(?:[.!?]|\Z)))?"
    rf"[ \t]++{_ADDRESSED}(?=[ \t]*+(?:[.;!?)]|[,:](?!\S))|\s|$)"
)
_ANYWHERE = re.compile(rf"{_ADDRESSED}[ \t]*+")
# A mention with nothing else in its emphasis, which goes with the mention.
_EMPHASISED = re.compile(rf"([*_~]{{1,3}}+)({_ADDRESSED})\1")
_KINDS = {"@": "user", "@!": "user", "@&": "group", "#": "channel"}
_SIGNS = {
    ReferenceKind.USER: "@",
    ReferenceKind.GROUP: "@&",
    ReferenceKind.CHANNEL: "#",
}
_PEOPLE = (ReferenceKind.USER, ReferenceKind.GROUP)
# The styles of times. Discord shows times in the reader's time zone (facts B5).
_TIMES = {ReferenceKind.TIME: "f", ReferenceKind.DAY: "D"}
# Fenced code that begins and ends with a line of its own.
_FENCED = re.compile(r"^```[^\n`]*+\n(?:[^`]++|`(?!``))*+(?<=\n)```(?=\n|\Z)", re.M)
_SPAN = re.compile(r"`[^`\n]++`")
# Code, whose content is shown literally, including fenced code without an end.
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]++`)", re.DOTALL)


def users(text: str) -> list[str]:
    """Return the ids of the users that `text` mentions, each once, in order."""
    return list(dict.fromkeys(_USER.findall(text)))


def without_mention(text: str, *ids: str) -> str:
    """Return `text` without mentions of the users or roles `ids`, and without the
    blanks around these mentions.

    Mentions in code and in excerpts are kept, because they address nobody.
    """
    ours = frozenset(ids)

    def plain(match: re.Match[str]) -> str:
        return match[2] if match[3] in ours else match[0]

    typed, quoted = parts(text)
    # Emphases may be nested.
    for _ in range(2):
        typed = outside_code(typed, lambda part: _EMPHASISED.sub(plain, part))
    text, at = f"{typed}{quoted}", 0
    while (first := _FIRST.match(text, at)) and first[1] in ours:
        at = first.end()
    typed, quoted = parts(text[at:])

    def gone(match: re.Match[str]) -> str:
        return "" if match[1] in ours else match[0]

    def cleared(part: str) -> str:
        return _ANYWHERE.sub(gone, _BEHIND.sub(gone, part))

    return f"{outside_code(typed, cleared)}{quoted}".strip()


def without_tokens(text: str) -> str:
    """Return `text` without ids in angle brackets."""
    return _TOKEN.sub("", text)


def parts(text: str) -> tuple[str, str]:
    """Split `text` into the part that its author typed, and the excerpts below that
    part."""
    excerpt = _EXCERPT.search(text)
    end = excerpt.start() if excerpt else len(text)
    return text[:end], text[end:]


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Return `text` with `change` applied to all parts outside code."""
    pieces, at = [], 0
    for code in _LITERAL.finditer(text):
        pieces += [change(text[at : code.start()]), code[0]]
        at = code.end()
    return "".join([*pieces, change(text[at:])])


def certain_code(text: str) -> list[tuple[int, int]]:
    """Return where `text` is certainly shown as code, as pairs of indexes.

    Clients also end fenced code within a line, and code spans of several lines. So if
    there are other backticks than those of plain code, nothing is certain.
    """
    if "\\`" in text:
        return []
    found, at = [], 0
    for fenced in (*_FENCED.finditer(text), None):
        end = fenced.start() if fenced else len(text)
        spans = [each.span() for each in _SPAN.finditer(text, at, end)]
        if text.count("`", at, end) != 2 * len(spans):
            return []
        found += spans
        if fenced:
            found.append(fenced.span())
            at = fenced.end()
    return found


def readable(
    text: str,
    *,
    users: Mapping[str, str],
    roles: Mapping[str, str],
    channels: Mapping[str, str],
) -> str:
    """Return `text` as a reader sees it. `users`, `roles` and `channels` map ids to
    names."""

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
            case "time" | "style":
                return _time(int(match["time"]), match["style"] or "f") or match[0]
            case "place":
                return _PLACES.get(value, match[0])
        return value

    return outside_code(text, partial(_TOKEN.sub, name))


def _time(at: int, style: str) -> str:
    """Return a time, in seconds since 1970, in the format of `style`; "" if it is out
    of range."""
    try:
        time = datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    shown = f"{time:{_STYLES[style]}}"
    if _STYLES[style].startswith("%d"):
        shown = shown.removeprefix("0")
    return shown if style in _DATES else f"{shown} UTC"


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

    If `names` is None, people become mentions: only one person sees the message.
    Otherwise `names` maps ids to names, and people are shown by name, or by id if the
    name is missing: in a message that everybody sees, a mention may add people to the
    thread.
    """

    def draw(found: Reference) -> str:
        if found.kind in _TIMES:
            return f"<t:{found.id}:{_TIMES[found.kind]}>"
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
    """Return the question `text` of `author` as a quote of at most `most` characters.
    `about` is a link to the message that the question is about, or ""."""
    head = (
        messages.asks_about(author=author, link=about)
        if about
        else messages.asks(author=author)
    )
    head += "\n"
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


def _plain_name(name: str) -> str:
    """Return `name`, escaped so that clients show it unchanged."""
    # A zero-width space keeps "<@1>" and "[a](b)" in a name from being parsed.
    escaped = discord.utils.escape_markdown(name)
    return escaped.replace("<", "<\u200b").replace("](", "]\u200b(")
