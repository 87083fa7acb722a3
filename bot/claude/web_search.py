"""State of an answer that takes several requests, and the sources that it cites. Pure.

An answer takes more than one request if it pauses for a web search or an attempt fails.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from anthropic.types import MessageParam

from bot.claude.cost import SEARCH_TOKENS
from bot.domain.completion import Call, Request, Usage
from bot.messages.controls import SOURCES

# The stop reason of an answer that is to be continued, and how often we continue it: no
# answer needs that many searches.
PAUSED = "pause_turn"
MOST_ROUNDS = 5


# What would be read as Markdown in a title, and what would end the address of a link.
_MARKS = re.compile(r"[\[\]()<>`*_]")
_BREAKERS = re.compile(r"[\s()<>]")


class Sources:
    """The pages that an answer cites; they must be shown (Claude facts 1.8)."""

    def __init__(self) -> None:
        #: Titles by address, in order of first use.
        self._titles: dict[str, str] = {}

    def add(self, citation: Mapping[str, object]) -> None:
        """Add one citation, unless it is of something else than a web page."""
        url = str(citation.get("url") or "")
        if url.startswith(("http://", "https://")):
            title = str(citation.get("title") or url)
            plain = " ".join(_MARKS.sub(" ", title).split())
            address = _BREAKERS.sub(lambda m: f"%{ord(m[0]):02X}", url)
            self._titles.setdefault(address, plain or url)

    @property
    def listed(self) -> str:
        """Return a Markdown list to append to the answer, or "" without sources."""
        lines = [f"- [{title}]({url})" for url, title in self._titles.items()]
        return f"\n\n{SOURCES}\n" + "\n".join(lines) if lines else ""


@dataclass(slots=True)
class Rounds:
    """Everything that an answer used before the request that is made now."""

    #: The text of the rounds that paused.
    messages: list[MessageParam] = field(default_factory=list)
    #: Usage of the rounds that paused, in total.
    used: Usage = field(default_factory=Usage)
    #: Usage of the failed attempts, as far as the API reported it.
    lost: Usage = field(default_factory=Usage)
    #: Every earlier request that may be billed: rounds and failed attempts.
    calls: list[Call] = field(default_factory=list)
    #: The most tokens of the next request's prompt; None before the first round.
    prompt: int | None = None
    sources: Sources = field(default_factory=Sources)

    def pause(self, call: Call, used: Usage, message: MessageParam) -> None:
        """Record a round that paused after `message`, with the reported usage."""
        self.used += used
        self.calls.append(call)
        self.messages.append(message)
        # `used.prompt` includes the last reading of this round. Search results may be
        # read only by the next round.
        self.prompt = used.prompt + used.output + SEARCH_TOKENS * used.searches

    def lose(self, call: Call, used: Usage) -> None:
        """Record a failed attempt that may be billed, with the reported usage."""
        self.calls.append(call)
        self.lost += used

    def left(self, request: Request) -> Request:
        """Return `request` with the searches and tokens that are left: all rounds
        together keep to the limits of one."""
        return replace(
            request,
            searches=request.searches - self.used.searches,
            max_tokens=request.max_tokens - self.used.output,
        )

    def continues(self, request: Request, used: Usage, message: MessageParam) -> bool:
        """Return whether to ask for the rest after a round that wrote `message`, with
        `used` in total: there is something to continue, and something left to use."""
        return bool(
            message["content"]
            and len(self.messages) < MOST_ROUNDS
            and used.searches < request.searches
            and used.output < request.max_tokens
        )
