"""Remote MCP servers: what is offered, what is asked for, and what was. Frozen values.

Rule: no value holds a token.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

from bot.domain.scope import Scope


@dataclass(frozen=True, slots=True)
class McpServer:
    """A server that the operator offers."""

    #: As settings, the API and the log have it.
    name: str
    #: As people see it.
    label: str
    url: str
    #: The tools that Claude may use; all others are off.
    tools: tuple[str, ...]
    #: Where admins may switch it on; empty for everywhere.
    places: frozenset[Scope] = frozenset()

    def is_offered(self, place: Scope) -> bool:
        """Return whether the operator offers it in `place`, or somewhere within it."""
        return not self.places or any(
            each.holds(place) or place.holds(each) for each in self.places
        )

    def is_allowed(self, place: Scope) -> bool:
        """Return whether it may be asked in `place`."""
        return not self.places or any(each.holds(place) for each in self.places)


@dataclass(frozen=True)
class Listing:
    """The definitions of a server's tools, as it listed them once."""

    server: str
    url: str
    #: A JSON array of objects with `name`, `description` and `input_schema`.
    tools: str
    #: Seconds since 1970.
    at: float = field(default=0.0, compare=False)

    @cached_property
    def digest(self) -> str:
        """A hash of everything that Claude is told."""
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
    #: Their definitions as in `Listing.tools`; "" to have the server asked for them.
    listing: str = ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a server's tool."""

    #: The server's name.
    server: str
    tool: str
    #: Whether the server answered with an error, or not at all.
    failed: bool = False
