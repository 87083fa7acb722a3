"""The Web API over HTTP: reads, checks and answers calls (A5).

A call passes these checks in order: faults, token, scope, rate limit, method. The log
has every call, whatever its outcome.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from tests.emulators.changes import Changes
from tests.emulators.slack import scopes
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.calls import Call, Refused
from tests.emulators.slack.faults import Answer, Fault, Faults
from tests.emulators.slack.oauth import EXCHANGE
from tests.emulators.slack.rates import Meter
from tests.emulators.wire import sever

#: The only method that takes the app-level token (A4).
APP_LEVEL = "apps.connections.open"


#: A11: the number of rotating tokens that are valid at once.
MOST_TOKENS = 2


@dataclass(slots=True)
class Token:
    """A bot's token."""

    #: The time at which it expires, by the emulator's clock; None for never.
    until: float | None = None
    #: The error of calls with it; None while it is valid.
    error: str | None = None


class Api:
    """Answers `/api/<method>` for one workspace."""

    def __init__(
        self,
        *,
        methods: Mapping[str, Callable[[Call], Json]],
        token: str,
        app_token: str,
        granted: set[str],
        meter: Meter,
        clock: Callable[[], float],
        changes: Changes,
    ) -> None:
        self.calls: list[Call] = []
        #: How many calls are not answered yet.
        self.pending = 0
        #: How many calls of each method were refused by the rate limit.
        self.refused: Counter[str] = Counter()
        self.faults = Faults()
        #: All tokens of the bot so far, the newest last.
        self.tokens: dict[str, Token] = {token: Token()} if token else {}
        self._methods = methods
        self._app_token = app_token
        self._granted = granted
        self._meter = meter
        self._clock = clock
        self._changes = changes

    def admit(self, token: str, until: float | None) -> None:
        """Make `token` valid. If tokens rotate (`until` is set), the previous one stays
        valid until it expires."""
        good = [each for each in self.tokens.values() if each.error is None]
        keep = MOST_TOKENS - 1 if until is not None else 0
        for old in good[: len(good) - keep]:
            old.error = "token_revoked"
        self.tokens[token] = Token(until)

    def refuse(self, error: str) -> None:
        """Answer every call with any of the tokens with `error`."""
        for each in self.tokens.values():
            each.error = error

    async def serve(self, request: web.Request) -> web.Response:
        """Answer one call."""
        call = await read(request, self._clock)
        self.calls.append(call)
        self.pending += 1
        self._changes.mark()
        fault = self.faults.for_call(call)
        try:
            answer = await self._suffer(call, fault)
            call.outcome = "cut" if fault.cut else answer.outcome
        finally:
            self.pending -= 1
            self._changes.mark()
        if fault.cut:
            sever(request, half=fault.half)
        return web.Response(
            status=answer.status,
            text=answer.body,
            content_type=answer.content_type,
            headers=answer.headers,
        )

    def trusts(self, request: web.Request) -> bool:
        """Return whether `request` has a valid token that may read files (A15)."""
        _, _, token = request.headers.get("Authorization", "").partition(" ")
        return self._wrong(token) is None and "files:read" in self._granted

    def _wrong(self, token: str) -> str | None:
        """Return the error for a token of the bot, or None."""
        known = self.tokens.get(token)
        if known is None:
            return "invalid_auth"
        if known.until is not None and self._clock() > known.until:
            return known.error or "token_expired"
        return known.error

    async def _suffer(self, call: Call, fault: Fault) -> Answer:
        """Answer `call`, subject to `fault`."""
        answer = self._answer(call) if fault.after else None
        await fault.held()
        if fault.answer is not None:
            return fault.answer
        if fault.cut:
            return Answer(200, "{}")
        return answer or self._answer(call)

    def _answer(self, call: Call) -> Answer:
        method = self._methods.get(call.method)
        try:
            if method is None:
                raise Refused("unknown_method")
            self._check(call)
            channel = call.text("channel") or call.text("channel_id")
            if wait := self._meter.admit(call.method, channel):
                return self._too_soon(call, wait)
            return self._answered(method(call), "ok")
        except Refused as refusal:
            return self._answered(refusal.answer, refusal.error)

    def _check(self, call: Call) -> None:
        """Check the token and its scopes (A5, A12). Raises Refused."""
        if call.method == EXCHANGE:
            return
        if not call.token:
            raise Refused("not_authed")
        if call.token not in (*self.tokens, self._app_token):
            raise Refused("invalid_auth")
        if (call.token == self._app_token) != (call.method == APP_LEVEL):
            raise Refused("not_allowed_token_type")
        if call.token != self._app_token and (wrong := self._wrong(call.token)):
            raise Refused(wrong)
        needed = scopes.BY_METHOD.get(call.method)
        if needed and needed not in self._granted:
            raise Refused("missing_scope", needed=needed, provided=self._provided())

    def _too_soon(self, call: Call, wait: int) -> Answer:
        self.refused[call.method] += 1
        body = json.dumps({"ok": False, "error": "ratelimited"})
        headers = {"Retry-After": str(wait)}
        return Answer(429, body, headers=headers, outcome="ratelimited")

    def _answered(self, answer: Json, outcome: str) -> Answer:
        headers = {"x-oauth-scopes": self._provided()}
        return Answer(200, json.dumps(answer), headers=headers, outcome=outcome)

    def _provided(self) -> str:
        return ",".join(sorted(self._granted))


async def read(request: web.Request, clock: Callable[[], float]) -> Call:
    """Return the call that `request` makes."""
    arguments: Json = dict(request.query)
    if request.content_type == "application/json":
        sent = await request.text()
        arguments |= json.loads(sent) if sent else {}
    else:
        arguments |= await request.post()
    method = request.match_info["method"]
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    in_body = arguments.pop("token", "")
    credentials = token if scheme.lower() == "basic" else ""
    # According to Slack's page, app-level tokens are only accepted in the header.
    if scheme.lower() != "bearer" and method != APP_LEVEL:
        token = in_body
    by = request.match_info.get("by", "")
    return Call(method, arguments, clock(), "pending", by, token, credentials)
