"""Faults of calls, on demand.

    slack.faults.add("chat.update", status(503))
    slack.faults.add("chat.postMessage", cut(after=True), nth=2)
    slack.faults.add("*", error("internal_error"), times=3)

A fault hits a call before it has any effect or, with `after=True`, after its effect.
The client cannot tell the two apart.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.emulators.slack.calls import Call

#: The `times` of a permanent fault.
ALWAYS = 10**9


@dataclass(frozen=True, slots=True)
class Answer:
    """A response on the wire."""

    status: int
    body: str
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    #: The outcome in the log of calls.
    outcome: str = ""


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


def status(code: int, *, after: bool = False) -> Fault:
    """Return a server error with an empty JSON body."""
    return Fault(Answer(code, "{}", outcome=f"HTTP {code}"), after=after)


def html(code: int = 503, *, after: bool = False) -> Fault:
    """Return an HTML page, as a proxy sends it."""
    page = "<!DOCTYPE html><html><body>Something went wrong</body></html>"
    answer = Answer(code, page, "text/html", outcome=f"HTTP {code}")
    return Fault(answer, after=after)


def throttle(seconds: int | None, *, after: bool = False) -> Fault:
    """Return HTTP 429 with this Retry-After; None leaves the header out."""
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    body = json.dumps({"ok": False, "error": "ratelimited"})
    answer = Answer(429, body, headers=headers, outcome="HTTP 429")
    return Fault(answer, after=after)


def error(name: str, *, after: bool = False) -> Fault:
    """Return an error that Slack reports with HTTP 200."""
    body = json.dumps({"ok": False, "error": name})
    return Fault(Answer(200, body, outcome=name), after=after)


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
        fault: Fault,
        *,
        nth: int = 1,
        times: int = 1,
        when: Callable[[Call], bool] | None = None,
    ) -> Rule:
        """Make `times` calls of `method` ("*" for any) fail, beginning with the `nth`
        from now on. Only calls for which `when` is true count."""
        self._rules.append(Rule(method, fault, nth, times, when))
        return self._rules[-1]

    def hold(self, method: str, *, after: bool = False) -> asyncio.Event:
        """Hold the next call of `method` until the returned event is set."""
        event = asyncio.Event()
        self.add(method, hold(event, after=after))
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
