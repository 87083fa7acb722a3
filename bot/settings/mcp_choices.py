"""The option of MCP servers: its values, and the servers on offer. Pure.

Rule: an admin chooses, by name, among the servers that the operator offers in a scope.
No value includes servers that are added later.
"""

import re
from collections.abc import Sequence
from datetime import date

from bot.domain.mcp import McpServer
from bot.domain.scope import Scope
from bot.errors import Unacceptable
from bot.messages import mcp as messages
from bot.settings import parsers
from bot.settings.mcp_file import MOST_SERVERS, OFF
from bot.text.redaction import quote
from bot.ui.elements import Choice

#: The longest value in a menu: Discord accepts 100 characters (platform facts B8),
#: Slack 150. Longer lists of servers are typed.
CHOICE_CHARS = 90

#: The name of the option.
OPTION = "mcp"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


def read(text: str, today: date = date.min) -> str:
    """Return the names in `text` in order, with one space between them, or `OFF`.
    Raises Unacceptable."""
    words = sorted(set(parsers.check_length(text).lower().replace(",", " ").split()))
    fit = all(map(_NAME.fullmatch, words)) and 1 <= len(words) <= MOST_SERVERS
    if not fit or (OFF in words and len(words) > 1):
        raise Unacceptable(messages.not_a_list(written=quote(text)))
    return " ".join(words)


def names(value: str) -> tuple[str, ...]:
    """Return the names of servers in the canonical `value`."""
    return () if value == OFF else tuple(value.split())


def format_value(value: str) -> str:
    """Format the canonical `value` for people."""
    return ", ".join(names(value)) or OFF


def offered_servers(servers: Sequence[McpServer], place: Scope) -> list[McpServer]:
    """Return the `servers` that can be switched on in `place`."""
    return [each for each in servers if each.is_offered(place)]


def choices(servers: Sequence[McpServer], place: Scope) -> tuple[Choice, ...]:
    """Return the choices of a menu: none, each server, and all of them. Platforms
    refuse a choice without a value."""
    found = offered_servers(servers, place)
    labels = {each.name: each.label for each in found}
    together = " ".join(sorted(labels))
    values = [OFF, *sorted(labels)]
    if 0 < len(together) <= CHOICE_CHARS:
        values.append(together)
    return tuple(
        Choice(value, _label(value, labels)[:75]) for value in dict.fromkeys(values)
    )


def _label(value: str, labels: dict[str, str]) -> str:
    named = names(value)
    return ", ".join(labels.get(each, each) for each in named) or OFF


def require_offered(servers: Sequence[McpServer], place: Scope, value: str) -> None:
    """Raise Unacceptable unless the operator offers every server of `value` in
    `place`."""
    found = [each.name for each in offered_servers(servers, place)]
    wrong = [each for each in names(value) if each not in found]
    if wrong and not found:
        raise Unacceptable(messages.NOTHING_OFFERED)
    if wrong:
        known = ", ".join(f"`{each}`" for each in found)
        raise Unacceptable(
            messages.no_such_server(written=quote(wrong[0]), names=known)
        )


def active(
    servers: Sequence[McpServer], place: Scope, values: Sequence[str]
) -> tuple[McpServer, ...]:
    """Return the servers that may be used in `place`: those that all of `values` name,
    and that the operator allows there."""
    named = [frozenset(names(each)) for each in values]
    return tuple(
        each
        for each in servers
        if each.is_allowed(place) and all(each.name in some for some in named)
    )
