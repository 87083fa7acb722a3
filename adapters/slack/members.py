"""Looks up people on Slack, their rights and their user groups.

Rule 1: this module returns facts only; the core decides.
Rule 2: `users.info` is required. User groups and the creator of a channel are optional:
they can only add rights, so a person may be returned without them, marked `incomplete`
if a later look-up may succeed (docs/lookups.md).
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from adapters.slack.client import SlackClient
from adapters.slack.refusals import Unavailable
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.errors import DeliveryError, ThreadGone, Throttled
from bot.runtime import background
from bot.runtime.lru import LruDict
from bot.ui.elements import Choice

log = logging.getLogger(__name__)

# How long an answer of Slack's is cached, in seconds. A removed admin still counts for
# at most this long. users.info allows 100 calls a minute (facts A5.1, A13).
FRESH = 300.0

# How long an optional fact is not looked up again after a failure, in seconds.
RETRY = 30.0

# How long a command or turn waits for an optional fact, in seconds: Slack opens a modal
# only within three seconds (facts A10). The look-up continues, for the next command.
PATIENCE = 1.5

# The most answers that are cached.
MOST = 10_000


class People:
    """The people of one workspace."""

    def __init__(
        self,
        client: SlackClient,
        team: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._team = team
        self._clock = clock
        #: The time and the content of each answer, by method and id. The content is
        #: None if the look-up of an optional fact failed.
        self._known: LruDict[
            tuple[str, str], tuple[float, Mapping[str, Any] | None]
        ] = LruDict(MOST)
        #: Look-ups of optional facts in progress.
        self._asking: dict[tuple[str, str], asyncio.Task[None]] = {}

    @property
    def size(self) -> int:
        """Number of cached answers."""
        return len(self._known)

    async def person(self, place: Scope, user: str) -> Person:
        """Return `user` with their rights at `place`. Raises DeliveryError if Slack
        cannot be asked now."""
        # All look-ups run at once, so that nobody waits for one after the other.
        self._want("usergroups.list", "", include_users="true")
        # Direct messages have no creator (facts A1.2).
        is_made = place.channel and not place.channel.startswith("D")
        if is_made:
            self._want("conversations.info", place.channel, channel=place.channel)
        who = (await self._ask("users.info", user, user=user)).get("user") or {}
        found = await self._fact("conversations.info", place.channel) if is_made else {}
        channel = (found or {}).get("channel") or {}
        groups = await self._groups()
        profile = who.get("profile") or {}
        return Person(
            id=user,
            name=str(
                profile.get("display_name") or who.get("real_name") or who.get("name")
            ),
            runs_workspace=any(
                who.get(flag) for flag in ("is_admin", "is_owner", "is_primary_owner")
            ),
            made_channel=channel.get("creator") == user,
            outsider=_is_outsider(who, self._team),
            shared=bool(channel.get("is_ext_shared")),
            groups=frozenset(
                str(group["id"])
                for group in groups or ()
                if user in (group.get("users") or ())
            ),
            incomplete=found is None or groups is None,
        )

    async def is_shared(self, channel: str) -> bool | None:
        """Return whether `channel` is shared with another organisation; None if Slack
        does not say. Wait for rate limits. Raises DeliveryError."""
        if channel.startswith("D"):
            return None
        key = "conversations.info", channel
        known = self._known[key][1] if self._is_fresh(key) else None
        if known is None:
            call = self._client.call_when_allowed
            try:
                known = await call("conversations.info", channel=channel)
            except (ThreadGone, Unavailable):
                known = {}
            self._known[key] = self._clock(), known
        shared = (known.get("channel") or {}).get("is_ext_shared")
        return None if shared is None else bool(shared)

    async def groups(self) -> list[Choice]:
        """Return the workspace's user groups as choices; none if they are unknown."""
        self._want("usergroups.list", "", include_users="true")
        return [
            Choice(str(group["id"]), f"@{group.get('handle') or group.get('name')}")
            for group in await self._groups() or ()
        ]

    async def close(self) -> None:
        """Cancel the look-ups in progress."""
        for task in (under_way := list(self._asking.values())):
            background.end(task)
        if under_way:
            await asyncio.wait(under_way)

    async def _groups(self) -> list[Mapping[str, Any]] | None:
        """Return the user groups; None if they cannot be looked up now."""
        found = await self._fact("usergroups.list", "")
        return None if found is None else list(found.get("usergroups") or ())

    async def _ask(self, method: str, each: str, **arguments: str) -> Mapping[str, Any]:
        """Return a required answer. Raises DeliveryError."""
        key = method, each
        known = self._known[key][1] if self._is_fresh(key) else None
        if known is None:
            known = await self._client.call(method, **arguments)
            self._known[key] = self._clock(), known
        return known

    def _want(self, method: str, each: str, **arguments: str) -> None:
        """Start to look up an optional fact, unless it is cached or being looked up."""
        key = method, each
        if key in self._asking or self._is_fresh(key):
            return
        task = background.begin("look up a fact", self._look_up(key, arguments))
        self._asking[key] = task
        task.add_done_callback(lambda _: self._asking.pop(key, None))

    async def _fact(self, method: str, each: str) -> Mapping[str, Any] | None:
        """Return an optional answer whose look-up has begun: {} if Slack does not give
        it to this app, None if it cannot be looked up now. Never raises."""
        key = method, each
        if task := self._asking.get(key):
            await asyncio.wait({task}, timeout=PATIENCE)
            if not task.done():
                return None
        return self._known.get(key, (0.0, None))[1]

    async def _look_up(
        self, key: tuple[str, str], arguments: Mapping[str, str]
    ) -> None:
        method, _ = key
        answer: Mapping[str, Any] | None = None
        pause = 0.0
        try:
            answer = await self._client.call(method, **arguments)
        except (ThreadGone, Unavailable) as error:
            # Slack does not give this fact without the scope, on free plans, or for a
            # private channel that the bot is not in.
            log.info("slack.no_fact %s", error)
            answer = {}
        except DeliveryError as error:
            log.warning("slack.fact_later %s", error)
            if isinstance(error, Throttled):
                pause = max(0.0, error.retry_after - RETRY)
        self._known[key] = self._clock() + pause, answer

    def _is_fresh(self, key: tuple[str, str]) -> bool:
        at, known = self._known.get(key, (float("-inf"), None))
        return self._clock() - at < (FRESH if known else RETRY)


def _is_outsider(who: Mapping[str, Any], team: str) -> bool:
    """Return whether somebody is a guest, is deactivated, or belongs to another
    organisation (facts A13)."""
    flags = ("is_restricted", "is_ultra_restricted", "is_stranger", "deleted")
    home = {
        who.get("team_id"),
        *((who.get("enterprise_user") or {}).get("teams") or ()),
    }
    return any(who.get(flag) for flag in flags) or team not in home
