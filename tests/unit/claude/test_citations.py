"""Citations of each shape that the SDK knows become numbered sources."""

import pytest
from anthropic import types

from bot.claude.citations import MOST_SOURCES, Sources, source_of
from bot.claude.request import document_options
from bot.domain.completion import ChatMessage, Request
from bot.text import file_lines

WEB = types.CitationsWebSearchResultLocation(
    cited_text="x",
    encrypted_index="Eo8B",
    title="The [news](x)",
    type="web_search_result_location",
    url="https://news.example/a b",
)
RESULT = types.CitationsSearchResultLocation(
    cited_text="x",
    end_block_index=1,
    search_result_index=0,
    source="wiki/Deploy",
    start_block_index=0,
    title=None,
    type="search_result_location",
)


def page(first: int, end: int, title: str | None = "report_*.pdf") -> object:
    return types.CitationPageLocation(
        cited_text="x",
        document_index=1,
        document_title=title,
        start_page_number=first,
        end_page_number=end,
        type="page_location",
    )


TEXT = types.CitationCharLocation(
    cited_text="x",
    document_index=2,
    document_title=None,
    start_char_index=0,
    end_char_index=9,
    type="char_location",
)
BLOCK = types.CitationContentBlockLocation(
    cited_text="x",
    document_index=3,
    document_title="notes.md",
    start_block_index=0,
    end_block_index=1,
    type="content_block_location",
)


def test_a_document_is_named_as_people_named_it() -> None:
    name = 'R&D &amp; "us" <x>.pdf'
    cited = page(1, 2, file_lines.title(name)).model_dump()  # type: ignore[attr-defined]
    sources = Sources()
    sources.cite([cited], "So.")
    assert sources.listed.endswith('1. R&D &amp; "us" x .pdf, page 1')


def test_each_source_has_one_number_and_one_line() -> None:
    sources = Sources()
    shapes = [WEB, page(3, 4), page(3, 6), TEXT, BLOCK, RESULT]
    told = [each.model_dump() for each in shapes]  # type: ignore[attr-defined]
    assert sources.cite(told[:2], "It is so.") == " [1] [2]"
    assert sources.cite(told[2:], "It is so.\n") == "[3] [4] [5] [6] "
    # The same again, and with another title.
    assert sources.cite([told[1], told[0] | {"title": "News"}], "So.") == " [1] [2]"
    assert sources.listed == (
        "\n\nSources:\n"
        "1. [The news x](https://news.example/a%20b)\n"
        "2. report_ .pdf, page 3\n"
        "3. report_ .pdf, pages 3–5\n"
        "4. Document 3\n"
        "5. notes.md\n"
        "6. wiki/Deploy"
    )


@pytest.mark.parametrize(
    "citation",
    [
        {"type": "x"},
        {},
        {"type": "page_location", "document_index": 0},
        {"type": "char_location", "document_index": None},
        {"type": "web_search_result_location"},
    ],
)
def test_what_is_no_known_citation_is_passed_over(citation: dict[str, object]) -> None:
    assert source_of(citation) is None
    assert Sources().cite([citation, None], "So.") == ""


def test_a_long_list_is_cut() -> None:
    sources = Sources()
    for nth in range(MOST_SOURCES + 2):
        url = {"url": f"https://{nth}.example", "title": "x"}
        sources.cite([{"type": "web_search_result_location"} | url], "So.")
    assert sources.listed.count("\n") == MOST_SOURCES + 4
    assert sources.listed.endswith("\n\n… and 2 more sources.")


def test_documents_are_cited_except_in_structured_answers() -> None:
    request = Request("m", "", (ChatMessage("user", "x"),), max_tokens=1)
    assert document_options(request) == {"citations": {"enabled": True}}
    structured = Request("m", "", request.messages, max_tokens=1, schema="{}")
    assert document_options(structured) == {}
