"""What came of an answer before it paused for the web, and what may come yet. Pure."""

import re
from dataclasses import dataclass, field, replace

from anthropic.types import MessageParam

from bot.values import Request, Usage

# The reason for stopping of an answer that wants to be asked for the rest, and how
# often it is: so many searches do not take one answer.
PAUSED = "pause_turn"
MOST_ROUNDS = 5


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
            plain = " ".join(re.sub(r"[\[\]()<>`*_]", " ", title).split())
            # Brackets would end the link early.
            address = re.sub(r"[\s()<>]", lambda m: f"%{ord(m[0]):02X}", url)
            self._titles.setdefault(address, plain or url)

    @property
    def listed(self) -> str:
        """A list of them in Markdown, to stand below the answer; "" for none."""
        lines = [f"- [{title}]({url})" for url, title in self._titles.items()]
        return "\n\nSources:\n" + "\n".join(lines) if lines else ""


@dataclass(slots=True)
class Rounds:
    """What came of an answer before it paused."""

    said: list[MessageParam] = field(default_factory=list)
    used: Usage = field(default_factory=Usage)
    sources: Sources = field(default_factory=Sources)

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
