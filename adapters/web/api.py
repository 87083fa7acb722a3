"""The HTTP API, with which programs ask questions, read answers and stop them.

Rule 1: a message is passed to the core like a message of any platform, and no part of a
turn is implemented here. The answer is read from the store, while it is written and
later.
Rule 2: a caller without access to a thread gets the same response as for a thread that
never existed.
"""

import hashlib
import re
import secrets
import time
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from adapters.web import api_values as values
from adapters.web import directory
from adapters.web.api_description import description
from adapters.web.api_stream import Streams
from adapters.web.context import Context, Refused
from adapters.web.event_stream import Position
from adapters.web.tokens import Caller, Callers
from bot.domain.api_thread import ApiThread
from bot.domain.api_token import TokenScope
from bot.domain.message import Message
from bot.domain.scope import Scope, ThreadKey
from bot.messages import web_api as texts

# The most threads of a list, and the most messages of a thread.
MOST_THREADS, MOST_MESSAGES = 100, 1_000

# The scopes that may read: all threads with READ, and the caller's own with CHAT.
READING = (TokenScope.READ, TokenScope.CHAT)

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
_NUMBER = re.compile(r"[1-9][0-9]{0,14}")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes(context: Context) -> list[web.RouteDef]:
    """Return the routes of the API."""
    api = Api(context, Callers(context))
    return [
        web.post("/api/chat", api.chat),
        web.get("/api/threads", api.threads),
        web.get("/api/threads/{id}", api.thread),
        web.post("/api/threads/{id}/stop", api.stop),
        web.get("/api/openapi.json", api.openapi),
    ]


class Api:
    """The routes of the API."""

    def __init__(self, context: Context, callers: Callers) -> None:
        self._host = context.host
        self._callers = callers
        self._streams = Streams(context, callers)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """Receive a message and stream its answer. With Last-Event-ID, stream the rest
        of an earlier answer."""
        caller = await self._callers.program(request, TokenScope.CHAT)
        if (last := request.headers.get("Last-Event-ID")) is not None:
            return await self._resume(request, caller, last)
        asked = values.chat_request(await body(request))
        thread, message = ids(request, caller, asked.thread)
        known = await self._host.api.thread(thread)
        if asked.thread is not None and not _may(caller, known):
            raise Refused(404, "not_found", texts.NO_SUCH_THREAD)
        if why := await self._host.api.refusal(thread, asked.options):
            raise Refused(422, "not_possible", why)
        await self._host.inbox.receive(
            Message(
                thread=thread,
                message=message,
                at=time.time(),
                author=caller.person,
                text=asked.message,
                addressed=True,
                opens=known is None,
                # The text of a program is for Claude: nothing in it is an instruction
                # to the bot or a command.
                parts=("",),
                name=caller.token.name,
                options=asked.options,
            )
        )
        begin = Position(thread.thread, message)
        return await self._streams.send(request, caller, thread, begin)

    async def _resume(
        self, request: web.Request, caller: Caller, last: str
    ) -> web.StreamResponse:
        position = Position.read(last)
        if position is None:
            raise Refused(400, "bad_event_id", texts.BAD_EVENT_ID)
        thread = _key(position.thread)
        if not _may(caller, await self._host.api.thread(thread)):
            raise Refused(404, "not_found", texts.NO_SUCH_THREAD)
        return await self._streams.send(request, caller, thread, position)

    async def threads(self, request: web.Request) -> web.Response:
        """List threads, the newest first."""
        caller = await self._callers.program(request, *READING)
        most = _number(request, "limit") or MOST_THREADS
        before = _number(request, "before")
        if most > MOST_THREADS:
            raise Refused(400, "invalid_parameter", texts.BAD_PAGE)
        owner = "" if caller.allows(TokenScope.READ) else caller.person
        found = await self._host.api.threads(_CHANNEL, owner, most, before)
        rows = [values.thread_row(each, _name(each.owner)) for each in found]
        more = found[-1].number if len(found) == most else None
        return _json(values.ThreadList(rows, more))

    async def thread(self, request: web.Request) -> web.Response:
        """Show a thread."""
        caller = await self._callers.program(request, *READING)
        key, found = await self._thread(request, caller)
        messages = await self._host.api.messages(key, MOST_MESSAGES)
        row = values.thread_row(found, _name(found.owner))
        return _json(
            values.ThreadPage(
                *(row.id, row.title, row.owner, row.created),
                await self._host.conversations.answering(key),
                [values.message_row(each, _name(each.author)) for each in messages],
            )
        )

    async def stop(self, request: web.Request) -> web.Response:
        """Stop the answer in progress in a thread."""
        caller = await self._callers.program(request, TokenScope.CHAT)
        key, found = await self._thread(request, caller)
        if not _may(caller, found):
            raise Refused(404, "not_found", texts.NO_SUCH_THREAD)
        return _json(values.Stopped(await self._host.conversations.stop(key)))

    async def openapi(self, request: web.Request) -> web.Response:
        """Describe the API."""
        return web.json_response(description(), headers={"Cache-Control": "no-cache"})

    async def _thread(
        self, request: web.Request, caller: Caller
    ) -> tuple[ThreadKey, ApiThread]:
        """Return the thread that the address names. Raises Refused unless `caller` may
        read it."""
        id = request.match_info["id"]
        key = _key(id)
        found = await self._host.api.thread(key) if _ID.fullmatch(id) else None
        readable = caller.allows(TokenScope.READ) or _may(caller, found)
        if found is None or not readable:
            raise Refused(404, "not_found", texts.NO_SUCH_THREAD)
        return key, found


_CHANNEL = Scope(directory.PLATFORM, directory.WORKSPACE, directory.API)


def _key(thread: str) -> ThreadKey:
    return ThreadKey(_CHANNEL.platform, _CHANNEL.workspace, _CHANNEL.channel, thread)


def _may(caller: Caller, thread: ApiThread | None) -> bool:
    """Return whether `caller` may ask in `thread`, and stop answers in it."""
    if thread is None:
        return False
    return thread.owner == caller.person or caller.allows(TokenScope.ADMIN)


def _name(person: str) -> str:
    """Return the name of the token with the author id `person`, or "" for the bot."""
    return directory.name_of(person) if person else ""


def ids(
    request: web.Request, caller: Caller, thread: str | None
) -> tuple[ThreadKey, str]:
    """Return the ids of a new message and of its thread. With an Idempotency-Key, the
    ids are derived from the key, so that a repeated request has the same ids. Raises
    Refused."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        made = secrets.token_hex(12)
    elif _KEY.fullmatch(key):
        words = f"{caller.person}\n{key}"
        made = hashlib.sha256(words.encode()).hexdigest()[:24]
    else:
        raise Refused(400, "invalid_header", texts.BAD_KEY)
    return _key(thread or f"t{made}"), f"m{made}"


async def body(request: web.Request) -> bytes:
    """Return the body of a request. Raises Refused if it is not JSON, or
    HTTPRequestEntityTooLarge."""
    if request.content_type != "application/json":
        raise Refused(415, "not_json", texts.NOT_JSON_TYPE)
    if (request.content_length or 0) > values.MOST_BYTES:
        raise web.HTTPRequestEntityTooLarge(values.MOST_BYTES, 0)
    read = bytearray()
    async for chunk in request.content.iter_any():
        read += chunk
        if len(read) > values.MOST_BYTES:
            raise web.HTTPRequestEntityTooLarge(values.MOST_BYTES, len(read))
    return bytes(read)


def _number(request: web.Request, name: str) -> int | None:
    """Return the query parameter `name` as a number, or None if it is missing. Raises
    Refused if it is not a number."""
    text = request.query.get(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise Refused(400, "invalid_parameter", texts.BAD_PAGE)
    return int(text)


def _json(value: msgspec.Struct) -> web.Response:
    return web.json_response(text=values.encode(value))
