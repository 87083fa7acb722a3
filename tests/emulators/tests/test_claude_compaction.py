"""Compaction on demand, used through the SDK (claude 1.8)."""

import copy
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest

from tests.emulators.claude.compaction import BETA
from tests.emulators.claude.emulator import ClaudeEmulator

Body = dict[str, Any]

WORDS = "All of it in a few words. " * 40
CACHED: Body = {"type": "ephemeral", "ttl": "1h"}
TALK: list[Body] = [
    {"role": "user", "content": f"Hello! {WORDS * 10}"},
    {"role": "assistant", "content": "Good day."},
]
NEXT: Body = {"role": "user", "content": "And now?"}


@pytest.fixture
async def claude() -> AsyncIterator[ClaudeEmulator]:
    async with ClaudeEmulator() as emulator:
        yield emulator


@pytest.fixture
async def sdk(claude: ClaudeEmulator) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(
        api_key=claude.api_key, base_url=claude.base_url, max_retries=0
    ) as opened:
        yield opened


async def ask(
    sdk: anthropic.AsyncAnthropic, messages: list[Body], **fields: Any
) -> Any:
    given: Body = {"model": "claude-sonnet-5-5", "max_tokens": 99, "betas": [BETA]}
    return await sdk.beta.messages.create(**given | {"messages": messages} | fields)


async def compacted(claude: ClaudeEmulator, sdk: anthropic.AsyncAnthropic) -> Any:
    claude.script("They said hello.")
    return await ask(sdk, TALK, compaction={"type": "summarize"})


async def test_the_answer_is_one_block_whose_cost_is_in_the_iterations(
    claude: ClaudeEmulator, sdk: anthropic.AsyncAnthropic
) -> None:
    await ask(sdk, [*TALK, NEXT], cache_control=CACHED)
    claude.script("They said hello.")
    made = await ask(sdk, TALK, cache_control=CACHED, compaction={"type": "summarize"})
    [block] = made.content
    assert (made.stop_reason, block.type) == ("compaction", "compaction")
    assert block.content == "They said hello."
    assert (made.usage.input_tokens, made.usage.output_tokens) == (0, 0)
    [iteration] = made.usage.iterations
    assert (iteration.type, iteration.output_tokens) == ("compaction", 4)
    assert iteration.cache_creation_input_tokens > 2_000


async def test_what_it_made_stands_first_and_the_talk_goes_on(
    claude: ClaudeEmulator, sdk: anthropic.AsyncAnthropic
) -> None:
    block = (await compacted(claude, sdk)).content[0].to_dict()
    swapped = [{"role": "assistant", "content": [block]}, NEXT]
    answer = await ask(sdk, swapped)
    assert answer.content[0].text == "You said: And now?"
    # A second compaction, of messages that begin with a block.
    claude.script("They said more.")
    again = [*swapped, {"role": "assistant", "content": "Nothing."}]
    made = await ask(sdk, again, compaction={"type": "summarize"})
    assert made.content[0].content == "They said more."


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"content": "They said goodbye."}, "compaction_signature_invalid"),
        ({"signature": "made up"}, "compaction_signature_invalid"),
        ({"tool_changes": None}, "compaction_tool_changes_mismatch"),
    ],
)
async def test_a_block_is_sent_back_as_it_came(
    claude: ClaudeEmulator, sdk: anthropic.AsyncAnthropic, change: Body, code: str
) -> None:
    block = (await compacted(claude, sdk)).content[0].to_dict() | change
    with pytest.raises(anthropic.BadRequestError) as caught:
        await ask(sdk, [{"role": "assistant", "content": [block]}, NEXT])
    assert caught.value.error_code == code


async def test_a_block_is_for_one_model_and_for_the_first_place(
    claude: ClaudeEmulator, sdk: anthropic.AsyncAnthropic
) -> None:
    block = (await compacted(claude, sdk)).content[0].to_dict()
    first = {"role": "assistant", "content": [block]}
    for messages, fields, code in (
        ([first, NEXT], {"model": "claude-opus-5-5"}, "compaction_signature_invalid"),
        ([NEXT, first, NEXT], {}, "compaction_block_misplaced"),
        ([first, copy.deepcopy(first), NEXT], {}, "compaction_block_ambiguous"),
        (
            [first],
            {"compaction": {"type": "summarize"}},
            "compaction_nothing_to_summarize",
        ),
        (
            [first, NEXT],
            {"compaction": {"type": "summarize"}},
            "compaction_incomplete_turn",
        ),
        ([first, NEXT], {"betas": []}, None),
    ):
        with pytest.raises(anthropic.BadRequestError) as caught:
            await ask(sdk, messages, **fields)
        assert caught.value.error_code == code


@pytest.mark.parametrize(
    "fields",
    [
        {"stop_sequences": ["END"]},
        {"model": "claude-haiku-4-5"},
        {"betas": []},
        {"output_config": {"format": {"type": "json_schema", "schema": {}}}},
    ],
)
async def test_what_it_cannot_be_combined_with_is_refused(
    sdk: anthropic.AsyncAnthropic, fields: Body
) -> None:
    with pytest.raises(anthropic.BadRequestError):
        await ask(sdk, TALK, compaction={"type": "summarize"}, **fields)


async def test_only_under_the_beta_it_is_said_which_models_have_it(
    sdk: anthropic.AsyncAnthropic,
) -> None:
    listed = {each.id: each async for each in sdk.beta.models.list(betas=[BETA])}
    for model, has in (("claude-sonnet-5-5", True), ("claude-haiku-4-5", False)):
        capabilities = listed[model].capabilities
        assert capabilities is not None
        assert capabilities.compaction is not None
        assert capabilities.compaction.summarize.supported is has
    async for each in sdk.models.list():
        assert each.capabilities is None
