"""Finds the names that people see for Slack's ids, and remembers them a while."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from weakref import WeakValueDictionary

from adapters.slack.client import SlackClient
from bot.errors import DeliveryError

log = logging.getLogger(__name__)

# People rename themselves rarely; users.info allows 100 calls a minute
# (platform facts A5.1, A13).
REMEMBER = 600.0
# How long a name that could not be had is not asked for again.
FORGET = 30.0
MOST = 5000


class Names:
    """Names of users and channels by id. An id nobody can name stays itself."""

    def __init__(
        self, client: SlackClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._clock = clock
        #: When to ask again, and the name; "" if there was none to be had.
        self._known: dict[str, tuple[float, str]] = {}
        # A lock lives as long as somebody waits for it.
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def find(
        self, users: Iterable[str], channels: Iterable[str] = ()
    ) -> dict[str, str]:
        """The names of `users` and `channels`, by id; unknown ones left out."""
        wanted = {user: ("users.info", "user") for user in users if user}
        wanted |= {each: ("conversations.info", "channel") for each in channels}
        await asyncio.gather(*(self._learn(each, *wanted[each]) for each in wanted))
        found = {each: self._known[each][1] for each in wanted if each in self._known}
        return {each: name for each, name in found.items() if name}

    async def _learn(self, each: str, method: str, argument: str) -> None:
        # Fifty threads of one person begin at once, and one of them asks.
        lock = self._asking.setdefault(each, asyncio.Lock())
        async with lock:
            if each not in self._known or self._known[each][0] < self._clock():
                await self._ask(each, method, argument)

    async def _ask(self, each: str, method: str, argument: str) -> None:
        name, remember = "", FORGET
        try:
            answer = await self._client.call(method, **{argument: each})
        except DeliveryError as error:
            # A name is nice to have; the answer does not wait for it.
            log.info("slack.nameless id=%s %s", each, error)
        else:
            name, remember = _name(answer.get(argument) or {}), REMEMBER
        if len(self._known) >= MOST:
            self._known.pop(next(iter(self._known)))
        self._known[each] = (self._clock() + remember, name)


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
