"""Finds out whether channels on Slack exist, and who may read and write in them.

Rule 1: this module returns facts only; the core decides.
Rule 2: a channel's type comes from `conversations.info`, never from its id, except for
direct messages (facts A1.2, A14).
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from adapters.slack.client import SlackClient, next_cursor
from adapters.slack.members import FRESH, MOST, People
from bot.domain.channel_access import NOWHERE, ChannelAccess
from bot.domain.scope import Scope, ScopeLevel
from bot.errors import ThreadGone
from bot.runtime.access_cache import AccessCache

# Members per page of conversations.members; Slack allows up to 1,000 (facts A5.1: 100
# calls a minute).
PAGE = 1_000

# Slack's ids are much shorter.
ID_CHARS = 32

# Flags that close a channel for everybody (facts A14).
CLOSED = ("is_archived", "is_frozen", "is_read_only", "is_thread_only")

# Fields that list the workspaces of a channel.
TEAMS = ("shared_team_ids", "internal_team_ids", "connected_team_ids")


class Channels:
    """The channels of one workspace."""

    def __init__(
        self,
        client: SlackClient,
        people: People,
        team: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._people = people
        self._team = team
        #: Cached grants, by channel and user.
        self._grants: AccessCache[tuple[str, str]] = AccessCache(clock, MOST)

    @property
    def size(self) -> int:
        """Number of cached grants."""
        return len(self._grants)

    async def access(self, place: Scope, user: str) -> ChannelAccess:
        """Return the rights of `user` and the bot in the channel of `place`. Raises
        DeliveryError."""
        if place.workspace != self._team or not is_id(place.channel):
            return NOWHERE
        return await self._grants.find(
            (place.channel, user), FRESH, partial(self._find, place, user)
        )

    async def _find(self, place: Scope, user: str) -> ChannelAccess:
        try:
            answer = await self._client.call(
                "conversations.info", channel=place.channel
            )
        except ThreadGone:
            return NOWHERE
        channel = answer.get("channel") or {}
        teams = {team for team in _teams(channel) if team.startswith("T")}
        if teams and self._team not in teams:
            return NOWHERE
        is_open = not any(channel.get(each) for each in CLOSED)
        if channel.get("is_im"):
            # A direct message has two members, and one of them is the bot.
            theirs = bool(user) and channel.get("user") == user
            writes = theirs and is_open and not channel.get("is_user_deleted")
            return ChannelAccess(True, theirs, writes, bot_writes=is_open)
        reads, admin = False, False
        open_to_all = not (channel.get("is_private") or channel.get("is_mpim"))
        if user:
            person = await self._people.person(place.at(ScopeLevel.WORKSPACE), user)
            reads = open_to_all and not person.outsider
            reads = reads or await self._is_member(place.channel, user)
            admin = person.runs_workspace
        return ChannelAccess(
            exists=True,
            reads=reads,
            writes=reads and is_open and _may_post(channel, user, admin=admin),
            # Without `chat:write.public`, the bot can only write in channels that it is
            # a member of.
            bot_writes=is_open and bool(channel.get("is_member")),
            is_public=open_to_all,
        )

    async def _is_member(self, channel: str, user: str) -> bool:
        cursor: str | None = None
        while True:
            try:
                page = await self._client.call(
                    "conversations.members", channel=channel, limit=PAGE, cursor=cursor
                )
            except ThreadGone:
                return False
            if user in (page.get("members") or ()):
                return True
            cursor = next_cursor(page)
            if not cursor:
                return False


def is_id(text: str) -> bool:
    """Return whether `text` is well formed as the id of a channel."""
    return text.isascii() and text.isalnum() and len(text) <= ID_CHARS


def _teams(channel: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ids of the workspaces of a channel."""
    yield str(channel.get("context_team_id") or "")
    for name in TEAMS:
        yield from map(str, channel.get(name) or ())


def _may_post(channel: Mapping[str, Any], user: str, *, admin: bool) -> bool:
    """Return whether the channel's owners let `user` write. They may restrict posting
    to admins and named people."""
    properties = channel.get("properties") or {}
    kept = properties.get("posting_restricted_to") or {}
    return not kept or admin or user in (kept.get("user") or ())
