"""Reads the files of a message: its own files, and those of messages that it forwards
or shows. Pure.

Rule 1: external files are never fetched. Slack got their addresses from somebody else,
and such an address may lead to Slack itself (platform facts A15).
Rule 2: the attachments of programs are ignored. Programs write them themselves, and
could name any file that the bot may read. The attachments of people are made by Slack.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import yarl

from adapters.slack import json_values
from adapters.slack.json_values import mapping, mappings
from adapters.slack.message_content import MOST_NESTED
from bot.domain.attachment import Attachment
from bot.errors import FileUnread, Unread
from bot.messages.controls import A_FILE

# The modes of documents that are edited in Slack. Some can be downloaded.
_DOCUMENTS = {"canvas", "list", "post", "quip", "space"}
_GONE = "tombstone"
# The suffix of the id of a deleted file. A message keeps a deleted file under its old
# id (facts A15), under which the text read from the file must be deleted.
_DELETED = "/deleted"
#: The reasons why files cannot be read, by mode.
_UNREAD = {
    "external": Unread.ELSEWHERE,
    "hidden_by_limit": Unread.UNAVAILABLE,
    _GONE: Unread.DELETED,
    **dict.fromkeys(_DOCUMENTS, Unread.UNSUPPORTED),
}


def attachments(
    message: Mapping[str, Any], *, automated: bool
) -> tuple[Attachment, ...]:
    """Return the files of `message` and of the messages in it, each once; `automated`
    if a program wrote the message."""
    own = {"files": message.get("files")} if automated else message
    found: dict[str, Attachment] = {}
    for each in map(attachment, (*_files(own, 0), *_mentioned_files(own))):
        found.setdefault(each.key, each)
    return tuple(found.values())


def attachment(file: Mapping[str, Any]) -> Attachment:
    """Return a file object of Slack's as an attachment. An object with `file_access:
    check_file_info` has few fields until it is looked up."""
    size = file.get("size")
    name = json_values.text(file.get("name")) or json_values.text(file.get("title"))
    id = json_values.text(file.get("id"))
    return Attachment(
        name=name or A_FILE,
        url=_address(file),
        id=f"{id}{_DELETED}" if id and _mode(file) == _GONE else id,
        size=size if isinstance(size, int) else None,
    )


def is_deleted(file: Attachment) -> bool:
    """Return whether people deleted `file` but not its message."""
    return file.id.endswith(_DELETED)


def address(file: Mapping[str, Any]) -> str:
    """Return the download address of a file object that was looked up. Raises
    FileUnread."""
    found, mode = _address(file), _mode(file)
    if not found or mode == "external":
        raise FileUnread(_UNREAD.get(mode, Unread.UNAVAILABLE))
    return found


def html_size(file: Mapping[str, Any]) -> int:
    """Return the size in bytes of a file object that is an HTML page itself. Raises
    FileUnread for any other file, for which Slack has sent its sign-in page."""
    if _mode(file) in _DOCUMENTS:
        raise FileUnread(Unread.UNSUPPORTED)
    size, kind = file.get("size"), json_values.text(file.get("mimetype"))
    if not isinstance(size, int) or kind.partition(";")[0] != "text/html":
        raise FileUnread(Unread.NO_SCOPE)
    return size


def is_slacks(address: yarl.URL) -> bool:
    """Return whether `address` is on one of Slack's hosts, over TLS."""
    host = address.host or ""
    return (
        (host == "slack.com" or host.endswith(".slack.com"))
        and address.scheme == "https"
        and address.port == 443
    )


def _files(message: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    """Yield the file objects of a message and of the messages that it shows (facts
    A1.5)."""
    yield from mappings(message.get("files"))
    if depth > MOST_NESTED:
        return
    for each in mappings(message.get("attachments")):
        yield from _files(each, depth + 1)
        for block in mappings(each.get("message_blocks")):
            yield from _files(mapping(block.get("message")), depth + 1)


def _mentioned_files(message: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield stubs of the files that the rich text of a message names. An `app_mention`
    may contain nothing else about its files (facts A1.1)."""
    for block in mappings(message.get("blocks")):
        for section in mappings(block.get("elements")):
            for each in mappings(section.get("elements")):
                if each.get("type") == "file" and each.get("file_id"):
                    yield {"id": each["file_id"]}


def _address(file: Mapping[str, Any]) -> str:
    mode = _mode(file)
    whole = json_values.text(file.get("url_private_download"))
    shown = json_values.text(file.get("url_private"))
    if mode == "external":
        # Keep an address elsewhere, so that the file is refused without a call. Drop
        # one that may lead to Slack, so that it is never taken for a file on Slack.
        return "" if _may_be_slacks(shown) else shown
    if mode in _DOCUMENTS:
        return whole
    return "" if mode in _UNREAD else whole or shown


def _mode(file: Mapping[str, Any]) -> str:
    return "external" if file.get("is_external") else json_values.text(file.get("mode"))


def _may_be_slacks(url: str) -> bool:
    try:
        return is_slacks(yarl.URL(url))
    except ValueError:
        return True
