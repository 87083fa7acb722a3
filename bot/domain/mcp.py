"""Remote MCP servers, the tools they list, and calls of their tools. Frozen values.

Rule: no value holds a token.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

from bot.domain.scope import Scope


@dataclass(frozen=True, slots=True)
class McpServer:
    """A server that the operator offers."""

    #: The name in settings, in the API and in the log.
    name: str
    #: The name shown to people.
    label: str
    url: str
    #: The tools that Claude may use; all others are off.
    tools: tuple[str, ...]
    #: The scopes in which admins may switch the server on; empty for all.
    places: frozenset[Scope] = frozenset()

    def is_offered(self, place: Scope) -> bool:
        """Return whether the server is offered in `place` or in any scope within it."""
        return not self.places or any(
            each.holds(place) or place.holds(each) for each in self.places
        )

    def is_allowed(self, place: Scope) -> bool:
        """Return whether the server may be used in `place`."""
        return not self.places or any(each.holds(place) for each in self.places)


@dataclass(frozen=True)
class Listing:
    """The definitions of a server's tools, as the server listed them."""

    server: str
    url: str
    #: A JSON array of objects with `name`, `description` and `input_schema`.
    tools: str
    #: Seconds since 1970.
    at: float = field(default=0.0, compare=False)

    @cached_property
    def digest(self) -> str:
        """A hash of everything in the listing that Claude reads."""
        text = f"{self.server}\n{self.url}\n{self.tools}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class RequestServer:
    """A server of one request."""

    name: str
    label: str
    url: str
    #: The tools that are on.
    tools: tuple[str, ...]
    #: The definitions of the tools, as in `Listing.tools`; "" to request them from the
    #: server.
    listing: str = ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a server's tool."""

    #: The server's name.
    server: str
    tool: str
    #: Whether the server answered with an error or did not answer.
    failed: bool = False
