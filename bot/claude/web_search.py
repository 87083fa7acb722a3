"""State of an answer that takes several requests. Pure.

An answer takes more than one request if it pauses for a web search or an attempt fails.
"""

from dataclasses import dataclass, field, replace

from anthropic.types import MessageParam

from bot.claude.citations import Sources
from bot.claude.cost import SEARCH_TOKENS
from bot.domain.completion import Call, Request, Usage

# The stop reason of an answer that is to be continued, and how often we continue it: no
# answer needs that many searches.
PAUSED = "pause_turn"
MOST_ROUNDS = 5


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
