"""The MCP connector: checks its parameters, and emulates calls to remote servers.

Rule: pure. Numbers in comments point into the facts sheet ("claude 1.8"). The errors
about unusable servers are those that users report (anthropics/ anthropic-sdk-typescript
issue 1027, anthropics/anthropic-sdk-python issue 1029).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

Body = dict[str, Any]

#: The version that lists tools and accepts pinned ones (claude 1.8).
BETA = "mcp-client-2026-09-15"

_SERVER_FIELDS = {"type", "url", "name", "authorization_token"}
_TOOLSET_FIELDS = {"type", "mcp_server_name", "default_config", "configs", "tools"}
_TOOLSET_FIELDS |= {"cache_control"}
_TOOL_FIELDS = {"name", "description", "input_schema"}


@dataclass
class Server:
    """A remote server. Tests can change its attributes at any time."""

    #: The tools that it lists: `name`, `description`, `input_schema`.
    tools: list[Body]
    #: The token that it requires; "" for none.
    token: str = ""
    #: Whether it is unreachable.
    down: bool = False
    #: How often its tools were listed, and its calls: (tool, token).
    lists: int = 0
    calls: list[tuple[str, str]] = field(default_factory=list)


Servers = Mapping[str, Server]


def bad_servers(body: Body, headers: Mapping[str, str]) -> str | None:
    """Return the reason to refuse the servers of a request, or None."""
    toolsets, servers = toolsets_of(body), body.get("mcp_servers")
    betas = headers.get("anthropic-beta", "").replace(" ", "").split(",")
    if BETA not in betas:
        # Without the beta header, the field and the tag are unknown.
        if servers is not None:
            return "mcp_servers: Extra inputs are not permitted"
        return "tools.0: Input tag is not one of the expected ones" if toolsets else ""
    names = []
    for nth, server in enumerate(servers or ()):
        at = f"mcp_servers.{nth}"
        if unknown := sorted(set(server) - _SERVER_FIELDS):
            return f"{at}.{unknown[0]}: Extra inputs are not permitted"
        address = urlsplit(str(server.get("url")))
        # https only (claude 1.8).
        if server.get("type") != "url" or address.scheme != "https":
            return f"{at}.url: must be an https:// URL"
        names.append(server["name"])
    if len(set(names)) < len(names):
        return "mcp_servers: names must be unique"
    asked = [str(toolset.get("mcp_server_name")) for toolset in toolsets]
    # Each server is used by exactly one toolset (the page on the connector).
    if sorted(names) != sorted(asked):
        return "tools: each of mcp_servers needs exactly one mcp_toolset"
    return next(filter(None, map(_bad_toolset, toolsets)), "") or _bad_blocks(
        body, set(names)
    )


def _bad_toolset(toolset: Body) -> str:
    if unknown := sorted(set(toolset) - _TOOLSET_FIELDS):
        return f"tools: mcp_toolset.{unknown[0]}: Extra inputs are not permitted"
    for tool in toolset.get("tools") or ():
        if set(tool) - _TOOL_FIELDS or not isinstance(tool.get("input_schema"), dict):
            return "tools: mcp_toolset.tools: must be as the server lists them"
    return ""


def _bad_blocks(body: Body, names: set[str]) -> str:
    """Return the error about returned calls that belong to no server of the request, or
    "". Whether the API accepts them is not documented (?), so they are refused here."""
    called = set()
    for message in body.get("messages") or ():
        content = message.get("content")
        for block in content if isinstance(content, list) else ():
            match block.get("type"):
                case "mcp_tool_use":
                    called.add(block["id"])
                    if block["server_name"] not in names:
                        return "messages: mcp_tool_use: no such server in mcp_servers"
                case "mcp_tool_result" if block["tool_use_id"] not in called:
                    return "messages: mcp_tool_result: without its mcp_tool_use"
    return ""


def toolsets_of(body: Body) -> list[Body]:
    """Return the toolsets among the tools of a request."""
    tools = body.get("tools") or ()
    return [tool for tool in tools if tool.get("type") == "mcp_toolset"]


def unreachable(body: Body, servers: Servers) -> str:
    """Return the error of a request with an unusable server, or "". Only servers that
    must list their tools are contacted; pinned tools are not listed (claude 1.8)."""
    for toolset in toolsets_of(body):
        if toolset.get("tools") is None:
            if wrong := _wrong(body, toolset["mcp_server_name"], servers):
                return wrong
            _found(body, toolset["mcp_server_name"], servers).lists += 1
    return ""


def listings(body: Body, servers: Servers) -> list[Body]:
    """Return the blocks of an answer that list the tools of servers."""
    return [
        {
            "type": "mcp_tool_listing",
            "mcp_server_name": toolset["mcp_server_name"],
            "tools": _found(body, toolset["mcp_server_name"], servers).tools,
        }
        for toolset in toolsets_of(body)
        if toolset.get("tools") is None
    ]


def offered(body: Body, servers: Servers) -> dict[tuple[str, str], Body]:
    """Return the tools offered to the model, by server and name."""
    found = {}
    for toolset in toolsets_of(body):
        name = toolset["mcp_server_name"]
        default = (toolset.get("default_config") or {}).get("enabled", True)
        configs = toolset.get("configs") or {}
        tools: Sequence[Body] | None = toolset.get("tools")
        for tool in _found(body, name, servers).tools if tools is None else tools:
            if configs.get(tool["name"], {}).get("enabled", default):
                found[name, tool["name"]] = tool
    return found


def called(
    body: Body, servers: Servers, server: str, tool: str, text: str, *, error: bool
) -> tuple[str, bool]:
    """Call `tool`. Return the text of the result, and whether it is an error. An
    unusable server or a missing tool gives an error block (?)."""
    found = _found(body, server, servers)
    given = _definition(body, server).get("authorization_token", "")
    if wrong := _wrong(body, server, servers):
        return wrong, True
    found.calls.append((tool, given))
    if tool not in {each["name"] for each in found.tools}:
        return f"Unknown tool: {tool}", True
    return text, error


def _wrong(body: Body, name: str, servers: Servers) -> str:
    server = _found(body, name, servers)
    if server.down:
        return "Connection error while communicating with MCP server"
    if server.token != _definition(body, name).get("authorization_token", ""):
        return (
            f"Invalid authorization token for MCP server '{name}'. Please check your "
            "token and try again."
        )
    return ""


def _definition(body: Body, name: str) -> Body:
    return next(each for each in body["mcp_servers"] if each["name"] == name)


def _found(body: Body, name: str, servers: Servers) -> Server:
    """Return the server at the address. An unknown one is down."""
    return servers.get(_definition(body, name)["url"], Server([], down=True))
