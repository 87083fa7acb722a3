"""Failures of the API become errors, before, during and without an answer."""

from contextlib import suppress
from dataclasses import replace
from datetime import date

import pytest

from bot.claude.client import ClaudeModel
from bot.domain.completion import ChatMessage, Report, Request
from bot.errors import (
    ModelCut,
    ModelDenied,
    ModelError,
    ModelGone,
    ModelRejected,
    ModelUnreachable,
    PromptTooLong,
)
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import (
    Abort,
    Answer,
    End,
    Error,
    Event,
    Fail,
    Raw,
    Stall,
    Step,
)
from tests.support.claude_harness import (
    ASK,
    broken,
)

# Failures that no second try can mend

FINAL: list[tuple[Answer, type[ModelError], str]] = [
    (Fail(401), ModelDenied, "ANTHROPIC_API_KEY"),
    (Fail(402), ModelDenied, "Billing"),
    (Fail(403), ModelDenied, "claude-sonnet-5-5"),
    (Fail(404), ModelGone, "claude-sonnet-5-5"),
    (Fail(404, page="<h1>nginx</h1>"), ModelDenied, "ANTHROPIC_BASE_URL"),
    (Fail(429, error_code="enforced_spend_limit_reached"), ModelDenied, "spend limit"),
    (Fail(429, error_code="contract_spend_limit_reached"), ModelDenied, "spend limit"),
    (
        Fail(400, message="You have reached your specified API usage limits. You will"),
        ModelDenied,
        "spend limit",
    ),
    (
        Fail(400, message="Your credit balance is too low to access the API."),
        ModelDenied,
        "credit",
    ),
    (Fail(413), PromptTooLong, "413"),
    (Fail(413, page="<h1>cloudflare</h1>"), PromptTooLong, "413"),
    (
        Fail(400, message="prompt is too long: 1000001 tokens > 1000000 maximum"),
        PromptTooLong,
        "too long",
    ),
    (
        Fail(
            400,
            message="input length and `max_tokens` exceed context limit: 178959 + "
            "64000 > 200000, decrease input length or `max_tokens` and try again",
        ),
        PromptTooLong,
        "too long",
    ),
    (Fail(400, message="messages.3.content: no"), ModelRejected, "messages.3.content"),
    (Fail(422), ModelRejected, "422"),
    (Fail(418, page="a teapot"), ModelRejected, "418"),
    (Error("invalid_request_error"), ModelRejected, "invalid_request_error"),
    (Error("authentication_error"), ModelDenied, "ANTHROPIC_API_KEY"),
    (Fail(500, headers={"x-should-retry": "false"}), ModelUnreachable, "500"),
]


@pytest.mark.parametrize(("answer", "kind", "word"), FINAL, ids=str)
async def test_what_will_not_pass_is_said_at_once(
    claude: ClaudeEmulator,
    model: ClaudeModel,
    answer: Answer,
    kind: type[ModelError],
    word: str,
) -> None:
    claude.script(answer)
    text, error = await broken(model)
    assert (text, type(error)) == ("", kind)
    assert word in str(error)
    assert len(claude.requests) == 1


async def test_a_failure_names_the_request_for_those_who_ask_support(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    claude.script(Fail(400))
    _, error = await broken(model)
    assert "req_000001" in str(error)
    assert "invalid_request_error" in str(error)


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (replace(ASK, model="claude-novel-9"), ModelGone),
        (replace(ASK, messages=(ChatMessage("user", " "),)), ModelRejected),
        (replace(ASK, messages=(ChatMessage("user", "a"),
                                ChatMessage("assistant", "b"))), ModelRejected),
        (replace(ASK, max_tokens=128_001), ModelRejected),
        (replace(ASK, effort="heroic"), ModelRejected),
        (replace(ASK, model="claude-haiku-4-5", effort="low"), ModelRejected),
        (replace(ASK, model="claude-haiku-4-5",
                 messages=(ChatMessage("user", "long " * 200_000),)), PromptTooLong),
        (replace(ASK, messages=(ChatMessage("user", "half a pair: \ud83e"),)),
         ModelRejected),
    ],
)  # fmt: skip
async def test_the_api_refuses_what_it_would_refuse(
    model: ClaudeModel, request_: Request, kind: type[ModelError]
) -> None:
    _, error = await broken(model, request_)
    assert type(error) is kind


async def test_people_are_told_which_model_is_gone(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    retired = "claude-sonnet-4-5"
    claude.script(Fail(404))
    _, error = await broken(model, replace(ASK, model=retired))
    assert f"`{retired}`" in error.user_text


# Failures in the middle


@pytest.mark.parametrize(
    "end",
    [
        Error("overloaded_error"),
        Error("api_error"),
        Error("an_error_of_next_year"),
        End(),
        Abort(),
        Stall(),
        Raw(b"event: content_block_delta\ndata: {broken\n\n"),
        Raw(b'event: content_block_delta\ndata: "\xff"\n\n'),
        Raw(b"event: content_block_delta\ndata: 42\n\n"),
        Event("content_block_delta", {"type": "content_block_delta", "index": 9,
              "delta": {"type": "text_delta", "text": "lost"}}),
        Event("content_block_delta", {"type": "content_block_delta"}),
    ],
    ids=str,
)  # fmt: skip
async def test_what_breaks_in_the_middle_keeps_the_text_and_is_not_asked_again(
    claude: ClaudeEmulator, model: ClaudeModel, end: Step
) -> None:
    claude.script(["The capital of ", end])
    text, error = await broken(model)
    assert (text, type(error)) == ("The capital of ", ModelCut)
    assert len(claude.requests) == 1


async def test_what_was_billed_before_the_cut_is_known(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    claude.script(["The capital of ", Abort()])
    reports: list[Report] = []
    with suppress(ModelCut):
        async for piece in model.answer(ASK):
            reports += [piece] if isinstance(piece, Report) else []
    assert reports[-1].usage.input == 14
    assert reports[-1].stop_reason is None


# Looking before asking


async def test_an_accepted_model_is_described(model: ClaudeModel) -> None:
    status = await model.examine("claude-sonnet-5-5")
    assert status.standing == "accepted"
    assert (status.name, status.lifecycle) == ("Claude Sonnet 5.5", "active")
    assert status.retires is None


async def test_the_end_of_a_model_is_told(model: ClaudeModel) -> None:
    status = await model.examine("claude-sonnet-4-5")
    assert (status.lifecycle, status.retires) == ("deprecated", date(2026, 11, 30))


@pytest.mark.parametrize(
    ("answer", "standing", "word"),
    [
        (Fail(401), "denied", "ANTHROPIC_API_KEY"),
        (Fail(403), "denied", "claude-opus-5-5"),
        (Fail(404), "unknown", "claude-opus-5-5"),
        (Fail(404, page="<h1>nginx</h1>"), "denied", "ANTHROPIC_BASE_URL"),
        (Fail(200, page="<h1>Welcome</h1>"), "unreachable", "ANTHROPIC_BASE_URL"),
        (Fail(529), "unreachable", "overloaded"),
        (Fail(500), "unreachable", "500"),
    ],
    ids=str,
)
async def test_what_is_wrong_with_a_model_is_told(
    claude: ClaudeEmulator, model: ClaudeModel, answer: Answer, standing: str, word: str
) -> None:
    claude.script(answer)
    status = await model.examine("claude-opus-5-5")
    assert status.standing == standing
    assert word in status.reason
    assert len(claude.requests) == 1


async def test_a_closed_port_is_told(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    await claude.refuse()
    status = await model.examine("claude-sonnet-5-5")
    assert status.standing == "unreachable"
