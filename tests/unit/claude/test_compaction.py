"""The API's own summary of a conversation: how it is asked for, paid and sent back."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.claude import cost
from bot.claude.client import ClaudeModel
from bot.claude.compaction import BETA
from bot.claude.model_list import availability
from bot.claude.request import parameters
from bot.domain.attachment import FileKind
from bot.domain.completion import (
    ChatMessage,
    Compaction,
    Report,
    Request,
    RequestFile,
    Usage,
)
from bot.errors import ModelError, ModelRejected
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Fail

SONNET, OPUS = "claude-sonnet-5-5", "claude-opus-5-5"
ASKED = ChatMessage("user", "Tell me of it. " * 400)
SAID = ChatMessage("assistant", "That is all.")
NEXT = ChatMessage("user", "And now?")
REQUEST = Request(
    SONNET, "Be kind.", (ASKED, SAID), 500, searches=2, stop_sequences=("END",)
)
COMPACTS = replace(REQUEST, compacts=True)


async def pieces(model: ClaudeModel, request: Request) -> list[str | Report]:
    return [each async for each in model.answer(request)]


async def compaction(claude: ClaudeEmulator, model: ClaudeModel) -> ChatMessage:
    """Return the message that stands for the conversation."""
    claude.script("It was told.")
    text, report = await pieces(model, COMPACTS)
    assert text == "It was told."
    assert isinstance(report, Report)
    return ChatMessage("user", "(told)", compaction=Compaction(SONNET, report.block))


def bodies(claude: ClaudeEmulator) -> list[dict[str, Any]]:
    return [each.body for each in claude.questions]


def test_a_block_gets_no_breakpoint() -> None:
    block = '{"type":"compaction","content":"Told.","signature":"s"}'
    told = ChatMessage("user", "(told)", compaction=Compaction(SONNET, block))
    files = tuple(
        RequestFile("a", str(n), FileKind.TEXT, "text/plain", 1, data=b"a")
        for n in range(20)
    )
    asked = ChatMessage("user", "And these?", files)
    sent = (told, ChatMessage("assistant", "Yes."), asked)
    first, *_ = parameters(replace(REQUEST, messages=sent))["messages"]
    assert first["content"] == [json.loads(block)]


async def test_it_reads_the_cache_and_is_booked_by_its_iterations(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    # The answer before has written the prefix.
    await pieces(model, replace(REQUEST, messages=(ASKED,)))
    claude.script("It was told.")
    _, report = await pieces(model, COMPACTS)
    assert isinstance(report, Report)
    assert report.usage.cache_read > 1_000
    assert report.usage.output == 3
    assert report.stop_reason == "compaction"
    bill = cost.bill(report, asked=True, at=1_800_000_000.0)
    assert (bill.usage, bill.bounded) == (report.usage, False)
    assert bill.cost is not None
    assert 0 < bill.cost < 0.001
    answered, compacted = bodies(claude)
    for field in ("system", "tools", "cache_control"):
        assert compacted[field] == answered[field]
    assert "stop_sequences" not in compacted
    assert "stream" not in compacted
    assert claude.questions[-1].headers["anthropic-beta"] == BETA


async def test_the_block_is_sent_back_as_it_came(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    first = await compaction(claude, model)
    claude.script("Fine.")
    assert "Fine." in await pieces(model, replace(REQUEST, messages=(first, NEXT)))
    sent = bodies(claude)[-1]["messages"]
    assert first.compaction is not None
    assert sent[0] == {
        "role": "assistant",
        "content": [json.loads(first.compaction.block)],
    }
    assert claude.questions[-1].headers["anthropic-beta"] == BETA


async def test_another_model_reads_the_text_that_stands_for_it(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    first = await compaction(claude, model)
    await pieces(model, replace(REQUEST, model=OPUS, messages=(first, SAID, NEXT)))
    assert bodies(claude)[-1]["messages"][0] == {"role": "user", "content": "(told)"}
    assert "anthropic-beta" not in claude.questions[-1].headers
    # And so does the count of tokens.
    assert await model.count(replace(REQUEST, messages=(first, SAID, NEXT))) > 0


async def test_a_block_that_is_refused_does_not_end_the_thread(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    first = await compaction(claude, model)
    assert first.compaction is not None
    broken = json.loads(first.compaction.block) | {"signature": "gone"}
    first = replace(first, compaction=Compaction(SONNET, json.dumps(broken)))
    claude.script("Fine.")
    request = replace(REQUEST, messages=(first, SAID, NEXT))
    assert "Fine." in await pieces(model, request)
    assert [each["messages"][0]["role"] for each in bodies(claude)[-2:]] == [
        "assistant",
        "user",
    ]


async def test_without_a_summary_there_is_no_block(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    claude.script("")
    [report] = await pieces(model, COMPACTS)
    assert isinstance(report, Report)
    assert (report.block, report.stop_reason) == ("", "compaction")
    assert report.usage.prompt > 1_000


@pytest.mark.parametrize(
    ("fail", "billed"),
    [
        (Fail(529, error_code="compaction_unavailable"), False),
        (Fail(400, error_code="compaction_content_mismatch"), False),
        (Fail(504), True),
        (Fail(502, page="<html>"), True),
    ],
)
async def test_what_fails_is_booked_if_it_may_be_billed(
    claude: ClaudeEmulator, model: ClaudeModel, fail: Fail, *, billed: bool
) -> None:
    claude.script(fail)
    found: list[str | Report] = []

    async def ask() -> None:
        async for each in model.answer(COMPACTS):
            found.append(each)

    with pytest.raises(ModelError):
        await ask()
    assert len(found) == billed
    for report in found:
        assert isinstance(report, Report)
        assert report.calls == (cost.planned_call(COMPACTS),)


async def test_an_answer_that_is_none_is_an_error(
    claude: ClaudeEmulator, model: ClaudeModel
) -> None:
    with pytest.raises(ModelRejected):
        # The last message is a question.
        await pieces(model, replace(COMPACTS, messages=(ASKED,)))


def test_the_most_that_it_costs_is_one_reading_without_tools() -> None:
    usage = cost.usage_ceiling(replace(COMPACTS, prompt_most=9_000))
    assert usage == Usage(cache_write_1h=9_000, output=500)


async def test_the_api_says_which_models_have_it(model: ClaudeModel) -> None:
    found = await availability(model)
    assert found is not None
    assert found.compaction[SONNET]
    assert not found.compaction["claude-haiku-4-5"]
