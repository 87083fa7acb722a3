"""Remote MCP servers, which the API asks by its connector (Claude facts 1.8). Pure.

Rule 1: nothing is on but the tools that the request names. Their definitions go along,
so the API does not ask a server for them: no server changes what Claude is told of its
tools, and nothing else changes the prefix that is cached.
Rule 2: a token stands in the body of a request and nowhere else.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from bot.domain.completion import Activity, Request
from bot.domain.mcp import RequestServer, ToolCall
from bot.errors import ModelError, ModelRejected, ServerFailed

#: The version of the connector that takes definitions along, and lists tools.
BETA = "mcp-client-2026-09-15"

# The most tokens that the frame of a toolset adds to its definitions: the API's text
# about tools has 286 to 675 (Claude facts 1.8).
_FRAME_TOKENS = 1_000

# The most tokens of the definitions that a server is asked for: an estimate (?), as the
# definitions of some forty tools have.
_LISTING_TOKENS = 20_000

# Names as MCP servers give them, and a stand-in for what cannot be shown as it is.
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_UNNAMED = "?"


def toolsets(request: Request) -> list[dict[str, Any]]:
    """Return the tools of the servers of `request`."""
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
    """Return the servers of `request`, with those `tokens` that they have, by name."""
    found = []
    for server in request.servers:
        made = {"type": "url", "url": server.url, "name": server.name}
        if token := tokens.get(server.name):
            made["authorization_token"] = token
        found.append(made)
    return found


def headers(request: Request) -> dict[str, str]:
    """Return the headers of `request` because of its servers."""
    return {"anthropic-beta": BETA} if request.servers else {}


def most_tokens(request: Request) -> int:
    """Return the most tokens that the definitions of tools add to the prompt of
    `request`: at most one for each byte."""
    sizes = (
        len(each.listing.encode()) if each.listing else _LISTING_TOKENS
        for each in request.servers
    )
    return sum(size + _FRAME_TOKENS for size in sizes)


def at_fault(request: Request, error: ModelError) -> tuple[str, ...]:
    """Return the names of the servers because of which `request` may have failed with
    `error`: the one that it names, or all. Of a request that was refused for an unknown
    reason, they may be it."""
    names = tuple(each.name for each in request.servers)
    if isinstance(error, ServerFailed):
        return (error.server,) if error.server in names else names
    return names if type(error) is ModelRejected else ()


def without(request: Request, names: Collection[str]) -> Request:
    """Return `request` without the servers called `names`."""
    left = (each for each in request.servers if each.name not in names)
    return replace(request, servers=tuple(left))


def named(request: Request, error: ServerFailed) -> ServerFailed:
    """Return `error` with a sentence that names the server as people know it."""
    label = _label(request, error.server)
    return ServerFailed(str(error), error.server, label)


def labelled(activity: Activity, request: Request) -> Activity:
    """Return `activity` with the label of the server that is asked."""
    if activity.kind != "ask":
        return activity
    return replace(activity, host=_label(request, activity.host))


def _label(request: Request, name: str) -> str:
    """Return how people know the server `name` of `request`; "" for none of them."""
    return next((e.label for e in request.servers if e.name == name), "")


def call_of(block: Mapping[str, Any]) -> ToolCall:
    """Return the call that the `mcp_tool_use` in `block` makes."""
    return ToolCall(_plain(block.get("server_name")), _plain(block.get("name")))


def has_failed(block: Mapping[str, Any]) -> bool:
    """Return whether the `mcp_tool_result` in `block` is an error."""
    return block.get("is_error") is not False


def listed(block: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the server of the `mcp_tool_listing` in `block` and the JSON of its tools;
    None for one that has not its documented form."""
    server, tools = block.get("mcp_server_name"), block.get("tools")
    if not isinstance(server, str) or not isinstance(tools, list):
        return None
    return server, json.dumps(tools)


def pinned(listing: str, names: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """Return the definitions in `listing` of the tools called `names`, as canonical
    JSON, and the names of those that it has."""
    by_name: dict[str, dict[str, Any]] = {}
    for each in json.loads(listing):
        if isinstance(each, dict) and isinstance(each.get("input_schema"), dict):
            by_name.setdefault(str(each.get("name")), each)
    known = tuple(name for name in names if name in by_name)
    tools = [_definition(by_name[name]) for name in known]
    text = json.dumps(tools, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text, known


def _definition(tool: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the API takes of a tool."""
    made = {"name": tool["name"], "input_schema": tool["input_schema"]}
    about = tool.get("description")
    return {**made, "description": about} if isinstance(about, str) else made


def _plain(name: object) -> str:
    return name if isinstance(name, str) and _NAME.fullmatch(name) else _UNNAMED
