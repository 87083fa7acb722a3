"""Identifies the sender of a request, by a token or by the cookie of a browser that
signed in with one, unless the server is open.

Rule 1: without tokens, the server is open to this machine, or to everybody that a proxy
admits. As soon as there is a token, each request needs one.
Rule 2: a token is looked up for each request. A refusal says neither why nor whether
the token ever existed, and wrong tokens are counted by address.
"""

import hmac
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from adapters.web import directory
from adapters.web.context import Core, Refused
from bot.domain.api_token import LOCAL, MOST_RATE, ApiToken, TokenScope
from bot.messages import web_api as texts
from bot.runtime.request_rate import RequestRate

#: The cookie of a browser that signed in with a token.
COOKIE = "threadkeep-session"
#: How long such a cookie is accepted, in seconds, as long as its token is accepted.
SESSION = 12 * 3600

# How many wrong tokens an address may send in a minute, and how many addresses and
# tokens are counted.
WRONG_RATE = 20
MOST_COUNTED = 10_000

_BEARER = "bearer "
# The id of the token, the time of expiry in seconds since 1970, and a seal that only
# this server can make.
_SESSION = re.compile(
    r"(?P<words>(?P<id>[0-9a-f]{12})\.(?P<until>[0-9]{1,12}))\.(?P<seal>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request."""

    token: ApiToken
    #: Whether the caller was admitted without a token.
    is_local: bool = False

    @property
    def person(self) -> str:
        """The author id of the caller's messages."""
        return f"{directory.PROGRAM}{self.token.name}"

    def allows(self, scope: TokenScope) -> bool:
        """Return whether the caller may do what `scope` is for."""
        return self.token.allows(scope)


#: The caller of each request to an open server.
OPEN = Caller(
    ApiToken("", LOCAL, frozenset({TokenScope.ADMIN}), created=0.0, rate=MOST_RATE),
    is_local=True,
)


class Callers:
    """Identifies the caller of a request, and limits the rate of requests."""

    def __init__(
        self,
        context: Core,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._api = context.host.api
        self._settings = context.settings
        self._clock = clock
        self._now = now
        self._requests = RequestRate(MOST_COUNTED)
        self._wrong = RequestRate(MOST_COUNTED)

    async def program(self, request: web.Request, *scopes: TokenScope) -> Caller:
        """Return the caller of a request to the API, and count the request. Raises
        Refused if the caller is unknown, has none of `scopes` or sends too many
        requests, and StorageError."""
        caller = await self.visitor(request)
        if caller is None:
            headers = {"WWW-Authenticate": "Bearer"}
            raise Refused(401, "unauthorized", texts.NO_TOKEN, headers)
        if not any(map(caller.allows, scopes)):
            text = texts.lacks_scope(scope=scopes[0].value)
            raise Refused(403, "forbidden", text)
        token = caller.token
        if wait := self._requests.take(token.id, token.rate, self._clock()):
            seconds = math.ceil(wait)
            raise Refused(
                429,
                "rate_limited",
                texts.too_fast(rate=token.rate, seconds=seconds),
                {"Retry-After": str(seconds)},
            )
        return caller

    async def visitor(self, request: web.Request) -> Caller | None:
        """Return the caller of a page, identified by a token or by the browser's
        cookie, or OPEN if the server is open. None if the caller has to sign in. Raises
        Refused for a wrong token, and StorageError."""
        if caller := await self._bearer(request):
            return caller
        token = await self._of_cookie(request)
        if token is not None:
            return Caller(token)
        return OPEN if await self.is_open() else None

    async def is_open(self) -> bool:
        """Return whether a request needs no token. Raises StorageError."""
        settings = self._settings
        if not (settings.is_loopback or settings.proxies):
            return False
        return not await self._api.has_tokens()

    async def still_may(self, caller: Caller, scope: TokenScope) -> bool:
        """Return whether a caller that was admitted before still has `scope`. Raises
        StorageError."""
        if caller.is_local:
            return await self.is_open()
        token = await self._api.known(caller.token.id)
        return token is not None and token.allows(scope)

    async def sign_in(self, request: web.Request, text: str) -> str:
        """Return the session cookie for the token `text`, or "" if the token is not
        accepted. Raises Refused after too many wrong tokens, and StorageError."""
        token = await self._api.authenticate(text.strip())
        if token is None:
            self._count_wrong(request)
            return ""
        words = f"{token.id}.{int(self._now() + SESSION)}"
        return f"{words}.{await self._api.seal(token.id, words)}"

    async def _bearer(self, request: web.Request) -> Caller | None:
        header = request.headers.get("Authorization")
        if header is None:
            return None
        token = None
        if header[: len(_BEARER)].lower() == _BEARER:
            token = await self._api.authenticate(header[len(_BEARER) :].strip())
        if token is None:
            self._count_wrong(request)
            headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise Refused(401, "unauthorized", texts.BAD_TOKEN, headers)
        return Caller(token)

    async def _of_cookie(self, request: web.Request) -> ApiToken | None:
        found = _SESSION.fullmatch(request.cookies.get(COOKIE, ""))
        if found is None or int(found["until"]) <= self._now():
            return None
        known = await self._api.seal(found["id"], found["words"])
        if not hmac.compare_digest(found["seal"], known):
            return None
        return await self._api.known(found["id"])

    def _count_wrong(self, request: web.Request) -> None:
        """Count a wrong token. Raises Refused if too many came from its address; valid
        tokens from that address are still accepted."""
        if wait := self._wrong.take(request.remote or "", WRONG_RATE, self._clock()):
            headers = {"Retry-After": str(math.ceil(wait))}
            raise Refused(429, "rate_limited", texts.TOO_MANY_TRIES, headers)
