"""Finds out why an answer missed cached parts of the previous prompt. Pure.

The cache matches the beginning of a prompt byte by byte. Each entry lives for five
minutes or an hour after its last use (Claude facts 3.1).
"""

import enum

from bot.domain.receipt import PastRequest

# The lifetimes, in seconds.
_SHORT, _LONG = 300.0, 3_600.0

# The settings, besides the model, that change the prompt before the messages or the key
# under which the messages are cached.
_SETTINGS = ("effort", "web_search", "web_fetch")
# The tools of MCP servers are compared directly: they also change with the operator's
# file, and when a server fails.


class CacheMiss(enum.Enum):
    """The reason of a miss."""

    MODEL = "model"
    PROMPT = "prompt"
    EFFORT = "effort"
    WEB_SEARCH = "web_search"
    WEB_FETCH = "web_fetch"
    #: The tools of MCP servers.
    TOOLS = "tools"
    #: A summary has replaced the beginning.
    SUMMARY = "summary"
    #: People deleted messages.
    DELETED = "deleted"
    #: Other messages were left out of the middle.
    CUT = "cut"
    #: The time since the previous request was longer than the lifetime.
    PAUSE = "pause"
    #: Caching was not asked for: it would have cost more than it saves.
    OFF = "off"
    #: Web results of the previous request are not kept.
    FOUND = "found"
    #: Results of MCP tools of the previous request are not kept.
    ASKED = "asked"
    #: No known reason applies.
    UNKNOWN = "unknown"


def missing(before: PastRequest, now: PastRequest) -> int:
    """Return how many tokens that `before` left in the cache were not read by `now`."""
    return max(0, before.usage.prompt - before.usage.input - now.usage.cache_read)


def reason(before: PastRequest, now: PastRequest) -> CacheMiss | None:
    """Return why `now` did not read everything that `before` had left in the cache.

    None if it did.
    """
    if not missing(before, now):
        return None
    if before.model != now.model:
        return CacheMiss.MODEL
    if before.prompt != now.prompt:
        return CacheMiss.PROMPT
    for name in _SETTINGS:
        if before.value(name) != now.value(name):
            return CacheMiss(name)
    if before.tools != now.tools:
        return CacheMiss.TOOLS
    if before.summarised != now.summarised:
        return CacheMiss.SUMMARY
    if before.deleted != now.deleted:
        return CacheMiss.DELETED
    if before.missing != now.missing:
        return CacheMiss.CUT
    if now.at - before.at >= _lifetime(before):
        return CacheMiss.PAUSE
    if now.usage.input == now.usage.prompt:
        return CacheMiss.OFF
    if before.usage.searches or before.usage.fetches:
        return CacheMiss.FOUND
    return CacheMiss.ASKED if before.asked else CacheMiss.UNKNOWN


def _lifetime(request: PastRequest) -> float:
    """Return the lifetime, in seconds, of the cache entries of `request`."""
    short_only = request.usage.cache_write_5m and not request.usage.cache_write_1h
    return _SHORT if short_only else _LONG
