"""The web tools: checks of their parameters, and their results.

Rule: pure. Numbers in comments point into the facts sheet ("claude 1.8").
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

Body = dict[str, Any]

#: The versions that every model accepts, and those for models whose code may call tools
#: (claude 1.8: `capabilities.code_execution`).
PLAIN = {"web_search": {"web_search_20250305"}, "web_fetch": {"web_fetch_20250910"}}
FILTERING = {
    "web_search": {"web_search_20260209", "web_search_20260318"},
    "web_fetch": {"web_fetch_20260209", "web_fetch_20260309", "web_fetch_20260318"},
}
_BOTH = {"type", "name", "max_uses", "allowed_domains", "blocked_domains"}
_BOTH |= {"allowed_callers", "cache_control", "defer_loading", "strict"}
_FIELDS = {
    "web_search": _BOTH | {"user_location"},
    "web_fetch": _BOTH | {"citations", "max_content_tokens", "url_sources"},
}
_USER_INPUT = {"all", "none"}
_RESULTS = {"all", "none", "only", "except"}

#: How often the model is called within one request before the answer pauses (?: no
#: first-party source; users report ten).
ITERATIONS = 10

_URL = re.compile(r"https?://[^\s<>\"')\]]+")


def bad_tools(body: Body, filters: bool) -> str | None:
    """Return the error about the tools of a request, or None. `filters` says whether
    the model's code may call tools (claude 1.8)."""
    for nth, tool in enumerate(body.get("tools") or ()):
        kind, name, at = tool.get("type"), tool.get("name"), f"tools.{nth}"
        if kind == "mcp_toolset":
            continue
        if name not in PLAIN or kind not in PLAIN[name] | FILTERING[name]:
            return f"{at}: Input tag is not one of the expected ones"
        if kind in FILTERING[name] and not filters:
            return f"{at}: {kind} is not supported on this model"
        allowed = _FIELDS[name] | ({"response_inclusion"} if "0318" in kind else set())
        allowed |= {"use_cache"} if kind >= "web_fetch_20260309" else set()
        if unknown := sorted(set(tool) - allowed):
            return f"{at}.{unknown[0]}: Extra inputs are not permitted"
        if tool.get("max_uses", 1) < 1:
            return f"{at}.max_uses: should be greater than 0"
        if tool.get("allowed_domains") and tool.get("blocked_domains"):
            return f"{at}: allowed_domains cannot be used alongside blocked_domains"
        if wrong := _bad_sources(tool.get("url_sources"), body):
            return f"{at}.url_sources{wrong}"
    return None


def _bad_sources(sources: Any, body: Body) -> str | None:
    """Return the error about `url_sources`, or None. Sources are objects, and a named
    tool must be in `tools` (claude 1.8)."""
    if sources is None:
        return None
    if not isinstance(sources, dict):
        return ": Input should be a valid dictionary"
    names = {tool.get("name") for tool in body["tools"]}
    for key, source in sources.items():
        if key not in ("user_input", "server_tool_results", "client_tool_results"):
            return f".{key}: Extra inputs are not permitted"
        if not isinstance(source, dict):
            return f".{key}: Input should be a valid dictionary"
        if source.get("type") not in (_USER_INPUT if key == "user_input" else _RESULTS):
            return f".{key}: Input tag is not one of the expected ones"
        if any(each.get("name") not in names for each in source.get("tools") or ()):
            return f".{key}.tools: names a tool that is not in tools"
    return None


def tool_of(body: Body, name: str) -> Body | None:
    """Return the tool called `name` of a request."""
    return next((t for t in body.get("tools") or () if t.get("name") == name), None)


def filtering(body: Body) -> bool:
    """Return whether the tools of a request let the model run code."""
    tools = body.get("tools") or ()
    return any(t["type"] in FILTERING.get(t.get("name"), ()) for t in tools)


def needs_container(body: Body) -> bool:
    """Return whether a request returns unfinished code without naming a container,
    which the API refuses (anthropics/anthropic-sdk-python issue 1801)."""
    content = body["messages"][-1]["content"]
    blocks = content if isinstance(content, list) else []
    begun = {b["id"] for b in blocks if b.get("name") == "code_execution"}
    ended = {b["tool_use_id"] for b in blocks if b["type"] == CODE_RESULT}
    return bool(begun - ended) and not body.get("container")


CODE_RESULT = "code_execution_tool_result"


def fetch_error(body: Body, url: str, done: int) -> str | None:
    """Return the `error_code` of fetching `url` after `done` fetches, or None (claude
    1.8)."""
    tool = tool_of(body, "web_fetch") or {}
    host = urlsplit(url).hostname or ""
    domains = tool.get("allowed_domains")
    # A domain includes its subdomains.
    if domains and not any(host == d or host.endswith(f".{d}") for d in domains):
        return "url_not_allowed"
    if done >= tool.get("max_uses", done + 1):
        return "max_uses_exceeded"
    if url not in _fetchable(body, tool):
        return "url_not_in_prior_context"
    if host == "unreachable.example":
        return "url_not_accessible"
    return None


def _fetchable(body: Body, tool: Body) -> set[str]:
    """Return the URLs that may be fetched: omitted sources are "all" (claude 1.8)."""
    sources = tool.get("url_sources") or {}
    found: set[str] = set()
    for message in body["messages"]:
        source = "user_input" if message["role"] == "user" else "server_tool_results"
        if (sources.get(source) or {"type": "all"})["type"] == "none":
            continue
        content = message["content"]
        blocks = content if isinstance(content, list) else [content]
        if message["role"] != "user":
            blocks = [b for b in blocks if str(b["type"]).startswith("web_")]
        found |= set(_URL.findall(json.dumps(blocks).replace("\\n", " ")))
    return {url.rstrip(".,?!\\") for url in found}


def fetched(id: str, url: str, title: str, text: str, error: str | None) -> Body:
    """Return the result of a fetch, in the shape of the SDK's types."""
    result: Mapping[str, Any] = {
        "type": "web_fetch_result",
        "url": url,
        "retrieved_at": "2026-11-29T12:00:00Z",
        "content": {
            "type": "document",
            "title": title,
            "source": {"type": "text", "media_type": "text/plain", "data": text},
            "citations": {"enabled": True},
        },
    }
    if error:
        result = {"type": "web_fetch_tool_result_error", "error_code": error}
    return {"type": "web_fetch_tool_result", "tool_use_id": id, "content": result}


def ran(id: str) -> Body:
    """Return the result of code that called tools, in the shape of the SDK's types."""
    result = {
        "type": "encrypted_code_execution_result",
        "encrypted_stdout": "EqQB",
        "stderr": "",
        "return_code": 0,
        "content": [],
    }
    return {"type": CODE_RESULT, "tool_use_id": id, "content": result}
