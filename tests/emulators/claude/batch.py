"""One batch: its requests, their validation, and its results.

Rule: pure; `batches` decides when requests are answered. Numbers in comments point into
the facts sheet ("claude 1.8").
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bot.domain.completion import Usage
from tests.emulators.claude.message import TYPES, error_of, message_of, usage_of
from tests.emulators.claude.prompt import Body, tokens
from tests.emulators.claude.reply import Fail, Step, Stop, Think

MOST_REQUESTS = 100_000
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Said(NamedTuple):
    """The answer to one request of a batch."""

    model: str
    text: str
    thought: int
    stop: Stop
    usage: Usage


@dataclass
class Batch:
    """One batch, by the emulator's clock."""

    id: str
    #: The requests, each with its `custom_id`, and with its `params` while they are
    #: kept.
    requests: list[Body]
    version: str
    created: float
    #: Seconds from `created` until all requests are answered; `expires` are the seconds
    #: until unanswered requests expire.
    seconds: float
    expires: float
    #: The results of the requests that were answered, in order.
    outcomes: list[Said | Fail] = field(default_factory=list)
    errored: int = 0
    cancelled: float | None = None
    ended: float | None = None
    deleted: bool = False

    @property
    def status(self) -> str:
        if self.ended is not None:
            return "ended"
        return "in_progress" if self.cancelled is None else "canceling"


def bad_requests(requests: Any) -> str | None:
    """Return the reason to refuse a batch of `requests` at once, or None."""
    if not isinstance(requests, list) or not requests:
        return "requests: at least one request is required"
    if len(requests) > MOST_REQUESTS:
        return f"requests: at most {MOST_REQUESTS} items are allowed"
    seen: set[str] = set()
    for nth, request in enumerate(requests):
        if not isinstance(request, dict) or not isinstance(request.get("params"), dict):
            return f"requests.{nth}.params: Field required"
        name = request.get("custom_id")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            return (
                f"requests.{nth}.custom_id: String should match pattern "
                "'^[a-zA-Z0-9_-]{1,64}$'"
            )
        if name in seen:
            return f"requests.{nth}.custom_id: {name} is used more than once"
        seen.add(name)
    return None


def bad_params(body: Body) -> tuple[int, str] | None:
    """Return the error for parameters that only a batch refuses, or None (claude
    1.8)."""
    if body.get("stream"):
        return 400, "stream: is not supported in a batch"
    if body.get("speed"):
        return 400, "speed: is not supported in a batch"
    return None


def said_by(steps: Sequence[Step]) -> tuple[str, int, Stop] | Fail:
    """Return the text, the thinking tokens and the stop of `steps`, or their
    failure."""
    text, thought, stop = "", 0, Stop()
    for step in steps:
        match step:
            case Fail():
                return step
            case Think():
                thought += step.tokens
            case Stop():
                stop = step
            case str():
                text += step
    return text, thought, stop


def line_of(batch: Batch, nth: int) -> bytes:
    """Return the result of the `nth` request, as a line of JSON."""
    name = batch.requests[nth]["custom_id"]
    id = f"{batch.id.removeprefix('msgbatch_')}_{nth:06d}"
    result = _result(batch, nth, id)
    return json.dumps({"custom_id": name, "result": result}).encode() + b"\n"


def _result(batch: Batch, nth: int, id: str) -> Body:
    if nth >= len(batch.outcomes):
        return {"type": "expired" if batch.cancelled is None else "canceled"}
    said = batch.outcomes[nth]
    if isinstance(said, Fail):
        kind = said.type or TYPES.get(said.status, "api_error")
        error = error_of(kind, said.message, said.error_code, f"req_{id}")
        return {"type": "errored", "error": error}
    output = tokens(said.text) + said.thought
    message = message_of(
        id=f"msg_{id}",
        model=said.model,
        content=[{"type": "text", "text": said.text}] if said.text else [],
        usage=usage_of(said.usage, output=output, thought=said.thought, tier="batch"),
        reason=said.stop.reason,
        details=said.stop.details,
    )
    return {"type": "succeeded", "message": message}
