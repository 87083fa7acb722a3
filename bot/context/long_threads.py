"""Chooses the messages to read from a thread that is too long to be read whole. Pure.

Rule 1: the beginning and the newest messages are kept, because a thread's topic is at
its beginning and its question at its end. A note with the number of missing messages
replaces the rest.

Rule 2: a conversation is cut in large steps, at a place that depends only on the text
before it. So the cut, and with it the cached prefix, stays the same for many turns
(Claude facts 3.4: never slide).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bot.domain.completion import (
    BYTES_PER_TOKEN,
    ChatMessage,
    RequestFile,
    file_tokens,
)
from bot.domain.message import EarlierMessages, Message
from bot.errors import Unread
from bot.text.characters import byte_count
from bot.text.numbers import approximate, number

# The most history that is read when the bot is called into a thread, in bytes: about
# 100,000 tokens, which leaves room for the conversation in every model (Claude facts,
# section 2).
BACKFILL_BYTES = 400_000

# One byte in this many is reserved for the beginning of the thread.
BEGINNING = 5

# How often the size that fits is halved if the API counts more tokens. Two halvings are
# enough, because a token has at least one byte.
MOST_HALVINGS = 2

# Tokens of the other parts of a request: tags, tools, the system prompt.
OTHER_TOKENS = 10_000

_TAG = "<message "
_NOTE = re.compile(
    r"<note>(?:About ([\d,]+)|Some) messages of this thread are not shown here\.</note>"
)


def note(missing: int | None) -> str:
    """Return the line that replaces `missing` messages; None for an unknown number."""
    return f"<note>{left_out(missing)}</note>"


def left_out(missing: int | None) -> str:
    """Return the sentence of `note` without its tag, for a text without tags."""
    some = "Some" if missing is None else f"About {approximate(missing)}"
    return f"{some} messages of this thread are not shown here."


def count_noted(contents: Iterable[str]) -> int | None:
    """Return about how many messages are missing, according to stored notes.

    The notes precede the stored `contents` of messages. Return None for an unknown
    number, and 0 without a note.
    """
    for content in contents:
        # A note precedes the tag of a message, where nobody can type.
        if found := _NOTE.match(content):
            return number(found[1].replace(",", "")) if found[1] else None
    return 0


def keep_ends(earlier: EarlierMessages) -> EarlierMessages:
    """Return the beginning and the newest part of `earlier`.

    Together they fit into `BACKFILL_BYTES`.
    """
    sizes = [byte_count(each.text) for each in earlier.messages]
    count, gap = len(sizes), earlier.gap
    if sum(sizes) <= BACKFILL_BYTES:
        return earlier
    most = BACKFILL_BYTES // BEGINNING
    begin = _fitting(sizes[: gap if earlier.missing != 0 else count], most)
    tail = sizes[max(begin, gap) if earlier.missing != 0 else begin :]
    end = count - _fitting(tail[::-1], BACKFILL_BYTES - sum(sizes[:begin]))
    left = end - begin
    missing = None if earlier.missing is None else earlier.missing + left
    messages = (*earlier.messages[:begin], *earlier.messages[end:])
    return replace(earlier, messages=messages, missing=missing, gap=begin)


def _fitting(sizes: Sequence[int], most: int) -> int:
    """Return how many of the first `sizes` add up to at most `most`."""
    for count, size in enumerate(sizes):
        most -= size
        if most < 0:
            return count
    return len(sizes)


def notes(earlier: EarlierMessages, question: Message | None) -> dict[str, str]:
    """Return notes about missing messages, by the id of the message after each.

    `question` is the message that follows `earlier`.
    """
    if earlier.missing == 0:
        return {}
    found: dict[str, str] = {}
    after = [*earlier.messages[earlier.gap :], *filter(None, [question])]
    if question and earlier.is_open:
        found[question.message] = note(None)
    if after:
        found[after[0].message] = note(earlier.missing)
    return found


def room(context: int, max_tokens: int) -> int:
    """Return how many bytes of a conversation fit into a model's context window.

    The window has `context` tokens, and the answer takes up to `max_tokens` of them.
    """
    tokens = context - min(max_tokens, context // 2) - OTHER_TOKENS
    return int(tokens * BYTES_PER_TOKEN)


def fit(
    conversation: Sequence[ChatMessage], most: int
) -> tuple[list[ChatMessage], int]:
    """Return `conversation` cut to `most` bytes, and how many messages are left out.

    The cut is in the middle of the conversation. Files count by their tokens.
    """
    sizes = [byte_count(each.content) + _files_size(each) for each in conversation]
    over = sum(sizes) - most
    if over <= 0:
        return list(conversation), 0
    head = _beginning(conversation[0].content, most // 8)
    # Half of the size that fits is dropped at a time. The rest then grows to the whole
    # size again.
    step = most // 2
    drop = -(-(over + len(head.encode())) // step) * step
    last, at = len(conversation) - 1, 0
    while at < last and not (
        conversation[at].role == "user"
        and _after(
            conversation[at].content, max(0, drop - _files_size(conversation[at]))
        )
    ):
        drop = max(0, drop - sizes[at])
        at += 1
    files = conversation[at].files
    if files and at == last:
        # The files of the question stay: their number is limited elsewhere.
        drop = max(0, min(drop, sizes[at] + len(head.encode()) - most))
    elif drop:
        files = _unread(conversation[at])
        drop = max(0, drop - _files_size(conversation[at]))
    if at:
        files = (*_unread(conversation[0]), *files)
    first = _after(conversation[at].content, drop)
    # A single message that does not fit is cut to its last part.
    first = first or _bytes_after(conversation[at].content, drop)
    left_out = _count(conversation[:at]) - head.count(_TAG)
    left_out += conversation[at].content.count(_TAG) - first.count(_TAG)
    left_out = max(1, left_out)
    text = "\n".join([head, note(left_out), first])
    opening = ChatMessage("user", text, files)
    return [opening, *conversation[at + 1 :]], left_out


def count_messages(conversation: Sequence[ChatMessage]) -> tuple[int, int]:
    """Return the numbers of people's messages and of answers in `conversation`."""
    asked = [each for each in conversation if each.role == "user"]
    return _count(asked), len(conversation) - len(asked)


def _files_size(entry: ChatMessage) -> int:
    """Return the size of the files of `entry`, in bytes of text."""
    if not entry.files:
        return 0
    return int(sum(file_tokens(each) for each in entry.files) * BYTES_PER_TOKEN)


def _unread(entry: ChatMessage) -> tuple[RequestFile, ...]:
    """Return the files of `entry`, all marked as unread."""
    return tuple(
        replace(each, unread=each.unread or Unread.TOO_MANY) for each in entry.files
    )


def _count(entries: Sequence[ChatMessage]) -> int:
    """Return the number of people's messages and answers in `entries`."""
    return sum(
        each.content.count(_TAG) if each.role == "user" else 1 for each in entries
    )


def _beginning(text: str, most: int) -> str:
    """Return the first messages in `text`, up to `most` bytes.

    If the first message is longer, return its beginning.
    """
    part = text.encode()[:most].decode(errors="ignore")
    if part == text:
        return text
    cut = part.rfind(_TAG)
    return part[:cut].rstrip() if cut > 0 and _TAG in part[:cut] else part


def _after(text: str, count: int) -> str:
    """Return the messages in `text` that begin after its first `count` bytes.

    "" if none does.
    """
    if not count:
        return text
    part = _bytes_after(text, count)
    cut = part.find(_TAG)
    return "" if cut < 0 else part[cut:]


def _bytes_after(text: str, count: int) -> str:
    return text.encode()[count:].decode(errors="ignore")
