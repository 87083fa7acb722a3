"""Reads the visible content of a message: its text, blocks, attachments, forwarded
messages and previews of links. Pure.

Rule 1: everything that a reader sees is read once, in a fixed order: the sender's own
text, then each attachment under a label that names its source (platform facts A1.5).
Rule 2: only the sender's own text can address the bot. In attachments, a mention of the
bot is replaced by its name.
Rule 3: the text of a fuller version of the message begins with the text of a less
complete one, or contains its words, so that `bot.domain.message.fuller` can tell them
apart.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from adapters.slack import block_text, json_values, mrkdwn
from adapters.slack.block_text import Reading, literal
from adapters.slack.client import Identity
from adapters.slack.json_values import mapping, mappings
from bot.text.excerpts import LINK_PREVIEW, LINKED, excerpt

# The most levels of messages that forward each other that are read.
MOST_NESTED = 4
# The most characters of a name or an address in a label.
LABEL_CHARS = 200

CUT = "(cut here: the rest of what stands in this message is too long to read)"
NO_PREVIEW = "[no preview available]"

_UNFURLS = ("is_msg_unfurl", "is_reply_unfurl", "is_thread_root_unfurl")
_PREVIEWS = ("from_url", "original_url", "app_unfurl_url")

_TOKEN = re.compile(r"<([^<>|]++)(?:\|([^<>]*+))?>")
_WORD = re.compile(r"[^\W_]++")
_MARKER = re.compile(r"^(?:[ \t]|&gt;)*+[0-9a-z]{1,4}+[.)]", re.MULTILINE)


@dataclass(slots=True)
class Content:
    """The visible content of a message."""

    #: The sender's own text, and the whole text with attachments and forwards, both as
    #: mrkdwn.
    own: str
    text: str
    #: Whether an attachment or a forward mentions the bot.
    mentioned_beside: bool = False
    #: The ts of each message of the same channel that this message shows.
    holds: tuple[str, ...] = ()


@dataclass(slots=True)
class _AttachmentContext:
    """The context in which attachments are read: the sender's text and the limits."""

    own: str
    reading: Reading
    _words: str | None = None

    def repeats(self, text: str) -> bool:
        """Return whether the sender's text contains the words of `text`."""
        if self._words is None:
            self._words = _key(self.own)
        return _key(text) in self._words


def content(event: Mapping[str, Any], us: Identity, *, automated: bool) -> Content:
    """Return the visible content of a message; `automated` if a program wrote it."""
    reading = Reading()
    own = _own(event, reading, automated=automated)
    context = _AttachmentContext(own, reading)
    channel = event.get("channel")
    found, holds = [], []
    for attachment in _parts(event.get("attachments"), reading):
        if text := _attachment(attachment, context, 0):
            found.append(text)
        held = str(attachment.get("ts") or "")
        if held and _is_message(attachment) and attachment.get("channel_id") == channel:
            holds.append(held)
    found += transcripts(event, reading)
    if reading.cut:
        found.append(CUT)
    quoted = "\n".join(found)
    return Content(
        own,
        "\n".join(
            filter(None, [own, mrkdwn.with_plain_name(quoted, us.user, us.user_name)])
        ),
        mentioned_beside=mrkdwn.mentions(quoted, us.user),
        holds=tuple(dict.fromkeys(holds)),
    )


def transcripts(event: Mapping[str, Any], reading: Reading) -> list[str]:
    """Return what Slack heard in the voice notes of a message, as far as clients show
    it below them. Claude cannot hear them. It is there some seconds after the note, as
    `transcription` of its file (Slack's reference of the file object)."""
    found = []
    for file in _parts(event.get("files"), reading):
        heard = mapping(file.get("transcription"))
        preview = mapping(heard.get("preview"))
        said = literal(reading.text(preview.get("content")))
        if heard.get("status") == "complete" and said.strip():
            name = _line(file.get("name")) or _line(file.get("title"))
            more = " …" if preview.get("has_more") else ""
            found.append(excerpt(f"Transcript of {name}", f"{said}{more}"))
    return found


def forwarded_author(event: Mapping[str, Any]) -> str | None:
    """Return the id of the author of the message that a message forwards, or "" if
    Slack does not name the author. Return None if it forwards no message, or one by its
    own author."""
    own = mrkdwn.unescape(json_values.text(event.get("text")))
    for each in mappings(event.get("attachments")):
        author = json_values.text(each.get("author_id"))
        if not _is_message(each) or not _is_forward(each, own):
            continue
        if not author or author != event.get("user"):
            return author
    return None


def name_beside(event: Mapping[str, Any]) -> str:
    """Return the author's name that comes with a message (facts A1.1, A1.3); "" if
    none does."""
    profile = mapping(event.get("user_profile"))
    names = (
        event.get("username"),
        profile.get("display_name"),
        profile.get("real_name"),
        profile.get("name"),
        mapping(event.get("bot_profile")).get("name"),
    )
    return next((name for each in names if (name := _plain_line(each))), "")


def _own(event: Mapping[str, Any], reading: Reading, *, automated: bool) -> str:
    """Return the sender's own text."""
    text = event.get("text")
    text = text if isinstance(text, str) else ""
    # The text that people type contains all of their rich text (facts A1.5).
    typed = bool(text.strip()) and not automated
    return _both(text, event.get("blocks"), reading, typed=typed)


def _both(text: str, blocks: object, reading: Reading, *, typed: bool = False) -> str:
    """Return `text` and the text of `blocks`, without repetition.

    Either may be a fallback of the other or add to it. If `text` is `typed`, rich text
    blocks repeat it and are left out.
    """
    shown = [
        each
        for each in mappings(blocks)
        if not (typed and each.get("type") == "rich_text")
    ]
    if not shown:
        return text
    found = list(block_text.texts(shown, reading))
    everything = "\n".join(said for _, said in found)
    if not text.strip() or _key(text) in _key(everything):
        return everything
    said_already = _key(text)
    rest = [
        said
        for kind, said in found
        if kind != "divider" and _key(said) not in said_already
    ]
    return "\n".join([text, *rest])


def _attachment(
    attachment: Mapping[str, Any], context: _AttachmentContext, depth: int
) -> str:
    """Return an attachment as an excerpt; "" if the sender's text contains it."""
    if _is_message(attachment):
        forwarded = _is_forward(attachment, context.own)
        return excerpt(
            _label_of_message(attachment, forwarded=forwarded),
            _body(attachment, context, depth, names_author=False),
        )
    address = next(
        (a for n in _PREVIEWS if (a := json_values.text(attachment.get(n)))), ""
    )
    service = _line(attachment.get("service_name"))
    body = _body(attachment, context, depth, names_author=True)
    if address or attachment.get("is_app_unfurl"):
        label = f"{LINK_PREVIEW} from {service}" if service else LINK_PREVIEW
        return excerpt(f"{label}: {_line(address)}" if address else label, body)
    if context.repeats(body):
        return ""
    return excerpt(f"Attachment from {service}" if service else "Attachment", body)


def _body(
    attachment: Mapping[str, Any],
    context: _AttachmentContext,
    depth: int,
    *,
    names_author: bool,
) -> str:
    """Return the visible text of an attachment, from top to bottom."""
    reading = context.reading

    def text(name: str) -> str:
        return reading.text(attachment.get(name))

    author = " ".join(filter(None, [text("author_name"), text("author_subname")]))
    title, address = (
        literal(text("title")),
        json_values.text(attachment.get("title_link")),
    )
    previewed = address in (
        json_values.text(attachment.get(name)) for name in _PREVIEWS
    )
    said = [
        text("pretext"),
        literal(author) if names_author else "",
        title if previewed else block_text.link(address, title) if title else "",
        _main(attachment, reading),
        *_fields(attachment, reading),
    ]
    files = [_file(each) for each in _parts(attachment.get("files"), reading)]
    if not any(each.strip() for each in (said[0], *said[2:], *files)):
        fallback = text("fallback")
        said.append("" if fallback.strip() == NO_PREVIEW else fallback)
    said += files
    if json_values.text(attachment.get("image_url")) or json_values.text(
        attachment.get("thumb_url")
    ):
        said.append("(image)")
    said += _buttons(attachment, reading)
    said += _nested_attachments(attachment, context, depth)
    when = _time(attachment.get("ts"))
    said.append(" | ".join(filter(None, [text("footer"), when])))
    return "\n".join(each for each in said if each.strip())


def _main(attachment: Mapping[str, Any], reading: Reading) -> str:
    """Return the main text of an attachment: its text, its blocks, and the blocks of
    the message that it shows."""
    said = _both(
        reading.text(attachment.get("text")), attachment.get("blocks"), reading
    )
    shown = [
        block
        for each in _parts(attachment.get("message_blocks"), reading)
        for block in mappings(mapping(each.get("message")).get("blocks"))
    ]
    return _both(said, shown, reading)


def _fields(attachment: Mapping[str, Any], reading: Reading) -> Iterator[str]:
    for each in _parts(attachment.get("fields"), reading):
        title = literal(reading.text(each.get("title")))
        value = reading.text(each.get("value"))
        yield ": ".join(filter(None, [title, value]))


def _buttons(attachment: Mapping[str, Any], reading: Reading) -> Iterator[str]:
    """Yield the buttons below an attachment of a classic app."""
    for each in _parts(attachment.get("actions"), reading):
        label = literal(reading.text(each.get("text")))
        if shown := block_text.link(reading.text(each.get("url")), label):
            yield f"[Button: {shown}]"


def _nested_attachments(
    attachment: Mapping[str, Any], context: _AttachmentContext, depth: int
) -> Iterator[str]:
    """Yield the attachments of the message that `attachment` shows."""
    inner = [*mappings(attachment.get("attachments"))]
    for each in _parts(attachment.get("message_blocks"), context.reading):
        message = mapping(each.get("message"))
        inner += mappings(message.get("attachments"))
    for each in inner:
        if depth >= MOST_NESTED or not context.reading.part():
            context.reading.cut = True
            return
        yield _attachment(each, context, depth + 1)


def _is_message(attachment: Mapping[str, Any]) -> bool:
    """Return whether `attachment` shows another Slack message."""
    return bool(
        attachment.get("is_share")
        or attachment.get("message_blocks")
        or any(attachment.get(name) for name in _UNFURLS)
    )


def _is_forward(attachment: Mapping[str, Any], own: str) -> bool:
    """Return whether somebody forwarded the message in `attachment`. Otherwise it is a
    preview of a message that a link in `own` leads to (facts A1.5)."""
    if attachment.get("is_share"):
        return True
    address = json_values.text(attachment.get("from_url")).partition("?")[0]
    if attachment.get("is_thread_root_unfurl"):
        # Slack shows this root together with the preview of a reply, whose address is
        # in the text.
        return False
    return not address or address not in own


def _label_of_message(attachment: Mapping[str, Any], *, forwarded: bool) -> str:
    user = json_values.text(attachment.get("author_id"))
    name = _line(attachment.get("author_name")) or _line(
        attachment.get("author_subname")
    )
    author = name or (f"<@{user}>" if user.isalnum() else "somebody")
    kind = "Forwarded message" if forwarded else LINKED
    return f"{kind} from {author}"


def _file(file: Mapping[str, Any]) -> str:
    return f"(file: {_line(file.get('name')) or _line(file.get('title')) or 'unnamed'})"


def _time(value: object) -> str:
    """Return a time in seconds since 1970 in readable form; "" if `value` is not a
    time."""
    try:
        at = datetime.fromtimestamp(float(json_values.text(value)), UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _key(text: str) -> str:
    """Return the words of `text`, each between blanks, for comparison. The key of an
    excerpt of `text` is contained in the key of `text`."""
    text = _TOKEN.sub(lambda match: match[2] or match[1], text)
    text = mrkdwn.unescape(_MARKER.sub("", text)).casefold()
    return f" {' '.join(_WORD.findall(text) or text.split())} "


def _line(value: object) -> str:
    """Return plain text as mrkdwn on one line, short enough for a label."""
    return mrkdwn.escape(_plain_line(value))


def _plain_line(value: object) -> str:
    text = " ".join(mrkdwn.unescape(json_values.text(value)[: 2 * LABEL_CHARS]).split())
    return f"{text[:LABEL_CHARS]}…" if len(text) > LABEL_CHARS else text


def _parts(value: object, reading: Reading) -> Iterator[Mapping[str, Any]]:
    """Yield the mappings in `value`, as many as `reading` allows."""
    for each in mappings(value):
        if not reading.part():
            return
        yield each
