"""Failures of the API are retried or not, after pauses, a limited number of times."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.claude.client import ClaudeModel
from bot.claude.errors import LONGEST_WAIT, MOST_TRIES, PATIENCE, Fault, pause
from bot.errors import (
    ModelBusy,
    ModelError,
    ModelUnreachable,
)
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import (
    Abort,
    Answer,
    End,
    Error,
    Event,
    Fail,
    Open,
    Raw,
    Stall,
    Start,
    Step,
    Think,
)
from tests.support.claude_harness import (
    Waits,
    broken,
    text_of,
)

# Failures that may pass

PASSING: list[tuple[Step | Sequence[Step], type[ModelError]]] = [
    (Fail(408), ModelUnreachable),
    (Fail(409), ModelUnreachable),
    (Fail(429), ModelBusy),
    (Fail(429, error_code="ramp_limit_exceeded"), ModelBusy),
    (Fail(500), ModelUnreachable),
    (Fail(502, page="<h1>Bad Gateway</h1>"), ModelUnreachable),
    (Fail(503), ModelUnreachable),
    (Fail(504), ModelUnreachable),
    (Fail(520, page=""), ModelUnreachable),
    (Fail(529), ModelBusy),
    (Abort(), ModelUnreachable),
    ([Open(), Abort()], ModelUnreachable),
    ([Start(), Abort()], ModelUnreachable),
    (Stall(), ModelUnreachable),
    ([Start(), Stall()], ModelUnreachable),
    (End(), ModelUnreachable),
    ([Start(), End()], ModelUnreachable),
    ([Think(), End()], ModelUnreachable),
    (Error("overloaded_error"), ModelBusy),
    ([Start(), Error("overloaded_error")], ModelBusy),
    ([Start(), Error("api_error")], ModelUnreachable),
    ([Start(), Error("rate_limit_error")], ModelBusy),
    ([Think(), Error("timeout_error")], ModelUnreachable),
    ([Start(), Error("an_error_of_next_year")], ModelUnreachable),
    ([Raw(b"<html>200 OK</html>"), End()], ModelUnreachable),
    ([Raw(b"event: message_start\ndata: {broken\n\n")], ModelUnreachable),
    ([Event("message_start", {"type": "message_start"})], ModelUnreachable),
    ([Raw(b'event: message_start\ndata: "\xff"\n\n')], ModelUnreachable),
]


@pytest.mark.parametrize(
    "answer",
    [
        *(Fail(529), Abort(), Stall(), [Start(), Stall()], [Think(), End()]),
        [Start(), Error("overloaded_error")],
    ],
    ids=str,
)
async def test_what_may_pass_is_tried_again(
    claude: ClaudeEmulator, model: ClaudeModel, answer: Answer
) -> None:
    claude.script(answer, "Here I am.")
    assert await text_of(model) == "Here I am."
    assert len(claude.requests) == 2


@pytest.mark.parametrize(
    ("answer", "kind"), [one for one in PASSING if "Stall" not in str(one)], ids=str
)
async def test_what_does_not_pass_is_named(
    claude: ClaudeEmulator,
    model: ClaudeModel,
    waits: Waits,
    answer: Step | Sequence[Step],
    kind: type[ModelError],
) -> None:
    def slow(_: object) -> Step | Sequence[Step]:
        waits.now += PATIENCE / 2
        return answer

    claude.always(slow)
    text, error = await broken(model)
    assert (text, type(error)) == ("", kind)
    assert len(claude.requests) == 2


@pytest.mark.parametrize("answer", [Fail(503), [Start(), Abort()]], ids=str)
async def test_what_does_not_pass_is_given_up(
    claude: ClaudeEmulator, model: ClaudeModel, waits: Waits, answer: Answer
) -> None:
    claude.always(answer)
    await broken(model)
    assert len(claude.requests) == MOST_TRIES
    assert waits.waits == [1.0, 2.0, 4.0, 8.0]


async def test_a_closed_port_is_tried_again(
    claude: ClaudeEmulator, model: ClaudeModel, waits: Waits
) -> None:
    await claude.refuse()
    _, error = await broken(model)
    assert type(error) is ModelUnreachable
    assert "ConnectError" in str(error)
    assert len(waits.waits) == MOST_TRIES - 1
    waits.meanwhile = claude.accept
    assert await text_of(model) != ""


async def test_retry_after_is_honoured(
    claude: ClaudeEmulator, model: ClaudeModel, waits: Waits
) -> None:
    claude.script(Fail(429, headers={"retry-after": "7"}), "Now.")
    assert await text_of(model) == "Now."
    assert 7 <= waits.waits[0] <= 8


async def test_retry_after_may_be_a_date(
    claude: ClaudeEmulator, model: ClaudeModel, waits: Waits
) -> None:
    dates = {
        "date": "Sun, 22 Nov 2026 12:00:00 GMT",
        "retry-after": "Sun, 22 Nov 2026 12:00:05 GMT",
    }
    claude.script(Fail(503, headers=dates), "Now.")
    assert await text_of(model) == "Now."
    assert 5 <= waits.waits[0] <= 6


@pytest.mark.parametrize(
    "told", ["soon", "nan", "inf", "", "Sun, 22 Nov 2026 12:00:05 -0000"]
)
async def test_a_retry_after_that_says_nothing_is_passed_over(
    claude: ClaudeEmulator, model: ClaudeModel, waits: Waits, told: str
) -> None:
    claude.script(Fail(429, headers={"retry-after": told}), "Now.")
    assert await text_of(model) == "Now."
    assert waits.waits == [1.0]


async def test_too_long_a_wait_is_told_instead_of_waited(
    claude: ClaudeEmulator, model: ClaudeModel, waits: Waits
) -> None:
    claude.script(Fail(429, headers={"retry-after": "3600"}))
    _, error = await broken(model)
    assert isinstance(error, ModelBusy)
    assert error.retry_after == 3600
    assert "in 60 minutes" in error.user_text
    assert waits.waits == []


# Patience, on paper

BUSY = Fault(ModelBusy("busy"), passing=True)


def test_the_wait_doubles() -> None:
    assert [pause(BUSY, tries, 0, 1.0) for tries in range(1, 6)] == [1, 2, 4, 8, None]


def test_chance_shortens_the_wait_by_up_to_a_half() -> None:
    assert pause(BUSY, 3, 0, 0.0) == 2
    assert pause(BUSY, 3, 0, 0.5) == 3


def test_chance_never_shortens_a_wait_that_was_asked_for() -> None:
    asked = replace(BUSY, retry_after=LONGEST_WAIT)
    assert pause(asked, 1, 0, 0.0) == LONGEST_WAIT
    assert pause(asked, 1, 0, 0.9) == LONGEST_WAIT + 0.9


def test_gives_up_when_the_wait_would_outlast_the_patience() -> None:
    assert pause(BUSY, 1, PATIENCE - 1, 1.0) == 1
    assert pause(BUSY, 2, PATIENCE - 1, 1.0) is None
    assert pause(replace(BUSY, retry_after=LONGEST_WAIT + 1), 1, 0, 1.0) is None


def test_what_does_not_pass_is_not_waited_for() -> None:
    assert pause(replace(BUSY, passing=False), 1, 0, 1.0) is None
