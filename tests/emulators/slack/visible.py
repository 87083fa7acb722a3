"""Extracts the texts that Slack's client shows from a message's JSON.

Rule: this module is independent of how an app reads messages. A field is included if
the client shows it (A1.5). Colours, pictures and content behind a click are left out.
"""

from collections.abc import Iterator, Mapping
from typing import Any

#: The fields whose texts are shown anywhere in a block or an attachment.
SHOWN = (
    *("pretext", "author_name", "title", "rich_text_title", "subtitle", "caption"),
    *("text", "label", "body", "description", "fields", "value", "rows", "elements"),
    *(
        "accessory",
        "blocks",
        "message_blocks",
        "message",
        "attachments",
        "child_blocks",
    ),
    *(
        "tasks",
        "details",
        "output",
        "files",
        "name",
        "actions",
        "placeholder",
        "footer",
    ),
    *("alt_text", "call", "v1"),
)
#: Elements of which only the label is shown.
CONTROLS = {"button", "static_select", "overflow"}
NO_PREVIEW = "[no preview available]"


def texts(message: Mapping[str, Any]) -> Iterator[str]:
    """Yield the visible texts of `message` from top to bottom: its blocks or, without
    blocks, its text; then its attachments and files."""
    shown = {**message}
    if message.get("blocks"):
        shown.pop("text", None)
    yield from _in({name: shown.get(name) for name in ("text", "blocks")})
    for attachment in message.get("attachments") or ():
        found = list(_in(_shown_alone(attachment)))
        fallback = attachment.get("fallback") or ""
        yield from found or [fallback.replace(NO_PREVIEW, "")]
    yield from _in({"files": message.get("files")})


def _shown_alone(attachment: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an attachment without the values of its buttons, which are not shown."""
    hidden = [
        {name: each[name] for name in ("text",) if name in each}
        for each in attachment.get("actions") or ()
    ]
    return {**attachment, "actions": hidden}


def _in(part: object) -> Iterator[str]:
    if isinstance(part, list):
        for each in part:
            yield from _in(each)
    elif isinstance(part, dict):
        names = ("text", "placeholder") if part.get("type") in CONTROLS else SHOWN
        for name in names:
            found = part.get(name)
            if name == "value" and "title" not in part:
                continue
            if isinstance(found, str):
                yield found
            else:
                yield from _in(found)
