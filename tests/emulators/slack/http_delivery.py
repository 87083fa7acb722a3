"""Slack's requests to an app's request URL (A2, A3, A10).

Rule 1: an app in Socket Mode receives nothing here; one without it receives everything
here (A16: the manifest names a URL, or `socket_mode_enabled`).
Rule 2: a 2xx response is due within `ack_timeout`. Without it, an event is sent again
after each of `retries` in turn, with its number and the reason, unless the response
forbids that with `X-Slack-No-Retry` (A2). Uses of controls, commands and views are sent
once: the person sees an error and tries again.
Rule 3: every request is signed with the app's signing secret when it is sent (A3), so a
retry has its own signature.

All of these are real seconds. Only logs use the emulator's clock.
"""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp

from tests.emulators.changes import Changes
from tests.emulators.slack.blocks import Json

JSON, FORM = "application/json", "application/x-www-form-urlencoded"

#: How many redirects are followed. The reason `too_many_redirects` implies that some
#: are.
MOST_REDIRECTS = 3


@dataclass(slots=True)
class Posted:
    """One request to the app."""

    at: float
    kind: str
    #: `X-Slack-Retry-Num`, 0 for the first; and `X-Slack-Retry-Reason`.
    retry: int
    reason: str
    #: The status of the app's response; 0 if none came in time.
    status: int = 0
    body: str = ""
    #: Whether the response forbids retries.
    no_retry: bool = False
    #: The reason if it counts as a failure (A2), else "".
    failure: str = ""


class HttpDelivery:
    """Posts payloads to the request URL, after the app has returned the challenge."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        changes: Changes,
        ack_timeout: float,
        retries: Sequence[float],
    ) -> None:
        self.signing_secret = "0123456789abcdef0123456789abcdef"
        #: The app's URL for events, commands and controls; "" for Socket Mode.
        self.url = ""
        self.posts: list[Posted] = []
        self._clock = clock
        self._changes = changes
        self._ack_timeout = ack_timeout
        self._retries = retries
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Stop posting."""
        if self._session is not None:
            await self._session.close()

    async def challenge(self, url: str) -> None:
        """Set `url` as the app's owner does. Raises ValueError if the app does not
        return the challenge (A2)."""
        challenge = hashlib.sha1(url.encode()).hexdigest()
        body = {
            "token": "verification",
            "challenge": challenge,
            "type": "url_verification",
        }
        posted = await self._post(url, "challenge", json.dumps(body), JSON, 0, "")
        if posted.failure:
            raise ValueError(f"the URL failed: {posted.failure} {posted.status}")
        if challenge not in posted.body:
            raise ValueError("the URL did not return the value of the challenge")
        self.url = url

    async def see_through(
        self, kind: str, payload: Json, begun: Callable[[int], None]
    ) -> Posted:
        """Post `payload` until the app accepts it, and return the last request. `begun`
        is called with the number of each request before it is sent."""
        kinds = {"events_api": JSON, "slash_commands": FORM, "interactive": FORM}
        body = _body(kind, payload)
        reason = ""
        pauses = self._retries if kind == "events_api" else ()
        for retry, pause in enumerate((0.0, *pauses)):
            await asyncio.sleep(pause)
            begun(retry)
            posted = await self._post(self.url, kind, body, kinds[kind], retry, reason)
            reason = posted.failure
            if not reason or posted.no_retry:
                break
        return posted

    async def repeat(self, payload: Json, retry: int, reason: str) -> Posted:
        """Post an event as the retry with the number `retry`."""
        body = json.dumps(payload)
        return await self._post(self.url, "events_api", body, JSON, retry, reason)

    def signed(self, body: str | bytes, at: float | None = None) -> dict[str, str]:
        """Return the headers with Slack's signature of `body` (A3). `at` is in seconds
        since 1970, by default now."""
        raw = body.encode() if isinstance(body, str) else body
        stamp = str(int(time.time() if at is None else at))
        base = b"v0:" + stamp.encode() + b":" + raw
        key = self.signing_secret.encode()
        mark = hmac.new(key, base, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mark}"}

    async def _post(
        self, url: str, kind: str, body: str, content: str, retry: int, reason: str
    ) -> Posted:
        posted = Posted(self._clock(), kind, retry, reason)
        self.posts.append(posted)
        headers = {**self.signed(body), "Content-Type": content}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason}
        self._session = session = self._session or aiohttp.ClientSession()
        try:
            async with (
                asyncio.timeout(self._ack_timeout),
                session.post(
                    url,
                    data=body.encode(),
                    headers=headers,
                    max_redirects=MOST_REDIRECTS,
                ) as response,
            ):
                posted.status = response.status
                posted.body = await response.text()
                posted.no_retry = response.headers.get("X-Slack-No-Retry") == "1"
                if not 200 <= response.status < 300:
                    posted.failure = "http_error"
        except TimeoutError:
            posted.failure = "http_timeout"
        except aiohttp.TooManyRedirects:
            posted.failure = "too_many_redirects"
        except aiohttp.ClientSSLError:
            posted.failure = "ssl_error"
        except aiohttp.ClientConnectionError:
            posted.failure = "connection_failed"
        except aiohttp.ClientError:
            posted.failure = "unknown_error"
        self._changes.mark()
        return posted


def answer(posted: Posted) -> Json | None:
    """Return the payload of the app's ack of a command or control, or None."""
    if not posted.body:
        return None
    try:
        found: Any = json.loads(posted.body)
    except ValueError:
        # The body of an ack may be the text of the response (A10).
        return {"text": posted.body}
    return found if isinstance(found, dict) else None


def _body(kind: str, payload: Json) -> str:
    """Return the HTTP body of `payload`, whose encoding depends on its kind (A10)."""
    if kind == "events_api":
        return json.dumps(payload)
    if kind == "slash_commands":
        return urlencode({k: v for k, v in payload.items() if v is not None})
    return urlencode({"payload": json.dumps(payload)})
