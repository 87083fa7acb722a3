"""What came of an answer in the requests before this one, and what may come yet. Pure.

There is more than one request where an answer pauses for the web, or a try fails.
"""

import re
from dataclasses import dataclass, field, replace

from anthropic.types import MessageParam

from bot.claude.cost import SEARCH_TOKENS
from bot.domain.completion import Call, Request, Usage

# The reason for stopping of an answer that wants to be asked for the rest, and how
# often it is: so many searches do not take one answer.
PAUSED = "pause_turn"
MOST_ROUNDS = 5


# What would be read as Markdown in a title, and what would end a link's address.
_MARKS = re.compile(r"[\[\]()<>`*_]")
_BREAKERS = re.compile(r"[\s()<>]")


class Sources:
    """What an answer cites, which its readers must be shown (Claude facts 1.8)."""

    def __init__(self) -> None:
        #: Titles by address, in the order of their first use.
        self._titles: dict[str, str] = {}

    def note(self, citation: object) -> None:
        """Take in one citation; those of no page on the web are left out."""
        url = str(getattr(citation, "url", "") or "")
        if url.startswith(("http://", "https://")):
            title = str(getattr(citation, "title", "") or url)
            plain = " ".join(_MARKS.sub(" ", title).split())
            address = _BREAKERS.sub(lambda m: f"%{ord(m[0]):02X}", url)
            self._titles.setdefault(address, plain or url)

    @property
    def listed(self) -> str:
        """A list of them in Markdown, to stand below the answer; "" for none."""
        lines = [f"- [{title}]({url})" for url, title in self._titles.items()]
        return "\n\nSources:\n" + "\n".join(lines) if lines else ""


@dataclass(slots=True)
class Rounds:
    """What came of an answer before the request that is made now."""

    said: list[MessageParam] = field(default_factory=list)
    #: What the rounds that paused used, in all.
    used: Usage = field(default_factory=Usage)
    #: What the tries that failed used, as far as the API said so.
    lost: Usage = field(default_factory=Usage)
    #: Every earlier request that may be billed: rounds and failed tries.
    calls: list[Call] = field(default_factory=list)
    #: The most tokens that the prompt of the next request has; None before any round.
    prompt: int | None = None
    sources: Sources = field(default_factory=Sources)

    def pause(self, call: Call, used: Usage, said: MessageParam) -> None:
        """Note a round that paused, of which the API reported `used`."""
        self.used += used
        self.calls.append(call)
        self.said.append(said)
        # Among the rest is the last reading of this round. What its searches found
        # may be read only by the next one.
        self.prompt = used.prompt + used.output + SEARCH_TOKENS * used.searches

    def lose(self, call: Call, said: Usage) -> None:
        """Note a try that failed and may be billed; the API reported `said` of it."""
        self.calls.append(call)
        self.lost += said

    def left(self, request: Request) -> Request:
        """What may still be searched and written for `request`: all rounds together
        keep to what one would have been allowed."""
        return replace(
            request,
            searches=request.searches - self.used.searches,
            max_tokens=request.max_tokens - self.used.output,
        )

    def go_on(self, request: Request, used: Usage, said: MessageParam) -> bool:
        """Whether there is a rest to ask for once a round has `used` so much in all
        and `said` that: something to go on from, and something left to spend."""
        return bool(
            said["content"]
            and len(self.said) < MOST_ROUNDS
            and used.searches < request.searches
            and used.output < request.max_tokens
        )
