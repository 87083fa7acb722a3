"""Maps a `Request` to the parameters of the Messages API. Pure."""

import base64
import enum
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import msgspec

from bot.claude import compaction, mcp_servers, web_tools
from bot.domain.attachment import FileKind
from bot.domain.completion import ChatMessage, Request, RequestFile, file_tokens
from bot.errors import Unread
from bot.text import file_lines, tags

# The last version of the API that accepts a temperature, on some models.
SAMPLING_VERSION = "2023-06-01"

# How many blocks the API looks back from a breakpoint for a cached prefix (Claude facts
# 3.1). The block of the breakpoint counts, too.
_LOOKED_BACK = 20

# The parameters of a token count. All others concern the answer.
_COUNTED = ("model", "system", "messages", "tools", "output_config")


def parameters(request: Request) -> dict[str, Any]:
    """Return the body of a message request, or of one request of a batch.

    `thinking` is left out: its default works on every model. The temperature is left
    out, too: see `sampling_options`.
    """
    options = document_options(request)
    sent = [_message(each, request.model, options) for each in request.messages]
    if (place := _breakpoint(request)) is not None:
        sent[place] = _with_breakpoint(sent[place], request)
    return _parameters(request, sent)


def _parameters(request: Request, messages: Sequence[object]) -> dict[str, Any]:
    cached = _cached(request)
    made: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "messages": messages,
    }
    # An empty block is rejected.
    if request.system:
        block = {"type": "text", "text": request.system, "cache_control": cached}
        made["system"] = [block]
    if request.cache_messages:
        made["cache_control"] = cached
    if request.user:
        made["metadata"] = {"user_id": request.user}
    if config := _output_config(request):
        made["output_config"] = config
    if request.stop_sequences:
        made["stop_sequences"] = list(request.stop_sequences)
    if tools := web_tools.tools(request, document_options(request)):
        made["tools"] = tools
    if request.container:
        made["container"] = request.container
    return compaction.parameters(made) if request.compacts else made


def _cached(request: Request) -> dict[str, str]:
    return {"type": "ephemeral", "ttl": request.cache_ttl}


def _breakpoint(
    request: Request, rounds: Sequence[Mapping[str, object]] = ()
) -> int | None:
    """Return the number of the message that needs a breakpoint besides the last one.

    That is the last message of the request before, if too many blocks follow for the
    API to find what is cached up to there, such as those of many files. None for none.
    `rounds` are messages to append.
    """
    if not request.cache_messages:
        return None
    sent = request.messages
    if rounds:
        place, blocks = len(sent) - 1, sum(len(_blocks_of(each)) for each in rounds)
    else:
        answers = (n for n, each in enumerate(sent) if each.role == "assistant")
        place = max(answers, default=0) - 1
        blocks = sum(1 + len(_parts(each)) for each in sent[place + 1 :])
    if place < 0 or blocks < _LOOKED_BACK or sent[place].role != "user":
        return None
    # A compaction block has to stay as it is.
    return None if compaction.is_read(sent[place], request.model) else place


def _blocks_of(message: Mapping[str, object]) -> list[object]:
    content = message["content"]
    return content if isinstance(content, list) else [content]


def _with_breakpoint(message: dict[str, Any], request: Request) -> dict[str, Any]:
    """Return the API's `message` with a breakpoint at its end."""
    content = message["content"]
    blocks = [_text(content)] if isinstance(content, str) else content
    last = {**blocks[-1], "cache_control": _cached(request)}
    return {**message, "content": [*blocks[:-1], last]}


def document_options(request: Request) -> dict[str, Any]:
    """Return the fields to add to every document block of `request`.

    They make the answer cite its documents. The API requires them for all documents or
    none, and for none if the answer has a schema (Claude facts 1.7).
    """
    return {} if request.schema else {"citations": {"enabled": True}}


def _message(
    message: ChatMessage, model: str, options: dict[str, Any]
) -> dict[str, Any]:
    if compaction.is_read(message, model):
        return compaction.message_of(message)
    return {"role": message.role, "content": _content(message, options)}


def _content(
    message: ChatMessage, options: dict[str, Any]
) -> str | list[dict[str, Any]]:
    """Return the text of `message`, or the blocks of its files and its text.

    Images first, then documents, then text (Claude facts 1.7: images before text).
    """
    if not message.files:
        return message.content
    return [*_file_blocks(message, options), _text(message.content)]


def _file_blocks(message: ChatMessage, options: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        _text(file_lines.heading("image", file.name))
        if part is _Part.HEADING
        else _text(file_lines.in_place_of(file.name, file.unread or Unread.DELETED))
        if part is _Part.LINE
        else _text(file_lines.same_as(file.name, _unique(message)[file.digest].name))
        if part is _Part.SAME
        else _block(file, options)
        for file, part in _parts(message)
    ]


class _Part(enum.Enum):
    """The part of a file that a block holds."""

    HEADING = enum.auto()
    FILE = enum.auto()
    #: A line in place of the file.
    LINE = enum.auto()
    #: A line in place of a file whose content is shown under another name.
    SAME = enum.auto()


def _parts(message: ChatMessage) -> list[tuple[RequestFile, _Part]]:
    """Return the file of each block before the text of `message`, in order."""
    unique = _unique(message)
    shown = [each for each in message.files if unique.get(each.digest) is each]
    images = [each for each in shown if each.kind is FileKind.IMAGE]
    return [
        *((each, part) for each in images for part in (_Part.HEADING, _Part.FILE)),
        *((each, _Part.FILE) for each in shown if each.kind is not FileKind.IMAGE),
        *((each, _Part.LINE) for each in message.files if each.unread is not None),
        *(
            (each, _Part.SAME)
            for each in message.files
            if each.unread is None and unique[each.digest] is not each
        ),
    ]


def _unique(message: ChatMessage) -> dict[str, RequestFile]:
    """Return the first file of each content that `message` shows, by digest."""
    shown = (each for each in reversed(message.files) if each.unread is None)
    return {each.digest: each for each in shown}


def _block(file: RequestFile, options: dict[str, Any]) -> dict[str, Any]:
    if file.kind is FileKind.IMAGE:
        return {"type": "image", "source": _source(file)}
    title = file_lines.title(file.name)
    made = {"type": "document", "source": _source(file), "title": title, **options}
    if file.pages < file.all_pages:
        # Unlike the title, the context is not cited.
        made["context"] = file_lines.about_part(file.pages, file.all_pages)
    return made


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _source(file: RequestFile) -> dict[str, Any]:
    if file.kind is FileKind.TEXT:
        # Nobody can type the tag of a message in a file, either.
        text = tags.escape(file.data.decode(errors="replace"))
        return {"type": "text", "media_type": "text/plain", "data": text}
    data = base64.b64encode(file.data).decode()
    return {"type": "base64", "media_type": file.media_type, "data": data}


def file_places(request: Request) -> dict[tuple[int, int], str]:
    """Return the digests of the files that `request` shows, by place.

    A place is the number of the message and of the block, as in errors of the API.
    """
    return {
        (message, block): file.digest
        for message, each in enumerate(request.messages)
        if each.files
        for block, (file, part) in enumerate(_parts(each))
        if part in (_Part.HEADING, _Part.FILE)
    }


def files_size(request: Request) -> int:
    """Return the number of bytes of the files that `request` shows, loaded or not."""
    files = [file for each in request.messages if each.files for file in each.files]
    return sum(max(f.size, len(f.data)) for f in files if f.unread is None)


async def load_files(request: Request) -> Request:
    """Return `request` with the bytes of its files.

    A file that was deleted in the meantime has no bytes, and is marked as unread.
    """
    files = (file for each in request.messages for file in each.files)
    wanted = {file.digest for file in files if file.unread is None}
    if request.load is None or not wanted:
        return request
    data = await request.load(wanted)
    messages = (
        replace(each, files=tuple(_with_data(file, data) for file in each.files))
        for each in request.messages
    )
    return replace(request, messages=tuple(messages), load=None)


def _with_data(file: RequestFile, data: Mapping[str, bytes]) -> RequestFile:
    if file.unread is not None:
        return file
    if file.digest not in data:
        return replace(file, unread=Unread.DELETED)
    return replace(file, data=data[file.digest])


def without_files(request: Request) -> tuple[Request, int]:
    """Return `request` without its files, and the most tokens that they count as."""
    files = [file for each in request.messages for file in each.files]
    if not files:
        return request, 0
    bare = [replace(each, files=()) for each in request.messages]
    return replace(request, messages=tuple(bare)), sum(map(file_tokens, files))


def sampling_options(request: Request) -> dict[str, Any]:
    """Return the SDK's call options for a temperature; empty without one.

    The current version of the API rejects a temperature on every model (Claude facts
    1.1), so the options select an older version.
    """
    if request.temperature is None:
        return {}
    return {
        "extra_headers": {"anthropic-version": SAMPLING_VERSION},
        "extra_body": {"temperature": request.temperature},
    }


def encoded(
    request: Request,
    rounds: Sequence[Mapping[str, object]] = (),
    tokens: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """Return the JSON of a request whose answer streams, or is a compaction block.

    `rounds` are messages to append, and `tokens` the tokens of MCP servers, by name.
    Only such a request has servers. Raises UnicodeEncodeError for half a character.
    """
    place = _breakpoint(request, rounds)
    made = _parameters(request, [*_encode_messages(request, place), *rounds])
    if not request.compacts:
        made["stream"] = True
    made |= sampling_options(request).get("extra_body", {})
    if request.servers:
        made["tools"] = [*made.get("tools", ()), *mcp_servers.toolsets(request)]
        made["mcp_servers"] = mcp_servers.definitions(request, tokens)
    return msgspec.json.encode(made)


def _encode_messages(request: Request, place: int | None) -> Iterator[object]:
    """Yield the messages of `request`, or their JSON.

    Later requests repeat most messages, so the JSON of these is encoded only once. The
    message number `place` has a breakpoint.
    """
    options = document_options(request)
    encode = msgspec.json.Encoder().encode
    for nth, each in enumerate(request.messages):
        if nth == place:
            yield _with_breakpoint(_message(each, request.model, options), request)
            continue
        if each.encoded is None or each.files or each.compaction:
            yield _message(each, request.model, options)
            continue
        if not each.encoded.json:
            said = {"role": each.role, "content": each.content}
            each.encoded.json = encode(said)
        yield msgspec.Raw(each.encoded.json)


def streaming_headers(request: Request) -> dict[str, str]:
    """Return the headers of a request for a streamed answer or a compaction block."""
    headers: dict[str, str] = sampling_options(request).get("extra_headers", {})
    return compaction.headers(request, {**headers, **mcp_servers.headers(request)})


def count_parameters(request: Request) -> dict[str, Any]:
    """Return the body of a request that counts the tokens of the prompt."""
    made = parameters(request)
    return {name: made[name] for name in _COUNTED if name in made}


def encoded_size(request: Request) -> int:
    """Return the size of the request's JSON in bytes."""
    return len(msgspec.json.encode(parameters(request)))


def _output_config(request: Request) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if request.effort:
        config["effort"] = request.effort
    if request.schema:
        config["format"] = {"type": "json_schema", "schema": _schema(request.schema)}
    return config


# Cached so that the requests of a batch share one object. Parsed for each request, the
# schema would take as much memory as the tickets.
@lru_cache(maxsize=8)
def _schema(text: str) -> Any:
    return json.loads(text)
