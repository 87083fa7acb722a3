"""Search and fetch, which the API carries out: what is asked for, and what returns."""

from dataclasses import replace

import pytest

from bot.claude import cost
from bot.claude.citations import Sources
from bot.claude.client import ClaudeModel
from bot.domain.completion import Activity, ChatMessage, Report, Request
from bot.errors import ModelRejected
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Code, Event, Fetch, Search, Step, Stop, Think
from tests.support.claude_harness import ASK as BARE

LINK = "https://docs.page.example/a?b=1"
ASK = replace(
    BARE,
    messages=(
        ChatMessage("user", f"What does {LINK} say? And https://unreachable.example/?"),
        ChatMessage("assistant", "See https://invented.example/ for more."),
        ChatMessage("user", "Thanks, please read it."),
    ),
    fetches=3,
)
FILTERING = replace(ASK, searches=3, filters=True)
CAPABLE = {"capabilities": {"code_execution": {"supported": True}}}


async def answered(
    model: ClaudeModel, request: Request
) -> tuple[str, Report, list[Activity]]:
    """Return the text of an answer, its last report, and what went on meanwhile."""
    text, last, seen = "", None, []
    async for piece in model.answer(request):
        if not isinstance(piece, Report):
            text += piece
        elif piece.activity:
            seen.append(piece.activity)
        else:
            last = piece
    assert last is not None
    return text, last, seen


async def test_links_of_people_are_fetched_and_named(
    model: ClaudeModel, claude: ClaudeEmulator
) -> None:
    claude.script(Fetch(LINK, "On [b]", "It says b."))
    text, last, seen = await answered(model, ASK)
    assert text == f"It says b. [1]\n\nSources:\n1. [On b]({LINK})"
    assert (last.usage.fetches, last.usage.searches) == (1, 0)
    assert seen == [Activity("fetch", "docs.page.example")]
    [tool] = claude.requests[0].body["tools"]
    assert tool == {
        "type": "web_fetch_20250910",
        "name": "web_fetch",
        "max_uses": 3,
        "max_content_tokens": 20_000,
        "url_sources": {
            "user_input": {"type": "all"},
            "server_tool_results": {"type": "none"},
            "client_tool_results": {"type": "none"},
        },
        "citations": {"enabled": True},
    }


async def test_a_page_without_a_title_is_named_by_its_address(
    model: ClaudeModel, claude: ClaudeEmulator
) -> None:
    claude.script(Fetch(LINK, "", "It says b."))
    text, *_ = await answered(model, ASK)
    assert text == f"It says b. [1]\n\nSources:\n1. [{LINK}]({LINK})"


async def test_no_link_leads_to_another_page_with_the_same_title(
    model: ClaudeModel, claude: ClaudeEmulator
) -> None:
    other = "https://other.example/"
    claude.script([Fetch(LINK, "Docs"), Fetch(LINK, "Docs", "It says b.")])
    text, *_ = await answered(model, ASK)
    assert text.endswith(f"1. [Docs]({LINK})")
    sources = Sources()
    for url in (LINK, other, LINK):
        sources.add_page("Docs", url)
    cited = {"type": "char_location", "document_index": 0, "document_title": "Docs"}
    assert sources.cite([cited], "So.") == " [1]"
    assert sources.listed.endswith("\n1. Docs")


async def test_a_page_is_linked_in_the_round_after_it_was_fetched(
    model: ClaudeModel, claude: ClaudeEmulator
) -> None:
    citation = {"type": "char_location", "document_index": 0, "document_title": "On b"}
    delta = {"type": "citations_delta", "citation": citation}
    cited = {"type": "content_block_delta", "index": 0, "delta": delta}
    claude.script(
        [Fetch(LINK, "On b"), Stop("pause_turn")],
        ["It says b.", Event("content_block_delta", cited)],
    )
    text, *_ = await answered(model, ASK)
    assert text == f"It says b. [1]\n\nSources:\n1. [On b]({LINK})"


async def test_what_may_not_be_fetched_ends_in_an_error_that_nobody_sees(
    model: ClaudeModel, claude: ClaudeEmulator
) -> None:
    refused: list[Step] = [
        Fetch("https://invented.example/"),
        Fetch("https://unreachable.example/"),
        Fetch(LINK),
        Stop("pause_turn"),
    ]
    claude.script(refused, "I could read none of it.")
    hosts = ("unreachable.example", "invented.example")
    text, last, seen = await answered(model, replace(ASK, fetches=4, hosts=hosts))
    assert text == "I could read none of it."
    assert len(seen) == last.usage.fetches == 3
    # What paused is handed back as it came.
    blocks = claude.requests[1].body["messages"][-1]["content"]
    codes = [each["content"]["error_code"] for each in blocks if "content" in each]
    assert codes == [
        "url_not_in_prior_context",
        "url_not_accessible",
        "url_not_allowed",
    ]
    assert claude.requests[1].body["tools"][0]["max_uses"] == 1


@pytest.mark.parametrize(
    ("first", "then", "shown"),
    [
        ("I'll look.", "It says b.", "I'll look.\n\nIt says b. [1]"),
        ("I'll look:\n", "It says b.", "I'll look:\nIt says b. [1]"),
        ("The answer is", " b.", "The answer is b. [1]"),
        (Think(), "It says b.", "It says b. [1]"),
    ],
)
async def test_words_before_and_after_a_tool_do_not_run_into_each_other(
    model: ClaudeModel, claude: ClaudeEmulator, first: Step, then: str, shown: str
) -> None:
    sources = f"\n\nSources:\n1. [On b]({LINK})"
    claude.script([first, Fetch(LINK, "On b", then)])
    assert (await answered(model, ASK))[0] == shown + sources
    # The same in two rounds.
    claude.script([first, Fetch(LINK), Stop("pause_turn")], then)
    assert (await answered(model, ASK))[0] == shown.removesuffix(" [1]")


async def test_code_that_filters_goes_on_in_its_container_and_is_not_shown(
    model: ClaudeModel, claude: ClaudeEmulator
) -> None:
    claude.models[ASK.model] = CAPABLE
    inside: list[Search | Fetch] = [
        Search("b", [("B", "https://b.example/")]),
        Fetch(LINK),
    ]
    # One round for the code that is interrupted, one in which nothing is left.
    used: list[Step] = [Search("c"), Search("d"), Stop("pause_turn")]
    claude.script(
        ["Well. ", Code(inside, pending=True), Stop("pause_turn")],
        [Code(), *used],
        "It says b.",
    )
    text, last, seen = await answered(model, FILTERING)
    assert text == "Well. It says b."
    assert [each.kind for each in seen] == ["search", "fetch", "search", "search"]
    assert (last.usage.searches, last.usage.fetches) == (3, 1)
    first, second, third = (each.body for each in claude.questions)
    kinds = ["web_search_20260318", "web_fetch_20260318"]
    assert [[t["type"] for t in body["tools"]] for body in (first, third)] == [
        kinds
    ] * 2
    assert "container" not in first
    assert second["container"] == third["container"] == "container_01"
    replayed = [b["type"] for b in second["messages"][-1]["content"]]
    assert replayed == [
        "text",
        *("server_tool_use", "server_tool_use", "web_search_tool_result"),
        *("server_tool_use", "web_fetch_tool_result"),
    ]


async def test_a_model_whose_code_calls_no_tools_refuses_the_newest(
    model: ClaudeModel,
) -> None:
    with pytest.raises(ModelRejected, match=r"tools\.0"):
        await answered(model, FILTERING)


def test_what_may_be_read_again_counts() -> None:
    def most(request: Request) -> int:
        return cost.usage_ceiling(request, 1_000).prompt

    room = 1_000 + ASK.max_tokens
    found = (3 + 2 + 1) * cost.FETCH_TOKENS
    assert most(ASK) == 1_000 + 3 * room + found
    # The largest results first: fetches, then searches.
    both = replace(ASK, searches=1, fetches=1)
    found = 2 * cost.FETCH_TOKENS + cost.SEARCH_TOKENS
    assert most(both) == 1_000 + 2 * room + found
    filtering = replace(both, filters=True)
    found = 10 * (cost.FETCH_TOKENS + cost.SEARCH_TOKENS)
    assert most(filtering) == 1_000 + 10 * room + found
