"""Receives Slack's requests to the request URL: events, commands and controls (platform
facts A2, A3, A10).

Rule 1: a request is answered after the commit. If the commit takes longer than Slack
waits, the answer is 503, so that Slack retries. The work continues meanwhile, and the
retry finds the message stored.
Rule 2: only Slack's requests have effects. A body's size is checked before it is read,
and its signature before it is parsed. A refusal is answered with one sentence.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.middleware.request_verification.async_request_verification import (
    AsyncRequestVerification,
)
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from adapters.slack import shapes
from adapters.slack.refusal_log import RefusalLog
from bot.errors import ConfigError
from bot.messages import config as messages
from bot.messages import slack_http as texts
from bot.runtime.allowance import Allowance
from bot.runtime.background import end
from bot.text.addresses import Listening
from bot.text.numbers import number

log = logging.getLogger(__name__)

#: Bolt's own path (facts A9.3), for events, commands and controls alike.
PATH = "/slack/events"
HEALTH = "/healthz"

JSON, FORM = "application/json", "application/x-www-form-urlencoded"

# The largest body, in bytes. Slack states no limit. The longest message with its
# blocks, in JSON that escapes each character, and twice in an event about an edit, has
# less than one million (facts A5.4).
MOST_BYTES = 2_000_000
# The most bodies that are read at once. Further requests are answered with 503.
MOST_READING = 100
# The most fields in a form. A slash command has 16 (facts A10).
MOST_FIELDS = 100

# The time limit for an answer, in seconds. Slack waits for three (facts A2), and the
# slowest form takes 2.8 (`interactions`).
PATIENCE = 2.9

# The age in seconds at which a signature is refused (facts A3).
OLDEST = 300


class HttpEvents:
    """Serves the request URL of an app. Passes requests to Bolt that `signing_secret`
    verifies."""

    def __init__(self, app: AsyncApp, signing_secret: str) -> None:
        self._app = app
        #: Bolt's verifier, called before Bolt gets the request, because Bolt parses a
        #: body before verifying it and logs refused bodies.
        self._verifier = AsyncRequestVerification(signing_secret).verifier
        self._reading = Allowance(MOST_READING)
        #: Requests in progress, including those that were answered with 503.
        self._late: set[asyncio.Task[BoltResponse]] = set()
        self._refused = RefusalLog(log, "slack.http_refused")

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the server. The last one matches all other paths."""
        return [
            web.post(PATH, self._serve),
            web.get(HEALTH, _alive),
            web.route("*", PATH, self._not_posted),
            web.route("*", "/{path:.*}", self._unknown),
        ]

    async def close(self) -> None:
        """Cancel requests in progress. Slack sends them again."""
        for task in self._late:
            end(task)
        if self._late:
            await asyncio.wait(self._late)

    async def _serve(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(PATIENCE):
                body = await self._read(request)
                return await self._answer(request, body)
        except _Refusal as refusal:
            return self._refuse(refusal.status, refusal.text)
        except TimeoutError:
            return self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, texts.LATE)

    async def _read(self, request: web.Request) -> bytes:
        is_zipped = "Content-Encoding" in request.headers
        if is_zipped or request.content_type not in (JSON, FORM):
            raise _Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, texts.WRONG_TYPE)
        too_large = _Refusal(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, texts.too_large(most=MOST_BYTES)
        )
        if (request.content_length or 0) > MOST_BYTES:
            raise too_large
        stamp = request.headers.get("X-Slack-Request-Timestamp", "")
        if not stamp or not request.headers.get("X-Slack-Signature"):
            raise _Refusal(HTTPStatus.UNAUTHORIZED, texts.UNSIGNED)
        signed = number(stamp)
        if signed is None or abs(time.time() - signed) > OLDEST:
            raise _Refusal(HTTPStatus.UNAUTHORIZED, texts.OLD)
        if not self._reading.take():
            raise _Refusal(HTTPStatus.SERVICE_UNAVAILABLE, texts.BUSY)
        try:
            return await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            raise too_large from error
        except (web.RequestPayloadError, ConnectionError) as error:
            raise _Refusal(HTTPStatus.BAD_REQUEST, texts.UNREADABLE) from error
        finally:
            self._reading.give()

    async def _answer(self, request: web.Request, raw: bytes) -> web.Response:
        try:
            body = raw.decode()
        except UnicodeDecodeError as error:
            raise _Refusal(HTTPStatus.BAD_REQUEST, texts.UNREADABLE) from error
        headers = request.headers
        signature = headers["X-Slack-Signature"]
        # A signature that is not ASCII cannot be compared.
        if not signature.isascii() or not self._verifier.is_valid(
            body, headers["X-Slack-Request-Timestamp"], signature
        ):
            raise _Refusal(HTTPStatus.UNAUTHORIZED, texts.FORGED)
        payload = _parse(body, request.content_type)
        if payload is None:
            raise _Refusal(HTTPStatus.BAD_REQUEST, texts.UNREADABLE)
        if payload.get("type") == "url_verification":
            log.info("slack.url_verified")
            return web.json_response({"challenge": payload.get("challenge")})
        if wrong := shapes.fault(payload):
            raise _Refusal(HTTPStatus.BAD_REQUEST, texts.impossible(field=wrong))
        asked = _bolt_request(payload, headers)
        if asked is None:
            raise _Refusal(HTTPStatus.BAD_REQUEST, texts.UNREADABLE)
        answer = await self._dispatch(asked)
        if answer.status != HTTPStatus.OK:
            return web.Response(status=answer.status, text=texts.REFUSED)
        return await to_aiohttp_response(answer)

    async def _dispatch(self, asked: AsyncBoltRequest) -> BoltResponse:
        """Return Bolt's answer, with no time limit. If the caller is cancelled, Bolt's
        work continues."""
        task = asyncio.ensure_future(self._app.async_dispatch(asked))
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        return await asyncio.shield(task)

    async def _not_posted(self, request: web.Request) -> web.Response:
        return self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, texts.NOT_POSTED)

    async def _unknown(self, request: web.Request) -> web.Response:
        return self._refuse(HTTPStatus.NOT_FOUND, texts.UNKNOWN_PATH)

    def _refuse(self, status: int, text: str) -> web.Response:
        self._refused.note(f"status={status} {text}")
        return web.Response(status=status, text=text)


class _Refusal(Exception):
    """A refused request, with the status and the text of the answer."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@contextlib.asynccontextmanager
async def serving(
    events: HttpEvents | None, address: Listening, routes: Iterable[web.RouteDef] = ()
) -> AsyncIterator[str]:
    """Serve `events` and further `routes` at `address`, and yield the base address.
    `events` is None if they come only over sockets. Raises ConfigError if the address
    cannot be used."""
    app = web.Application(client_max_size=MOST_BYTES)
    app.on_response_prepare.append(_add_headers)
    alone = [web.get(HEALTH, _alive)]
    app.add_routes([*routes, *(events.routes() if events else alone)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=PATIENCE)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, address.host, address.port).start()
        except OSError as error:
            raise ConfigError(
                messages.slack_http_unusable(address=str(address))
            ) from error
        here = Listening(address.host, runner.addresses[0][1])
        log.info("slack.http_listening address=%s", here)
        yield f"http://{here}"
    finally:
        await runner.cleanup()
        if events is not None:
            await events.close()


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    # Replaces aiohttp's header, which shows the versions of our libraries.
    response.headers["Server"] = "Threadkeep"


async def _alive(request: web.Request) -> web.Response:
    return web.json_response({"alive": True})


def _parse(body: str, content_type: str) -> dict[str, Any] | None:
    """Return the payload in `body`, or None if there is none.

    Bolt's own parser is not used, since it takes a command that contains the word
    "payload" for a form with that field.
    """
    try:
        found: Any = None
        if content_type == JSON:
            found = json.loads(body)
        else:
            fields = dict(
                parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS)
            )
            found = json.loads(fields["payload"]) if "payload" in fields else fields
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found else None


def _bolt_request(
    payload: dict[str, Any], headers: Mapping[str, str]
) -> AsyncBoltRequest | None:
    """Return a request that Bolt neither verifies nor parses again; None if parts of
    the payload do not have the types that Slack sends."""
    try:
        return AsyncBoltRequest(body=payload, headers=dict(headers), mode="socket_mode")
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
