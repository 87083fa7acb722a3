"""People on Slack: who they are, and which user groups they are in.

Rule: facts only; the core decides.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from adapters.slack.client import SlackClient
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.errors import ThreadGone
from bot.runtime.lru import LruDict
from bot.ui.elements import Choice

# How long an answer of Slack's is cached, in seconds: an upper bound for how long a
# removed admin still counts; users.info allows 100 calls a minute (facts A5.1, A13).
FRESH = 300.0

# How many answers are cached.
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
        #: When each answer came, and the answer; by method and id.
        self._known: LruDict[tuple[str, str], tuple[float, Mapping[str, Any]]] = (
            LruDict(MOST)
        )

    async def person(self, place: Scope, user: str) -> Person:
        """Return who `user` is at `place`. Raises ThreadGone if the channel is not
        visible to the bot, or another DeliveryError."""
        who = (await self._ask("users.info", user, user=user)).get("user") or {}
        channel: Mapping[str, Any] = {}
        # Direct messages have no creator (facts A1.2).
        if place.channel and not place.channel.startswith("D"):
            found = await self._ask(
                "conversations.info", place.channel, channel=place.channel
            )
            channel = found.get("channel") or {}
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
                for group in groups
                if user in (group.get("users") or ())
            ),
        )

    async def groups(self) -> list[Choice]:
        """Return the workspace's user groups as choices."""
        return [
            Choice(str(group["id"]), f"@{group.get('handle') or group.get('name')}")
            for group in await self._groups()
        ]

    async def _groups(self) -> list[Mapping[str, Any]]:
        try:
            found = await self._ask("usergroups.list", "", include_users="true")
        except ThreadGone:
            # Without the scope the bot sees none; free plans have none, either.
            self._keep(("usergroups.list", ""), {})
            return []
        return list(found.get("usergroups") or ())

    async def _ask(self, method: str, each: str, **arguments: str) -> Mapping[str, Any]:
        at, known = self._known.get((method, each), (float("-inf"), {}))
        if self._clock() - at < FRESH:
            return known
        return self._keep((method, each), await self._client.call(method, **arguments))

    def _keep(
        self, key: tuple[str, str], answer: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        self._known[key] = self._clock(), answer
        return answer


def _is_outsider(who: Mapping[str, Any], team: str) -> bool:
    """Return whether somebody is a guest, deactivated, or of another organisation
    (facts A13)."""
    flags = ("is_restricted", "is_ultra_restricted", "is_stranger", "deleted")
    home = {
        who.get("team_id"),
        *((who.get("enterprise_user") or {}).get("teams") or ()),
    }
    return any(who.get(flag) for flag in flags) or team not in home
