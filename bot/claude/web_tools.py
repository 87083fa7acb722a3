"""Defines the web tools that the API carries out: search and fetch. Pure.

The newer versions let the model filter the results by code, which takes fewer tokens.
They need a model whose code may call tools (Claude facts 1.8).
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bot.claude import mcp_servers
from bot.domain.completion import Activity, Request

#: The versions of the tools, by whether code filters the results.
SEARCH_VERSIONS = {False: "web_search_20250305", True: "web_search_20260318"}
FETCH_VERSIONS = {False: "web_fetch_20250910", True: "web_fetch_20260318"}

#: The most tokens of a fetched page that Claude reads: some 80 kB of text, as in a long
#: article or a page of documentation. The API treats the limit as approximate, and does
#: not apply it to PDFs.
PAGE_TOKENS = 20_000

# The hosts that are shown: none of these characters is markup.
_HOST = re.compile(r"[a-z0-9.-]{1,60}")

# Claude may fetch only addresses that people wrote or posted, never addresses that a
# page or a search result suggests.
_URL_SOURCES = {
    "user_input": {"type": "all"},
    "server_tool_results": {"type": "none"},
    "client_tool_results": {"type": "none"},
}


def tools(request: Request, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the web tools of `request`; `options` are the fields of its documents."""
    made: list[dict[str, Any]] = []
    if request.searches:
        kind = SEARCH_VERSIONS[request.filters]
        made.append({"type": kind, "name": "web_search", "max_uses": request.searches})
    if request.fetches:
        fetch = {
            "type": FETCH_VERSIONS[request.filters],
            "name": "web_fetch",
            "max_uses": request.fetches,
            "max_content_tokens": PAGE_TOKENS,
            "url_sources": _URL_SOURCES,
            **options,
        }
        if request.hosts:
            fetch["allowed_domains"] = list(request.hosts)
        made.append(fetch)
    return made


def activity(block: Mapping[str, Any]) -> Activity | None:
    """Return the API's work for the use of a tool in `block`.

    None for work that nobody is shown, such as code.
    """
    if block.get("type") == "mcp_tool_use":
        return Activity("ask", mcp_servers.call_of(block).server)
    match block.get("name"):
        case "web_search":
            return Activity("search")
        case "web_fetch":
            return Activity("fetch", _host(block.get("input")))
    return None


def page(block: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the title and address of the page in a `web_fetch_tool_result` block.

    The title is "" if the page has none. None for an error and for other blocks.
    """
    if block.get("type") != "web_fetch_tool_result":
        return None
    result = block.get("content")
    document = result.get("content") if isinstance(result, Mapping) else None
    if not isinstance(result, Mapping) or not isinstance(document, Mapping):
        return None
    title, url = document.get("title"), result.get("url")
    return (str(title or ""), url) if isinstance(url, str) else None


def _host(given: object) -> str:
    """Return the host of the address in a tool's input; "" if it cannot be shown
    safely."""
    try:
        host = urlsplit(str(given["url"])).hostname or ""  # type: ignore[index]
    except (TypeError, KeyError, ValueError):
        return ""
    return host if _HOST.fullmatch(host) else ""
