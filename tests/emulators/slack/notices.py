"""Whom a message of the app's notifies, and what Slack fetches to show a preview.

Rule: where no document says what Slack does (A6), it does here what would do harm, so
that a product which relies on luck is found out.
"""

import html
import re
from collections.abc import Iterator

from tests.emulators.slack.blocks import Json

#: Slack's own notation (A6), in texts and in objects of type mrkdwn.
PING = re.compile(
    r"<(!(?:channel|here|everyone)|!subteam\^\w+|@[UW][A-Z0-9]+)(?:\|.*?)?>"
)
# The same where Markdown is read: of any case, with a label or without.
_LOOSE = re.compile(
    r"<(!\s*(?:channel|here|everyone)|!subteam\^\w+|@[UW][A-Z0-9]+)\s*(?:\|[^>]*)?>",
    re.IGNORECASE,
)
# Names as people type them, where Slack looks for them: in a text with `link_names`
# or `parse` "full", in an edit without `parse`, in a mrkdwn object that is not
# `verbatim` (slack.dev, "Formatting message text" and "chat.update").
_BARE = re.compile(r"@(channel|here|everyone)\b", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s<>|]+")


def in_text(text: str, *, parsed: bool) -> Iterator[str]:
    """Whom the `text` of a message notifies; `parsed`: bare names count, too."""
    yield from PING.findall(text)
    if parsed:
        yield from (f"!{name.lower()}" for name in _BARE.findall(text))


def in_blocks(blocks: list[Json]) -> Iterator[str]:
    """Whom `blocks` notify."""
    for block in blocks:
        if block["type"] == "rich_text":
            continue
        if block["type"] == "markdown":
            # Whether entities, other cases and bare names count is not documented.
            text = html.unescape(str(block["text"]))
            yield from _LOOSE.findall(text)
            yield from (f"!{name.lower()}" for name in _BARE.findall(text))
        for each in _mrkdwn(block):
            yield from in_text(each["text"], parsed=not each.get("verbatim"))


def addresses(text: str, blocks: list[Json]) -> Iterator[str]:
    """What a message that may show previews has Slack fetch."""
    for each in (text, *_texts(blocks)):
        yield from _ADDRESS.findall(each)


def _mrkdwn(part: object) -> Iterator[Json]:
    """The mrkdwn objects in a block, wherever they are."""
    if isinstance(part, dict):
        if part.get("type") == "mrkdwn":
            yield part
        for each in part.values():
            yield from _mrkdwn(each)
    elif isinstance(part, list):
        for each in part:
            yield from _mrkdwn(each)


def _texts(part: object) -> Iterator[str]:
    """Every text in blocks, but for what people do not read."""
    if isinstance(part, dict):
        for name, each in part.items():
            if name == "text" and isinstance(each, str):
                yield each
            else:
                yield from _texts(each)
    elif isinstance(part, list):
        for each in part:
            yield from _texts(each)
