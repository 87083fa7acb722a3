"""Settings become parameters of the request, through the real SDK."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.claude import model_list
from bot.claude.catalog import MODELS, ModelAvailability, refused
from bot.claude.client import ClaudeModel, client, connect
from bot.domain.completion import ChatMessage, Report, Request
from bot.errors import ModelDenied, ModelRejected
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Fail, Search, Stop

ASK = Request(
    model="claude-sonnet-5-5",
    system="You are kind.",
    messages=(ChatMessage("user", "What is new?"),),
    max_tokens=1000,
)
WARM = replace(ASK, model="claude-sonnet-4-6", temperature=0.2)


@pytest.fixture
async def claude() -> AsyncIterator[ClaudeEmulator]:
    async with ClaudeEmulator() as emulator:
        yield emulator


@pytest.fixture
async def model(claude: ClaudeEmulator) -> AsyncIterator[ClaudeModel]:
    async with connect(claude.api_key, claude.base_url) as opened:
        yield opened


async def answered(model: ClaudeModel, request: Request) -> tuple[str, Report]:
    """Return the text of an answer, and its last report."""
    text, last = "", None
    async for piece in model.answer(request):
        if isinstance(piece, Report):
            last = piece
        else:
            assert last is None or last.stop_reason is None, "words after the end"
            text += piece
    assert last is not None
    return text, last


async def test_without_settings_nothing_more_is_sent(
    model: ClaudeModel, claude: ClaudeEmulator
) -> None:
    await answered(model, ASK)
    [asked] = claude.requests
    assert asked.headers["anthropic-version"] == "2026-10-21"
    assert not {"temperature", "stop_sequences", "tools"} & asked.body.keys()


async def test_a_temperature_goes_by_the_older_version(
    model: ClaudeModel, claude: ClaudeEmulator
) -> None:
    await answered(model, WARM)
    [asked] = claude.requests
    assert asked.headers["anthropic-version"] == "2023-06-01"
    assert asked.body["temperature"] == 0.2
    assert asked.headers["authorization"] == f"Bearer {claude.api_key}"


async def test_where_it_is_not_taken_the_api_refuses_it(model: ClaudeModel) -> None:
    with pytest.raises(ModelRejected, match="temperature"):
        await answered(model, replace(WARM, model="claude-sonnet-5-5"))
    with pytest.raises(ModelRejected, match="temperature"):
        await answered(model, replace(WARM, temperature=1.5))


async def test_an_answer_ends_at_a_stop_sequence(
    model: ClaudeModel, claude: ClaudeEmulator
) -> None:
    claude.script("One. STOP Two. END")
    text, last = await answered(model, replace(ASK, stop_sequences=("END", "STOP")))
    assert (text, last.stop_reason) == ("One. ", "stop_sequence")
    assert claude.requests[0].body["stop_sequences"] == ["END", "STOP"]


PAGES = [("The [news](x)", "https://news.example/1"), ("", "https://b.example/2")]


async def test_sources_stand_below_an_answer_that_searched(
    model: ClaudeModel, claude: ClaudeEmulator
) -> None:
    claude.script([Search("new", PAGES, "This is new."), Search("more", PAGES[:1])])
    text, last = await answered(model, replace(ASK, searches=5))
    assert text == (
        "This is new. [1] [2]\n\nSources:\n1. [The news x](https://news.example/1)\n"
        "2. [https://b.example/2](https://b.example/2)"
    )
    assert last.usage.searches == 2
    assert last.stop_reason == "end_turn"
    [tool] = claude.requests[0].body["tools"]
    assert (tool["name"], tool["max_uses"]) == ("web_search", 5)


async def test_without_a_search_there_are_no_sources(
    model: ClaudeModel, claude: ClaudeEmulator
) -> None:
    claude.script("I know that.")
    text, last = await answered(model, replace(ASK, searches=5))
    assert (text, last.usage.searches) == ("I know that.", 0)


async def test_an_answer_that_pauses_goes_on(
    model: ClaudeModel, claude: ClaudeEmulator
) -> None:
    claude.script(
        [Search("a", PAGES[:1], "First. "), Stop("pause_turn")],
        [Search("b", PAGES[1:], "Then."), Stop()],
    )
    text, last = await answered(model, replace(ASK, searches=5))
    assert text.startswith("First. [1] Then. [2]\n\nSources:\n1. ")
    first, second = claude.requests
    assert second.body["messages"][:-1] == first.body["messages"]
    handed_back = second.body["messages"][-1]
    assert handed_back["role"] == "assistant"
    use, result, text_block = handed_back["content"]
    assert use["input"] == {"query": "a"}
    assert (use["type"], use["id"]) == ("server_tool_use", result["tool_use_id"])
    title, url = PAGES[0]
    assert result["content"] == [
        {
            "type": "web_search_result",
            "title": title,
            "url": url,
            "encrypted_content": "EqQB",
            "page_age": None,
        }
    ]
    assert text_block["text"] == "First. "
    assert text_block["citations"][0]["encrypted_index"] == "Eo8B"
    # Both rounds are paid for, as one answer.
    assert last.usage.searches == 2
    assert first.usage is not None
    assert second.usage is not None
    assert last.usage.prompt == first.usage.prompt + second.usage.prompt


async def test_a_round_that_was_completed_is_paid_for_once_and_not_lost(
    model: ClaudeModel, claude: ClaudeEmulator
) -> None:
    claude.script([Search("a", PAGES[:1]), Stop("pause_turn")], Fail(529), "Then.")
    text, last = await answered(model, replace(ASK, searches=5))
    assert text == "Then."
    first, _, third = claude.requests
    assert first.usage is not None
    assert third.usage is not None
    assert last.usage.searches == 1
    assert last.usage.prompt == first.usage.prompt + third.usage.prompt
    assert len(third.body["messages"]) == len(first.body["messages"]) + 1


async def test_an_address_with_brackets_stays_one(
    model: ClaudeModel, claude: ClaudeEmulator
) -> None:
    page = ("Python", "https://en.example/Python_(language)")
    claude.script([Search("python", [page], "A language.")])
    text, _ = await answered(model, replace(ASK, searches=1))
    assert "(https://en.example/Python_%28language%29)" in text


async def test_all_rounds_keep_to_what_one_was_allowed(
    model: ClaudeModel, claude: ClaudeEmulator
) -> None:
    claude.always([Search("a", PAGES[:1], "On. "), Stop("pause_turn")])
    text, last = await answered(model, replace(ASK, searches=3))
    assert text.count("On. ") == len(claude.requests) == 3
    allowed = [each.body["tools"][0]["max_uses"] for each in claude.requests]
    assert allowed == [3, 2, 1]
    rooms = [each.body["max_tokens"] for each in claude.requests]
    assert rooms[0] == 1000
    assert rooms == sorted(rooms, reverse=True)
    assert last.usage.searches == 3
    assert last.stop_reason == "pause_turn"


async def test_a_pause_without_words_or_searches_is_the_end(
    model: ClaudeModel, claude: ClaudeEmulator
) -> None:
    claude.script(Stop("pause_turn"))
    text, last = await answered(model, replace(ASK, searches=3))
    assert (text, last.stop_reason) == ("", "pause_turn")
    assert len(claude.requests) == 1


async def test_a_list_that_makes_no_sense_ends_nothing(claude: ClaudeEmulator) -> None:
    claude.models["claude-opus-5"] = {"retires_at": "soon", "lifecycle": None}
    survey = await model_list.check_models(claude.api_key, claude.base_url)
    assert survey is not None
    assert "claude-opus-5" not in survey.retires
    assert survey.retired == frozenset()


async def test_a_prompt_is_counted_as_it_would_be_sent(
    model: ClaudeModel, claude: ClaudeEmulator
) -> None:
    count = await model.count(replace(ASK, searches=5))
    assert count > 0
    [asked] = claude.requests
    assert asked.path == "/v1/messages/count_tokens"
    assert asked.body["tools"][0]["name"] == "web_search"


async def test_what_cannot_be_counted_is_a_model_error(
    model: ClaudeModel, claude: ClaudeEmulator
) -> None:
    with pytest.raises(ModelRejected):
        await model.count(replace(ASK, messages=()))
    with pytest.raises(ModelDenied):
        await model.count(replace(ASK, model="claude-nonsense"))


async def test_a_start_learns_which_models_there_are(claude: ClaudeEmulator) -> None:
    claude.models["claude-opus-5"] = {"lifecycle": "retired"}
    claude.models["claude-sonnet-4-6"] = {"retires_at": "2027-02-20T00:00:00Z"}
    claude.models["claude-opus-6"] = {}
    claude.hidden.add("claude-haiku-4-5")
    survey = await model_list.check_models(claude.api_key, claude.base_url)
    assert survey is not None
    assert survey.retired == {"claude-opus-5"}
    assert survey.unlisted == {"claude-haiku-4-5"}
    assert str(survey.retires["claude-sonnet-4-6"]) == "2027-02-20"
    assert survey.unknown == ("claude-opus-6",)


async def test_all_pages_of_a_long_list_are_read(claude: ClaudeEmulator) -> None:
    names = [f"claude-new-{number:02}" for number in range(50)]
    claude.models.update({name: {} for name in names})
    survey = await model_list.check_models(claude.api_key, claude.base_url)
    assert survey is not None
    assert survey.unknown == (*names,)
    assert len(claude.requests) > 2


async def test_a_dated_id_is_the_model_of_that_name(claude: ClaudeEmulator) -> None:
    claude.hidden.add("claude-haiku-4-5")
    claude.models["claude-haiku-4-5-20251001"] = {}
    survey = await model_list.check_models(claude.api_key, claude.base_url)
    assert survey is not None
    assert survey.unlisted == frozenset()
    assert survey.unknown == ()


async def test_where_nothing_can_be_learnt_nothing_is_said(
    claude: ClaudeEmulator,
) -> None:
    assert await model_list.check_models("sk-ant-wrong", claude.base_url) is None
    assert await model_list.check_models("sk-ant-x", "http://127.0.0.1:1") is None
    assert await model_list.check_models("", None) is None


def test_nothing_learnt_refuses_nothing() -> None:
    assert all(refused(model, ModelAvailability()) == "" for model in MODELS)


async def test_a_gateway_that_refuses_betas_still_lists_models(
    claude: ClaudeEmulator,
) -> None:
    claude.refuses_betas = True
    survey = await model_list.check_models(claude.api_key, claude.base_url)
    assert survey is not None
    assert not survey.unlisted


async def test_as_many_answers_as_the_operator_allows_are_read_at_once() -> None:
    async with client("sk-ant-1", None) as opened:
        transport: Any = opened.sdk._client._transport
        async with transport.get_client() as session:
            connector = session.connector
            assert (connector.limit, connector.limit_per_host) == (0, 0)
