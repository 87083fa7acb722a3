"""The tools for the web that the API carries out: search and fetch. Pure.

The newer versions let the model filter what it finds by code, which takes fewer tokens;
they need a model whose code may call tools (Claude facts 1.8).
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bot.claude import mcp_servers
from bot.domain.completion import Activity, Request

#: The versions of the tools, by whether results are filtered by code.
SEARCH_VERSIONS = {False: "web_search_20250305", True: "web_search_20260318"}
FETCH_VERSIONS = {False: "web_fetch_20250910", True: "web_fetch_20260318"}

#: The most tokens of a fetched page that Claude reads: some 80 kB of text, which a long
#: article or a page of documentation has. The API takes it as approximate, and does not
#: apply it to PDFs.
PAGE_TOKENS = 20_000

# The hosts that are shown: nothing in them is markup.
_HOST = re.compile(r"[a-z0-9.-]{1,60}")

# Only links in what people wrote, and what they posted: nothing that a page or a search
# result suggests.
_URL_SOURCES = {
    "user_input": {"type": "all"},
    "server_tool_results": {"type": "none"},
    "client_tool_results": {"type": "none"},
}


def tools(request: Request, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the tools of `request`; `options` are those of its documents."""
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
    """Return what the API does for the use of a tool in `block`; None for what nobody
    is shown, such as code."""
    if block.get("type") == "mcp_tool_use":
        return Activity("ask", mcp_servers.call_of(block).server)
    match block.get("name"):
        case "web_search":
            return Activity("search")
        case "web_fetch":
            return Activity("fetch", _host(block.get("input")))
    return None


def page(block: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the title and the address of the page in the `web_fetch_tool_result`
    `block`; None for an error, and for a page without a title."""
    result = block.get("content")
    document = result.get("content") if isinstance(result, Mapping) else None
    if not isinstance(result, Mapping) or not isinstance(document, Mapping):
        return None
    title, url = document.get("title"), result.get("url")
    if isinstance(title, str) and isinstance(url, str) and title:
        return title, url
    return None


def _host(given: object) -> str:
    """Return the host of the address in a tool's input, if it can be shown as it is."""
    try:
        host = urlsplit(str(given["url"])).hostname or ""  # type: ignore[index]
    except (TypeError, KeyError, ValueError):
        return ""
    return host if _HOST.fullmatch(host) else ""
