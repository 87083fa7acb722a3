"""Extracts the texts that Discord's client shows from a message's JSON.

Rule: this module is independent of how an app reads messages. A field is included if
the client shows it (B5, B5.2). Colours, pictures, times and content behind a click are
left out.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

#: The fields whose texts are shown anywhere in a message.
SHOWN = {
    *("content", "title", "name", "description", "value", "text", "filename"),
    *("label", "placeholder", "url", "count"),
}
#: Fields that are not shown, or are shown as a picture or outside the text.
HIDDEN = {
    *("mentions", "message_reference", "member", "referenced_message", "emoji"),
    *("image", "thumbnail", "video", "media", "file"),
}
#: Texts that are not shown, by the field of their object: (field, name).
INTERNAL = {("options", "value"), ("attachments", "url")}
#: The types of messages that show the message they refer to.
WITH_REFERENCE = {19, 21}

_TIME = re.compile(r"<t:-?\d+(?::\w)?>")
_NOTATION = re.compile(
    r"<(?:@!?(?P<user>\d+)|@&(?P<role>\d+)|/(?P<command>[^:<>]+):\d+"
    r"|a?(?P<emoji>:\w+:)\d+|id:(?P<page>\w+)|(?P<link>https?:[^<>\s]+))>"
)
_PAGES = {"customize": "Channels & Roles", "browse": "Browse Channels"}


def texts(message: Mapping[str, Any]) -> Iterator[str]:
    """Yield the visible texts of `message`, after those of the message it replies
    to."""
    about = message.get("referenced_message")
    if about and message.get("type") in WITH_REFERENCE:
        yield from texts(about)
    yield from _in(message, "")


def readable(text: str, names: Mapping[str, str]) -> str:
    """Return `text` with names in place of ids, and without times."""

    def shown(match: re.Match[str]) -> str:
        found = match[match.lastgroup or 0]
        match match.lastgroup:
            case "user":
                return f"@{names.get(found, found)}"
            case "role":
                return "@role"
            case "command":
                return f"/{found}"
            case "page":
                return _PAGES[found]
        return found

    return _NOTATION.sub(shown, _TIME.sub("…", text))


def _in(part: object, place: str) -> Iterator[str]:
    """Yield the texts of `part`, which is in the field `place`."""
    if isinstance(part, list):
        for each in part:
            yield from _in(each, place)
    elif isinstance(part, dict):
        if part.get("type") == "poll_result":
            # The client shows the result as a card with these fields.
            shown = ("poll_question_text", "victor_answer_text", "victor_answer_votes")
            fields = {each["name"]: each["value"] for each in part["fields"]}
            yield from (fields[name] for name in shown if name in fields)
            return
        for name, each in part.items():
            if isinstance(each, dict | list):
                is_embed = place == "embeds"
                if name not in HIDDEN and (name != "author" or is_embed):
                    yield from _in(each, name)
            elif name in SHOWN and each and (place, name) not in INTERNAL:
                yield str(each)
