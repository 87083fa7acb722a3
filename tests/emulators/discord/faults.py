"""Faults of calls, on demand.

    discord.faults.add("PATCH", MESSAGE, status(503))
    discord.faults.add("POST", MESSAGES, cut(after=True), nth=2)
    discord.faults.add("*", ".*", error(403, 50013, "Missing Permissions"), times=3)

A fault hits a call before it has any effect or, with `after=True`, after its effect.
The client cannot tell the two apart.
"""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.emulators.discord.calls import Call

#: The `times` of a permanent fault.
ALWAYS = 10**9

MESSAGES = r"/channels/\d+/messages"
MESSAGE = r"/channels/\d+/messages/\d+"
THREADS = r"/channels/\d+(/messages/\d+)?/threads"
CALLBACK = r"/interactions/\d+/.+/callback"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response on the wire."""

    status: int
    body: str = ""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    #: Discord's own error code.
    code: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail."""

    #: Sent instead of the real answer; None for no change.
    answer: Answer | None = None
    #: Whether the connection is reset instead of an answer.
    cut: bool = False
    #: Whether the connection ends in the middle of an answer.
    half: bool = False
    #: Whether the call takes effect first.
    after: bool = False
    #: A wait before the answer: an event, or real seconds.
    wait: asyncio.Event | float | None = None

    async def held(self) -> None:
        """Wait before the answer, as the fault says."""
        if isinstance(self.wait, asyncio.Event):
            await self.wait.wait()
        elif self.wait is not None:
            await asyncio.sleep(self.wait)


def error(http: int, code: int, message: str, *, after: bool = False) -> Fault:
    """Return an error that Discord reports in JSON (B4)."""
    body = json.dumps({"code": code, "message": message})
    return Fault(Answer(http, body, code=code), after=after)


def status(http: int, *, after: bool = False) -> Fault:
    """Return a server error, whose JSON has only the status."""
    return error(http, 0, f"{http}: Emulated", after=after)


def html(http: int = 503, *, after: bool = False) -> Fault:
    """Return an HTML page, as a proxy sends it."""
    page = "<!DOCTYPE html><html><body>Something went wrong</body></html>"
    return Fault(Answer(http, page, "text/html"), after=after)


def throttle(
    seconds: float, *, everywhere: bool = False, via: bool = True, after: bool = False
) -> Fault:
    """Return HTTP 429. Without `via`, it looks like a ban by Cloudflare (B4)."""
    body = json.dumps(
        {
            "message": "You are being rate limited.",
            "retry_after": seconds,
            "global": everywhere,
        }
    )
    headers = {"Retry-After": str(seconds)} | ({"Via": "1.1 emulated"} if via else {})
    return Fault(Answer(429, body, headers=headers), after=after)


def cut(*, after: bool = False) -> Fault:
    """Break the connection, before or after the call takes effect."""
    return Fault(cut=True, after=after)


def half(*, after: bool = False) -> Fault:
    """End the connection in the middle of an answer, before or after the call takes
    effect."""
    return Fault(cut=True, half=True, after=after)


def hold(wait: asyncio.Event | float, *, after: bool = False) -> Fault:
    """Delay the call until the event is set, or by that many real seconds."""
    return Fault(wait=wait, after=after)


@dataclass(slots=True)
class Rule:
    """A fault and the calls that it hits. `struck` counts the hits."""

    method: str
    path: str
    fault: Fault
    nth: int
    times: int
    when: Callable[[Call], bool] | None
    seen: int = 0
    struck: int = 0

    def strikes(self, call: Call) -> bool:
        """Count `call` if it matches, and return whether the fault hits it."""
        if self.method not in ("*", call.method):
            return False
        if not re.fullmatch(self.path, call.path):
            return False
        if self.when is not None and not self.when(call):
            return False
        self.seen += 1
        hit = self.nth <= self.seen < self.nth + self.times
        self.struck += hit
        return hit


class Faults:
    """The active faults. The first rule that hits a call wins."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def add(
        self,
        method: str,
        path: str,
        fault: Fault,
        *,
        nth: int = 1,
        times: int = 1,
        when: Callable[[Call], bool] | None = None,
    ) -> Rule:
        """Make `times` calls of `method` ("*" for any) whose whole path matches `path`
        fail, beginning with the `nth` from now on. Only calls for which `when` is true
        count."""
        self._rules.append(Rule(method, path, fault, nth, times, when))
        return self._rules[-1]

    def hold(
        self,
        method: str,
        path: str,
        *,
        nth: int = 1,
        after: bool = False,
        when: Callable[[Call], bool] | None = None,
    ) -> asyncio.Event:
        """Hold the `nth` such call until the returned event is set."""
        event = asyncio.Event()
        self.add(method, path, hold(event, after=after), nth=nth, when=when)
        return event

    def clear(self) -> None:
        """Remove all faults."""
        self._rules.clear()

    def for_call(self, call: Call) -> Fault:
        """Return the fault of `call`, or an empty Fault."""
        # Every rule counts every call, so that `nth` does not depend on which other
        # rules exist.
        striking = [rule.fault for rule in self._rules if rule.strikes(call)]
        return striking[0] if striking else Fault()
