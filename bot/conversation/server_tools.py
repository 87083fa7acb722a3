"""Chooses the tools of MCP servers for a thread, and writes notes about them. Pure.

Tools come first in the cached prefix (Claude facts 3.1), so a thread keeps the
definitions that it began with, even if the operator takes over newer ones. A tool that
the operator or an admin removes is gone at once.
"""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.conversation.outcomes import with_note
from bot.domain.mcp import Listing, McpServer, RequestServer, ToolCall
from bot.domain.scope import ScopeLevel
from bot.domain.turn import Outcome
from bot.messages import mcp as messages
from bot.settings import mcp_choices
from bot.settings.effective import EffectiveSettings


@dataclass(frozen=True, slots=True)
class ThreadTools:
    """The tools of one request."""

    servers: tuple[RequestServer, ...] = ()
    #: The value that the thread stores: the digest of each server's listing.
    kept: str = ""
    #: The labels of servers without a known tool, and of servers that have just failed.
    #: The thread cannot have either now.
    unknown: tuple[str, ...] = ()
    resting: tuple[str, ...] = ()


NO_TOOLS = ThreadTools()


def choose(
    servers: Sequence[McpServer],
    listings: Sequence[Listing],
    kept: str,
    resting: Collection[str],
) -> ThreadTools:
    """Return the tools of a thread that may use `servers`.

    The thread's `kept` value names the `listings` to use. For other servers, the last
    listing is used. The servers in `resting` have just failed.
    """
    before = dict(each.partition("=")[::2] for each in kept.split())
    chosen, digests, unknown, left = [], [], [], []
    for server in servers:
        listing = _listing(server, listings, before.get(server.name, ""))
        if listing is not None:
            digests.append(f"{server.name}={listing.digest}")
        made = _request_server(server, listing) if listing else None
        if made is None:
            unknown.append(server.label)
        elif server.name in resting:
            left.append(server.label)
        else:
            chosen.append(made)
    found = tuple(chosen), " ".join(digests), tuple(unknown), tuple(left)
    return ThreadTools(*found)


def _listing(
    server: McpServer, listings: Sequence[Listing], digest: str
) -> Listing | None:
    """Return the listing of `server` with `digest`, or else its last listing; None for
    none."""
    own = [e for e in listings if (e.server, e.url) == (server.name, server.url)]
    return next((each for each in own if each.digest == digest), None) or next(
        reversed(own), None
    )


def _request_server(server: McpServer, listing: Listing) -> RequestServer | None:
    """Return `server` with its tools that `listing` defines; None if there are none."""
    tools = [each for each in json.loads(listing.tools) if each["name"] in server.tools]
    if not tools:
        return None
    text = json.dumps(tools, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    names = tuple(each["name"] for each in tools)
    return RequestServer(server.name, server.label, server.url, names, text)


def within_shared(
    servers: Sequence[McpServer], settings: EffectiveSettings
) -> tuple[McpServer, ...]:
    """Return those of `servers` that may be used in a channel shared with outsiders.

    These are the servers that are set for the channel itself.
    """
    channel = settings.place.at(ScopeLevel.CHANNEL)
    own = next(
        (
            each.value
            for each in settings.settings
            if (each.name, each.place) == (mcp_choices.OPTION, channel)
        ),
        "",
    )
    return tuple(each for each in servers if each.name in mcp_choices.names(own))


def tools_key(servers: Sequence[RequestServer], failed: Collection[str] = ()) -> str:
    """Return a key for the tools of `servers`, except the servers named in `failed`.

    A later request with the same key finds this request's tools in the cache.
    """
    return " ".join(
        f"{each.name}={Listing(each.name, each.url, each.listing).digest}"
        for each in servers
        if each.name not in failed
    )


def with_server_notes(outcome: Outcome, tools: ThreadTools) -> Outcome:
    """Return `outcome` with labels instead of names for servers, and with notes.

    The notes say which of `tools` were called and which servers failed.
    """
    labels = {each.name: each.label for each in tools.servers}
    asked = tuple(
        replace(call, server=labels.get(call.server, call.server))
        for call in outcome.asked
    )
    failed = tuple(labels.get(each, each) for each in outcome.left_out)
    outcome = replace(
        outcome,
        tools=tools_key(tools.servers, outcome.left_out),
        asked=asked,
        left_out=(*failed, *tools.resting),
    )
    for sentence in _sentences(asked, failed, tools):
        outcome = with_note(outcome, sentence)
    return outcome


def _sentences(
    asked: Sequence[ToolCall], failed: Sequence[str], tools: ThreadTools
) -> list[str]:
    found = []
    for server, calls in _by_server(asked).items():
        counted = Counter(each.tool for each in calls)
        named = ", ".join(
            tool if count == 1 else messages.several(tool=tool, count=count)
            for tool, count in counted.items()
        )
        found.append(messages.asked(server=server, tools=named))
        if wrong := dict.fromkeys(each.tool for each in calls if each.failed):
            names = ", ".join(wrong)
            found.append(messages.call_failed(server=server, tools=names))
    if failed:
        found.append(messages.server_left_out(servers=messages.OR.join(failed)))
    if tools.resting:
        names = messages.AND.join(tools.resting)
        found.append(messages.server_left_out(servers=names))
    if tools.unknown:
        names = messages.AND.join(tools.unknown)
        found.append(messages.server_not_ready(servers=names))
    return found


def _by_server(asked: Sequence[ToolCall]) -> Mapping[str, list[ToolCall]]:
    found: dict[str, list[ToolCall]] = {}
    for call in asked:
        found.setdefault(call.server, []).append(call)
    return found
