"""Maps remote MCP servers to parameters of the API's connector. Pure.

The connector is described in Claude facts 1.8.

Rule 1: only the tools that the request names are enabled. Their definitions are part of
the request, so the API does not ask a server for them. Thus no server can change the
descriptions that Claude reads, and the cached prefix stays the same.

Rule 2: a token appears in the body of a request and nowhere else.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from bot.domain.completion import Activity, Request
from bot.domain.mcp import RequestServer, ToolCall
from bot.errors import ModelError, ModelRejected, ServerFailed

#: The version of the connector that accepts definitions and lists tools.
BETA = "mcp-client-2026-09-15"

# The most tokens that the frame of a toolset adds to its definitions: the API's text
# about tools has 286 to 675 tokens (Claude facts 1.8).
_FRAME_TOKENS = 1_000

# The most tokens of definitions that a server is asked for: an estimate (?), the size
# of about forty tools.
_LISTING_TOKENS = 20_000

# Names as MCP servers give them, and the replacement for names that cannot be shown.
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_UNNAMED = "?"


def toolsets(request: Request) -> list[dict[str, Any]]:
    """Return the toolsets for the servers of `request`."""
    return [_toolset(each) for each in request.servers]


def _toolset(server: RequestServer) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "mcp_toolset",
        "mcp_server_name": server.name,
        "default_config": {"enabled": False},
        "configs": {tool: {"enabled": True} for tool in server.tools},
    }
    if server.listing:
        made["tools"] = json.loads(server.listing)
    return made


def definitions(request: Request, tokens: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the servers of `request`, each with its token from `tokens`, by name."""
    found = []
    for server in request.servers:
        made = {"type": "url", "url": server.url, "name": server.name}
        if token := tokens.get(server.name):
            made["authorization_token"] = token
        found.append(made)
    return found


def headers(request: Request) -> dict[str, str]:
    """Return the headers that `request` needs for its servers."""
    return {"anthropic-beta": BETA} if request.servers else {}


def most_tokens(request: Request) -> int:
    """Return the most tokens that definitions of tools add to the prompt of `request`.

    That is at most one token for each byte.
    """
    sizes = (
        len(each.listing.encode()) if each.listing else _LISTING_TOKENS
        for each in request.servers
    )
    return sum(size + _FRAME_TOKENS for size in sizes)


def at_fault(request: Request, error: ModelError) -> tuple[str, ...]:
    """Return the names of the servers that may have made `request` fail with `error`.

    That is the server that the error names, or else all. Servers may also be the cause
    if a request was refused for an unknown reason.
    """
    names = tuple(each.name for each in request.servers)
    if isinstance(error, ServerFailed):
        return (error.server,) if error.server in names else names
    return names if type(error) is ModelRejected else ()


def without(request: Request, names: Collection[str]) -> Request:
    """Return `request` without the servers called `names`."""
    left = (each for each in request.servers if each.name not in names)
    return replace(request, servers=tuple(left))


def name_server(request: Request, error: ServerFailed) -> ServerFailed:
    """Return `error` with a sentence that names the server by its label."""
    label = _label(request, error.server)
    return ServerFailed(str(error), error.server, label)


def with_label(activity: Activity, request: Request) -> Activity:
    """Return `activity` with the label of the called server."""
    if activity.kind != "ask":
        return activity
    return replace(activity, host=_label(request, activity.host))


def _label(request: Request, name: str) -> str:
    """Return the label of the server `name` in `request`; "" if it has no such
    server."""
    return next((e.label for e in request.servers if e.name == name), "")


def call_of(block: Mapping[str, Any]) -> ToolCall:
    """Return the call in an `mcp_tool_use` block."""
    return ToolCall(_plain(block.get("server_name")), _plain(block.get("name")))


def has_failed(block: Mapping[str, Any]) -> bool:
    """Return whether an `mcp_tool_result` block is an error."""
    return block.get("is_error") is not False


def tool_listing(block: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the server of an `mcp_tool_listing` block, and the JSON of its tools.

    None for a block without the documented form.
    """
    server, tools = block.get("mcp_server_name"), block.get("tools")
    if not isinstance(server, str) or not isinstance(tools, list):
        return None
    return server, json.dumps(tools)


def pin(listing: str, names: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """Return the definitions of the tools called `names`, as canonical JSON.

    The definitions are taken from `listing`. Also return the names of the tools that
    the listing has.
    """
    by_name: dict[str, dict[str, Any]] = {}
    for each in json.loads(listing):
        if isinstance(each, dict) and isinstance(each.get("input_schema"), dict):
            by_name.setdefault(str(each.get("name")), each)
    known = tuple(name for name in names if name in by_name)
    tools = [_definition(by_name[name]) for name in known]
    text = json.dumps(tools, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text, known


def _definition(tool: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a tool that the API accepts."""
    made = {"name": tool["name"], "input_schema": tool["input_schema"]}
    about = tool.get("description")
    return {**made, "description": about} if isinstance(about, str) else made


def _plain(name: object) -> str:
    return name if isinstance(name, str) and _NAME.fullmatch(name) else _UNNAMED
