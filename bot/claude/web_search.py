"""The state of an answer that takes several requests. Pure.

An answer takes more than one request if it pauses for a tool or an attempt fails.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from anthropic.types import MessageParam

from bot.claude.citations import Sources
from bot.claude.cost import MCP_TOKENS, tool_tokens
from bot.claude.stream import StreamedMessage
from bot.domain.completion import Call, Request, Usage
from bot.domain.mcp import ToolCall

# The stop reason of an answer that has to be continued, and how often we continue it:
# no answer needs that many searches.
PAUSED = "pause_turn"
MOST_ROUNDS = 5

_SPACE = re.compile(r"\s")


@dataclass(slots=True)
class Rounds:
    """The usage and text of an answer before the current request."""

    #: The messages of the rounds that paused.
    messages: list[MessageParam] = field(default_factory=list)
    #: Usage of the rounds that paused, in total.
    used: Usage = field(default_factory=Usage)
    #: Usage of the failed attempts, as far as the API reported it.
    lost: Usage = field(default_factory=Usage)
    #: Every earlier request that may be billed: rounds and failed attempts.
    calls: list[Call] = field(default_factory=list)
    #: The most tokens of the next request's prompt; None before the first round.
    prompt: int | None = None
    #: The container in which code of the rounds ran; "" for none.
    container: str = ""
    sources: Sources = field(default_factory=Sources)
    #: Every call of an MCP server's tool, including calls of failed attempts.
    asked: tuple[ToolCall, ...] = ()
    #: The names of MCP servers that failed. The answer goes on without them.
    failed: tuple[str, ...] = ()
    #: The last character of the text so far, and whether a tool was used after it.
    last: str = ""
    is_broken: bool = False

    def join(self, text: str) -> str:
        """Return the next `text` of the answer as it is appended to the text so far.

        What is said before and after the use of a tool are two paragraphs, but the API
        puts nothing between them.
        """
        joins = f"{self.last}{text[:1]}"
        apart = self.is_broken and len(joins) == 2 and not _SPACE.search(joins)
        self.last, self.is_broken = text[-1:], False
        return f"\n\n{text}" if apart else text

    def pause(
        self, call: Call, used: Usage, message: StreamedMessage, made: MessageParam
    ) -> None:
        """Record a round that paused after `message`, with the reported usage.

        The message is sent back as `made`.
        """
        self.used += used
        self.calls.append(call)
        self.messages.append(made)
        self.asked += message.calls
        self.container = message.container or self.container
        # `used.prompt` includes the last reading of this round. The results of tools
        # may be read only by the next round.
        found = sum(tool_tokens(used)) + len(message.calls) * MCP_TOKENS
        self.prompt = used.prompt + used.output + found

    def lose(self, call: Call, used: Usage) -> None:
        """Record a failed attempt that may be billed, with the reported usage."""
        self.calls.append(call)
        self.lost += used

    def restart(self, failed: Sequence[str]) -> None:
        """Begin the answer again without the MCP servers called `failed`.

        No text was yielded so far. The paused rounds are dropped, because they mention
        these servers.
        """
        self.failed += tuple(failed)
        self.lost += self.used
        self.used, self.prompt, self.container = Usage(), None, ""
        self.messages.clear()

    def left(self, request: Request) -> Request:
        """Return `request` with the remaining uses of tools and the remaining tokens.

        All rounds together keep to the limits of one request. A tool that is used up
        may be used once more in each further round: without the tool, the API could not
        read what the rounds say about it.
        """
        return replace(
            request,
            searches=_uses_left(request.searches, self.used.searches),
            fetches=_uses_left(request.fetches, self.used.fetches),
            max_tokens=request.max_tokens - self.used.output,
            container=self.container,
        )

    def continues(self, request: Request, used: Usage, message: MessageParam) -> bool:
        """Return whether to continue the answer after a round that wrote `message`.

        It is continued if the round wrote anything and some of the limits are left.
        `used` is the usage in total.
        """
        return bool(
            message["content"]
            and len(self.messages) < MOST_ROUNDS
            and used.output < request.max_tokens
            # Filtering by code pauses an answer whatever is left. So do calls of MCP
            # servers, whose number has no limit.
            and (request.filters or request.servers or _has_uses_left(request, used))
        )


def _uses_left(allowed: int, used: int) -> int:
    return max(1, allowed - used) if allowed else 0


def _has_uses_left(request: Request, used: Usage) -> bool:
    return used.searches < request.searches or used.fetches < request.fetches
