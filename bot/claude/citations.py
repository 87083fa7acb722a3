"""Numbers the sources that an answer cites, and lists them below it. Pure.

Pages from a web search must be shown with the text that is based on them (Claude facts
1.8). Documents are cited by title and page (Claude facts 1.7).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.messages import controls as messages
from bot.text import file_lines

#: The most sources of one answer that are numbered and listed; further ones are
#: counted.
MOST_SOURCES = 20

# The longest title in the list. Anybody can write the title of a web page.
TITLE_CHARS = 150

# Characters that Markdown would interpret in a title, and characters that would end the
# address of a link.
_MARKS = re.compile(r"[\[\]()<>`*_]")
_BREAKERS = re.compile(r"[\s()<>]")
_TEXT_MARKS = re.compile(r"[\[\]<>`*]")


@dataclass(frozen=True, slots=True)
class Source:
    """A cited source. Citations with the same values are one source."""

    #: One line, without Markdown.
    title: str
    #: The address of a web page; "" for a document.
    url: str = ""
    #: The number of the document in the request, counted from 0; None for a web page.
    document: int | None = None
    #: The first and the last page; 0 if the document has no pages.
    pages: tuple[int, int] = (0, 0)

    @property
    def line(self) -> str:
        """The source as Markdown."""
        first, last = self.pages
        if self.url:
            return f"[{self.title}]({self.url})"
        if not first:
            return self.title
        if first == last:
            return messages.on_page(title=self.title, page=first)
        return messages.on_pages(title=self.title, first=first, last=last)


def source_of(citation: Mapping[str, object]) -> Source | None:
    """Return the source of one citation of the API.

    None for a kind that is not shown, and for a citation without the fields of its
    kind.
    """
    match citation.get("type"):
        case "web_search_result_location":
            return _page(citation.get("url"), citation.get("title"))
        case "search_result_location":
            return _page(citation.get("source"), citation.get("title"))
        # A page that was fetched (`Sources.add_page`).
        case "page_location" | "char_location" if citation.get("source"):
            return _page(citation["source"], citation.get("document_title"))
        case "page_location":
            first = citation.get("start_page_number")
            # The API names the page after the last one.
            end = citation.get("end_page_number")
            if isinstance(first, int) and isinstance(end, int):
                return _document(citation, (first, max(first, end - 1)))
        case "char_location" | "content_block_location":
            return _document(citation, (0, 0))
    return None


class Sources:
    """The sources of one answer, numbered in the order of their first citation."""

    def __init__(self) -> None:
        #: Numbers by address, or by the shown source if it has none.
        self._numbers: dict[Source | str, int] = {}
        self._listed: list[Source] = []
        #: The addresses of fetched pages, by title, because citations lack them; "" for
        #: the title of several pages.
        self._pages: dict[str, str] = {}

    def add_page(self, title: str, url: str) -> None:
        """Take a fetched page, which later passages may cite."""
        known = self._pages.setdefault(title, url)
        self._pages[title] = url if known == url else ""

    def cite(self, citations: Sequence[object], text: str) -> str:
        """Return the numbers of the sources that a passage cites.

        For example " [1] [2]"; "" for none. They follow `text`, the end of the passage.
        """
        found: dict[int, None] = {}
        for each in citations:
            source = self._source(each) if isinstance(each, Mapping) else None
            if source is None:
                continue
            # Another citation may give the same page another title.
            key = source.url or source
            if key not in self._numbers:
                self._numbers[key] = len(self._numbers) + 1
                self._listed += [source] if len(self._listed) < MOST_SOURCES else []
            found[self._numbers[key]] = None
        numbers = " ".join(f"[{n}]" for n in sorted(found) if n <= MOST_SOURCES)
        if not numbers:
            return ""
        return f"{numbers} " if text[-1:].isspace() else f" {numbers}"

    def _source(self, citation: Mapping[str, object]) -> Source | None:
        if "document_index" in citation:
            url = self._pages.get(str(citation.get("document_title") or ""))
            citation = {**citation, "source": url}
        return source_of(citation)

    @property
    def listed(self) -> str:
        """A Markdown list to append to the answer; "" without sources."""
        if not self._listed:
            return ""
        lines = [f"{n}. {each.line}" for n, each in enumerate(self._listed, 1)]
        if more := len(self._numbers) - len(self._listed):
            lines.append(f"\n{messages.more_sources(count=more)}")
        return "\n".join(["", "", messages.SOURCES, *lines])


def _page(url: object, title: object) -> Source | None:
    """Return a web page, or a search result without an address."""
    address = str(url or "")
    if not address.startswith(("http://", "https://")):
        shown = _plain(title or url, _TEXT_MARKS)
        return Source(shown) if shown else None
    encoded = _BREAKERS.sub(lambda match: f"%{ord(match[0]):02X}", address)
    return Source(_plain(title, _MARKS) or encoded, encoded)


def _document(citation: Mapping[str, object], pages: tuple[int, int]) -> Source | None:
    index = citation.get("document_index")
    if not isinstance(index, int):
        return None
    title = _plain(file_lines.name_in(citation.get("document_title")), _TEXT_MARKS)
    return Source(
        title or messages.document(number=index + 1), document=index, pages=pages
    )


def _plain(text: object, marks: re.Pattern[str]) -> str:
    words = " ".join(marks.sub(" ", str(text or "")).split())
    return words if len(words) <= TITLE_CHARS else f"{words[: TITLE_CHARS - 1]}…"
