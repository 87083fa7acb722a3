"""The REST API over HTTP: reads, checks and answers calls (B4).

A call passes these checks in order: faults, token, rate limits, rules. The log has
every call, whatever its outcome.
"""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tests.emulators.changes import Changes
from tests.emulators.discord import refusals
from tests.emulators.discord.calls import Call
from tests.emulators.discord.faults import Answer, Fault, Faults
from tests.emulators.discord.model import GAPS, Refused, Request, Upload
from tests.emulators.discord.rates import Meter, Verdict
from tests.emulators.discord.rules import Rules
from tests.emulators.wire import sever

PREFIX = "/api/v10"
#: Requests whose token is in the path.
_OWN_TOKEN = re.compile(r"/(interactions|webhooks)/\d+/.+")


class Api:
    """Answers everything below `/api/v10`."""

    def __init__(
        self,
        rules: Rules,
        *,
        trusts: Callable[[str], bool],
        meter: Meter,
        wire: Callable[[Any], str],
        clock: Callable[[], float],
        changes: Changes,
    ) -> None:
        self.calls: list[Call] = []
        #: How many calls are not answered yet.
        self.pending = 0
        #: How many calls were answered 429.
        self.refused = 0
        #: How many calls were answered 401, 403 or 429. Too many of them get the
        #: address banned (B4).
        self.invalid_requests = 0
        #: Requests that the emulator does not know.
        self.gaps: list[str] = []
        self.faults = Faults()
        self._rules = rules
        self._trusts = trusts
        self._meter = meter
        self._wire = wire
        self._clock = clock
        self._changes = changes

    async def serve(self, request: web.Request) -> web.Response:
        """Answer one call."""
        by = request.match_info.get("by", "")
        call = Call(await _read(request), self._clock(), by)
        self.calls.append(call)
        self.pending += 1
        self._changes.mark()
        fault = self.faults.for_call(call)
        try:
            answer = await self._suffer(call, request, fault)
            if not fault.cut:
                self._note(call, answer)
        finally:
            self.pending -= 1
            self._changes.mark()
        if fault.cut:
            sever(request, half=fault.half)
        headers = dict(answer.headers)
        if answer.body:
            # Without a charset, with which discord.py would read the body as plain text
            # (B10).
            headers["Content-Type"] = answer.content_type
        return web.Response(
            status=answer.status, body=answer.body.encode(), headers=headers
        )

    async def _suffer(self, call: Call, request: web.Request, fault: Fault) -> Answer:
        """Answer `call`, subject to `fault`."""
        token = request.headers.get("Authorization", "")
        answer = self._answer(call, token) if fault.after else None
        await fault.held()
        if fault.answer is not None:
            return fault.answer
        if fault.cut:
            return Answer(200)
        return answer or self._answer(call, token)

    def _answer(self, call: Call, token: str) -> Answer:
        try:
            if not _OWN_TOKEN.fullmatch(call.path) and not self._trusts(token):
                raise refusals.unauthorized()
            verdict = self._meter.admit(call.request)
            if verdict.wait:
                return _too_soon(verdict)
        except Refused as refusal:
            return self._refusal(refusal, {})
        try:
            content = self._rules.answer(call.request)
        except GAPS as gap:
            self.gaps.append(str(gap))
            return self._refusal(gap, {})
        except Refused as refusal:
            return self._refusal(refusal, dict(verdict.headers))
        except ValueError as error:
            wrong = refusals.invalid("_", "BASE_TYPE_BAD", str(error))
            return self._refusal(wrong, dict(verdict.headers))
        if content is None:
            return Answer(204, headers=dict(verdict.headers))
        return Answer(200, self._wire(content), headers=dict(verdict.headers))

    def _refusal(self, refusal: Refused, headers: dict[str, str]) -> Answer:
        body = self._wire(refusal.to_json())
        return Answer(refusal.status, body, headers=headers, code=refusal.code)

    def _note(self, call: Call, answer: Answer) -> None:
        call.status, call.code = answer.status, answer.code
        self.refused += answer.status == 429
        self.invalid_requests += answer.status in (401, 403, 429)


def _too_soon(verdict: Verdict) -> Answer:
    body = {
        "message": "You are being rate limited.",
        "retry_after": round(verdict.wait, 3),
        "global": verdict.everywhere,
    }
    # Without Via, discord.py treats the response as a ban (B4).
    headers = {"Retry-After": f"{verdict.wait:.3f}", "Via": "1.1 emulated"}
    return Answer(429, json.dumps(body), headers=dict(verdict.headers) | headers)


async def _read(request: web.Request) -> Request:
    body: Any = None
    files: list[Upload] = []
    if request.content_type == "multipart/form-data":
        body, files = await _read_form(request)
    elif sent := await request.text():
        body = json.loads(sent)
    return Request(
        method=request.method,
        path=unquote(request.path.partition(PREFIX)[2]),
        body=body,
        query=dict(request.query),
        files=tuple(files),
    )


async def _read_form(request: web.Request) -> tuple[Any, list[Upload]]:
    form = await request.post()
    body: Any = None
    files = []
    for name, value in form.items():
        if isinstance(value, web.FileField):
            files.append(Upload(value.filename, value.file.read()))
        elif name == "payload_json":
            body = json.loads(value if isinstance(value, str) else bytes(value))
    return body, files
