"""Asks a remote MCP server for its tools, through the API. Pure, except `ask`.

If a request does not contain the definitions of a server's tools, the API asks the
server for them and lists them all in its answer (Claude facts 1.8). So the server is
asked from the place from which it will be called, and we never connect to it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.claude import catalog, mcp_servers, one_shot
from bot.claude.catalog import CHEAP_MODEL, ModelAvailability
from bot.claude.one_shot import Completion
from bot.domain.completion import ChatMessage, Request
from bot.domain.mcp import Listing, McpServer, RequestServer
from bot.messages import mcp as messages
from bot.messages.answers import TOOK_TOO_LONG
from bot.ports.model import Model

#: Timeout for asking a server, in seconds.
TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Learnt:
    """The response of a server that was asked for its tools."""

    #: The listing of the tools that the server is allowed; None if it failed.
    listing: Listing | None = None
    #: The names of the allowed tools that the server does not have.
    lacking: tuple[str, ...] = ()
    #: The reason why there is no listing, for the operator: a clause.
    problem: str = ""


def model_for(survey: ModelAvailability | None, other: str) -> str:
    """Return the model for requests: the cheap one, or `other` if the account has no
    access to it according to `survey`."""
    if survey is None or not catalog.refused(CHEAP_MODEL, survey):
        return CHEAP_MODEL
    return other


def request(server: McpServer, model: str) -> Request:
    """Return the shortest request to `model` whose answer lists the tools of `server`.

    The answer is too short for a call.
    """
    asked = RequestServer(server.name, server.label, server.url, server.tools)
    return Request(
        model=model,
        system="",
        messages=(ChatMessage("user", "OK?"),),
        max_tokens=1,
        servers=(asked,),
        server_calls=0,
        cache_messages=False,
    )


async def ask(
    model: Model, server: McpServer, name: str, now: float, timeout: float = TIMEOUT
) -> Learnt:
    """Ask `server` for its tools, through the model called `name`.

    The call is not booked.
    """

    async def reserve(calls: object) -> bool:
        return True

    completion = await one_shot.complete(
        model, request(server, name), timeout=timeout, now=now, reserve=reserve
    )
    return read(server, completion, now)


def read(server: McpServer, completion: Completion, now: float) -> Learnt:
    """Return the result for `server` in `completion`, the answer to `request`."""
    if completion.failed:
        return Learnt(problem=messages.NOT_USABLE)
    listed = dict(completion.listings).get(server.name)
    if listed is None and completion.trouble == TOOK_TOO_LONG:
        return Learnt(problem=messages.NOT_IN_TIME)
    if listed is None:
        why = messages.NO_ANSWER if completion.trouble else messages.NOTHING_LISTED
        return Learnt(problem=why)
    tools, known = mcp_servers.pin(listed, server.tools)
    missing = tuple(each for each in server.tools if each not in known)
    if not known:
        return Learnt(None, missing, messages.NO_TOOL_LISTED)
    return Learnt(Listing(server.name, server.url, tools, now), missing)


def last(listings: Sequence[Listing], server: McpServer) -> Listing | None:
    """Return the last of `listings` that belongs to `server`; None if there is none."""
    own = (e for e in listings if (e.server, e.url) == (server.name, server.url))
    return next(reversed(list(own)), None)


def lacking(listing: Listing, server: McpServer) -> list[str]:
    """Return the tools of `server` that `listing` does not define."""
    return [each for each in server.tools if each not in _by_name(listing)]


def merge(pinned: Listing | None, listed: Listing) -> Listing:
    """Return the tools of `listed` and `pinned`; where both define one, `pinned`
    wins."""
    tools = _by_name(listed) | (_by_name(pinned) if pinned else {})
    text, _ = mcp_servers.pin(json.dumps([*tools.values()]), sorted(tools))
    return Listing(listed.server, listed.url, text, listed.at)


def changed_tools(pinned: Listing, listed: Listing) -> list[str]:
    """Return the names of the tools that `listed` and `pinned` define differently."""
    before, now = _by_name(pinned), _by_name(listed)
    return [name for name in sorted(before) if before[name] != now.get(name)]


def _by_name(listing: Listing) -> dict[str, dict[str, object]]:
    return {each["name"]: each for each in json.loads(listing.tools)}
