"""Claude through the real SDK and real HTTP, in good days and in all the bad ones."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import date

import pytest

from bot.claude.client import ClaudeModel, client, connect
from bot.claude.errors import LONGEST_WAIT, MOST_TRIES, PATIENCE, Fault, pause
from bot.domain.completion import Call, ChatMessage, Report, Request, Usage
from bot.errors import (
    ConfigError,
    ModelBusy,
    ModelCut,
    ModelDenied,
    ModelError,
    ModelRejected,
    ModelUnreachable,
    PromptTooLong,
)
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import (
    PING,
    Abort,
    Answer,
    End,
    Error,
    Event,
    Fail,
    Hold,
    Open,
    Raw,
    Stall,
    Start,
    Step,
    Stop,
    Think,
)

KEY = "sk-ant-a-key-that-nobody-may-see"
SECRET = "the-prompt-that-nobody-may-see"
ASK = Request(
    model="claude-sonnet-5-5",
    system="You are kind.",
    messages=(ChatMessage("user", f"Hello? {SECRET}"),),
    max_tokens=1000,
)


class Waits:
    """Stands for time: every wait passes at once and is remembered."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.now = 0.0
        self.meanwhile: Callable[[], object] = lambda: None

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        done = self.meanwhile()
        if asyncio.iscoroutine(done):
            await done


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
async def claude() -> AsyncIterator[ClaudeEmulator]:
    async with ClaudeEmulator(api_key=KEY) as emulator:
        yield emulator


@pytest.fixture
async def model(claude: ClaudeEmulator, waits: Waits) -> AsyncIterator[ClaudeModel]:
    async with client(claude.api_key, claude.base_url, silence=0.3) as opened:
        yield ClaudeModel(
            opened, clock=waits.clock, sleep=waits.sleep, chance=lambda: 1.0
        )


async def said(model: ClaudeModel, request: Request = ASK) -> list[str | Report]:
    return [piece async for piece in model.answer(request)]


async def text_of(model: ClaudeModel, request: Request = ASK) -> str:
    return "".join(p for p in await said(model, request) if isinstance(p, str))


async def broken(model: ClaudeModel, request: Request = ASK) -> tuple[str, ModelError]:
    """The text before the answer failed, and what it failed with.

    No failure may tell the key or the prompt, not even to a tracker that follows
    the chain further than a log does.
    """
    text = ""
    try:
        async for piece in model.answer(request):
            text += piece if isinstance(piece, str) else ""
    except ModelError as failure:
        error = failure
    else:
        raise AssertionError(f"the answer did not fail: {text!r}")
    assert (error.__cause__, error.__context__) == (None, None)
    told = "".join(traceback.format_exception(error))
    assert SECRET not in told
    assert KEY not in told
    return text, error


# What is asked, and what comes back


async def test_the_request_is_the_prompt_and_the_two_breakpoints(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    conversation = (
        ChatMessage("user", "one"),
        ChatMessage("assistant", "two"),
        ChatMessage("user", "three"),
    )
    request = replace(ASK, messages=conversation, user="u_1", effort="low")
    await said(model, request)
    hour = {"type": "ephemeral", "ttl": "1h"}
    assert claude.requests[0].body == {
        "model": "claude-sonnet-5-5",
        "max_tokens": 1000,
        "stream": True,
        "cache_control": hour,
        "system": [{"type": "text", "text": "You are kind.", "cache_control": hour}],
        "messages": [
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "two"},
            {"role": "user", "content": "three"},
        ],
        "metadata": {"user_id": "u_1"},
        "output_config": {"effort": "low"},
    }


async def test_what_was_not_given_is_not_sent(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    await said(model, replace(ASK, system=""))
    assert set(claude.requests[0].body) == {
        "model",
        "max_tokens",
        "stream",
        "cache_control",
        "messages",
    }


async def test_text_comes_between_a_first_and_a_last_report(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    claude.script(["Hel", "lo"])
    first, *texts, last = await said(model)
    asked = 4 + 10  # characters over four: the system prompt, then what was said
    names, used = ("claude-sonnet-5-5",), Usage(asked, output=2)
    # Of an answer that has only begun, all that it may write may be billed.
    begun = Call(names, Usage(asked, output=ASK.max_tokens))
    assert first == Report(*names, "req_000001", Usage(asked, output=1), calls=(begun,))
    assert texts == ["Hel", "lo"]
    whole = (Call(names, used, exact=True),)
    assert last == Report(*names, "req_000001", used, "end_turn", whole)


async def test_thinking_and_pings_are_not_shown(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    claude.script([PING, Think("Hm.", tokens=7), PING, "Yes", PING, "."])
    *_, last = pieces = await said(model)
    assert [piece for piece in pieces if isinstance(piece, str)] == ["Yes", "."]
    assert isinstance(last, Report)
    assert last.usage.output == 7 + 1  # thinking is billed as output


UNKNOWN = [
    Event("weather", {"type": "weather", "sun": True}),
    Event("content_block_delta", {
        "type": "content_block_delta", "index": 0, "delta": {"type": "smell_delta"},
    }),
    Event("content_block_delta", {
        "type": "content_block_delta", "index": 0,
        "delta": {"type": "citations_delta", "citation": {"type": "x"}},
    }),
    Raw(b": a comment\n\n"),
    Raw(b"data: nameless\n\n"),
    Raw(b"event: empty\n\n"),
]  # fmt: skip


@pytest.mark.parametrize("event", UNKNOWN, ids=str)
async def test_events_from_the_future_are_passed_over(
    claude: ClaudeEmulator, model: ClaudeModel, event: Step
) -> None:
    claude.script(["Hel", event, "lo"])
    assert await text_of(model) == "Hello"
    assert len(claude.requests) == 1


async def test_an_event_from_the_future_may_come_first(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    claude.script([Event("weather", {"type": "weather"}), "Hello"])
    assert await text_of(model) == "Hello"


async def test_a_chunk_may_be_as_long_as_it_likes(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    long = "word and “ünïcode” 🧵\n" * 20_000
    claude.script(long)
    assert await text_of(model, replace(ASK, max_tokens=128_000)) == long


@pytest.mark.parametrize(
    ("steps", "text", "reason"),
    [
        ([Stop("refusal", {"type": "refusal", "category": "cyber"})], "", "refusal"),
        (["Well, ", Stop("refusal")], "Well, ", "refusal"),
        (["Half a", Stop("max_tokens")], "Half a", "max_tokens"),
        ([Think(), Stop("max_tokens")], "", "max_tokens"),
        ([Think(), ""], "", "end_turn"),
        (["So", Stop("model_context_window_exceeded")], "So",
         "model_context_window_exceeded"),
        (["So", Stop("a_reason_of_next_year")], "So", "a_reason_of_next_year"),
    ],
)  # fmt: skip
async def test_an_answer_says_how_it_ended(
    claude: ClaudeEmulator,
    model: ClaudeModel,
    steps: Sequence[Step],
    text: str,
    reason: str,
) -> None:
    claude.script(steps)
    *_, last = pieces = await said(model)
    assert "".join(piece for piece in pieces if isinstance(piece, str)) == text
    assert isinstance(last, Report)
    assert last.stop_reason == reason


async def test_max_tokens_bounds_the_answer(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    claude.script("four" * 10)
    *_, text, last = await said(model, replace(ASK, max_tokens=3))
    assert text == "four" * 3
    assert isinstance(last, Report)
    assert last.stop_reason == "max_tokens"


@pytest.mark.parametrize("end", [Abort(), Stall(), Error()], ids=str)
async def test_what_breaks_after_the_end_breaks_nothing(
    claude: ClaudeEmulator, model: ClaudeModel, end: Step
) -> None:
    claude.script(["Whole.", Stop(), end])
    assert await text_of(model) == "Whole."


async def test_answers_share_one_connection(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    for _ in range(5):
        await said(model)
    assert claude.connections == 1


# Failures that no second try can mend

FINAL: list[tuple[Answer, type[ModelError], str]] = [
    (Fail(401), ModelDenied, "ANTHROPIC_API_KEY"),
    (Fail(402), ModelDenied, "Billing"),
    (Fail(403), ModelDenied, "claude-sonnet-5-5"),
    (Fail(404), ModelDenied, "claude-sonnet-5-5"),
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
        (replace(ASK, model="claude-novel-9"), ModelDenied),
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


# Failures that may pass

PASSING: list[tuple[Answer, type[ModelError]]] = [
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


@pytest.mark.parametrize(("answer", "kind"), PASSING, ids=str)
async def test_what_may_pass_is_tried_again(
    claude: ClaudeEmulator, model: ClaudeModel, answer: Answer, kind: type[ModelError]
) -> None:
    claude.script(answer, "Here I am.")
    assert await text_of(model) == "Here I am."
    assert len(claude.requests) == 2


@pytest.mark.parametrize(
    ("answer", "kind"), [one for one in PASSING if "Stall" not in str(one)], ids=str
)
async def test_what_does_not_pass_is_given_up(
    claude: ClaudeEmulator,
    model: ClaudeModel,
    waits: Waits,
    answer: Answer,
    kind: type[ModelError],
) -> None:
    claude.always(answer)
    text, error = await broken(model)
    assert (text, type(error)) == ("", kind)
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


async def test_slow_failures_use_up_the_patience_with_fewer_tries(
    claude: ClaudeEmulator, model: ClaudeModel, waits: Waits
) -> None:
    def slow_failure(_: object) -> Step:
        waits.now += PATIENCE / 2
        return Fail(500)

    claude.always(slow_failure)
    _, error = await broken(model)
    assert type(error) is ModelUnreachable
    assert len(claude.requests) == 2


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
    assert waits.waits == []


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


# Hanging up


async def test_closing_the_answer_hangs_up(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    claude.script(["One", Hold(asyncio.Event())])
    async with aclosing(model.answer(ASK)) as pieces:
        async for piece in pieces:
            if piece == "One":
                break
    await claude.until(lambda: claude.disconnects == 1)


@pytest.mark.parametrize("steps", [[], [Start()], ["One"]], ids=str)
async def test_cancelling_hangs_up(
    claude: ClaudeEmulator, model: ClaudeModel, steps: list[Step]
) -> None:
    claude.script([*steps, Hold(asyncio.Event())])
    task = asyncio.create_task(said(model))
    await claude.until(lambda: len(claude.requests) == 1)
    if steps == ["One"]:
        await claude.until(lambda: claude.sent[0] != [])
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await claude.until(lambda: claude.disconnects == 1)
    assert await text_of(model) != ""


# What must not get out


@pytest.mark.parametrize(
    "answer",
    [
        Abort(),
        ["The ", Abort()],
        Fail(401, message=f"Invalid key {KEY}"),
        Fail(400, message=f"cannot read '{SECRET}'", type=SECRET, error_code=SECRET),
        Fail(422, page=f'{{"detail": [{{"input": "{SECRET} {KEY}"}}]}}'),
        Fail(500, page=f"Traceback: {SECRET}"),
        Error(message=SECRET),
        ["The ", Error(message=SECRET)],
    ],
    ids=str,
)
async def test_nothing_that_is_logged_tells_the_key_or_the_prompt(
    claude: ClaudeEmulator,
    model: ClaudeModel,
    answer: Answer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    claude.always(answer)
    await broken(model)
    assert caplog.records
    assert SECRET not in caplog.text
    assert KEY not in caplog.text


async def test_nothing_else_in_the_environment_counts(
    claude: ClaudeEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-other")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "other")
    monkeypatch.setenv("ANTHROPIC_PROFILE", "other")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv(
        "ANTHROPIC_CUSTOM_HEADERS",
        "authorization: Bearer other\nx-api-key: other\nX-Other: other",
    )
    async with connect(claude.api_key, claude.base_url) as model:
        assert await text_of(model) != ""
    headers = claude.requests[0].headers
    assert headers["authorization"] == f"Bearer {claude.api_key}"
    assert "x-api-key" not in headers
    assert "x-other" not in headers
    assert client("sk-ant", None).sdk.base_url.host == "api.anthropic.com"


@pytest.mark.parametrize("key", ["", "sk ant", "sk-ant\n", "sk-ant-…"])
async def test_a_key_that_cannot_be_one_is_the_operators_to_mend(key: str) -> None:
    with pytest.raises(ConfigError, match="ANTHROPIC_API_KEY") as caught:
        async with connect(key, None):
            pass
    assert not key or key not in str(caught.value)


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


# What caching is worth


async def test_every_turn_of_a_growing_thread_reads_what_the_last_one_wrote(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    thread: tuple[ChatMessage, ...] = ()
    usages: list[Usage] = []
    for turn in range(20):
        thread += (ChatMessage("user", f"Question {turn}. " + "More words. " * 30),)
        claude.script(f"Answer {turn}. " + "Other words. " * 40)
        pieces = await said(model, replace(ASK, messages=thread))
        answer = "".join(piece for piece in pieces if isinstance(piece, str))
        thread += (ChatMessage("assistant", answer),)
        last = pieces[-1]
        assert isinstance(last, Report)
        usages.append(last.usage)
    # Sonnet 5.5 caches nothing below 512 tokens, and says nothing about it.
    small = [usage for usage in usages if usage.prompt < 512]
    written, *warm = usages[len(small) :]
    assert 0 < len(small) < 5
    assert all(usage.cache_read == usage.cache_write_1h == 0 for usage in small)
    assert (written.cache_read, written.input) == (0, 0)
    for before, usage in zip([written, *warm], warm, strict=False):
        assert usage.cache_read == before.prompt
        assert usage.input == usage.cache_write_5m == 0
