"""Finds the names that people see for Slack's ids, and remembers them a while."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from adapters.slack.client import SlackClient
from bot.errors import DeliveryError

# People rename themselves rarely; users.info allows 100 calls a minute
# (platform facts A5.1, A13).
REMEMBER = 600.0
MOST = 5000


class Names:
    """Names of users and channels by id. An id nobody can name stays itself."""

    def __init__(
        self, client: SlackClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._clock = clock
        self._known: dict[str, tuple[float, str]] = {}

    async def find(
        self, users: Iterable[str], channels: Iterable[str] = ()
    ) -> dict[str, str]:
        """The names of `users` and `channels`, by id; unknown ones left out."""
        wanted = {user: ("users.info", "user") for user in users if user}
        wanted |= {each: ("conversations.info", "channel") for each in channels}
        stale = [each for each in wanted if self._expired(each)]
        await asyncio.gather(*(self._ask(each, *wanted[each]) for each in stale))
        return {each: self._known[each][1] for each in wanted if each in self._known}

    def _expired(self, each: str) -> bool:
        return each not in self._known or self._known[each][0] < self._clock()

    async def _ask(self, each: str, method: str, argument: str) -> None:
        try:
            answer = await self._client.call(method, **{argument: each})
        except DeliveryError:
            # A name is nice to have; the answer does not wait for it.
            return
        if name := _name(answer.get(argument) or {}):
            if len(self._known) >= MOST:
                self._known.pop(next(iter(self._known)))
            self._known[each] = (self._clock() + REMEMBER, name)


def _name(thing: Mapping[str, Any]) -> str:
    profile = thing.get("profile") or {}
    for name in (
        profile.get("display_name"),
        profile.get("real_name"),
        thing.get("real_name"),
        thing.get("name"),
    ):
        if name:
            return str(name)
    return ""
