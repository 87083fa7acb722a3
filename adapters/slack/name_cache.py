"""Looks up and caches the names of users and channels for the ids in messages.

Rule: names are optional, and no answer waits long for them. The lookups for a message
are limited in number and concurrency. They leave part of the rate limit to lookups of
permissions, which use the same methods. An id without a name stays an id.
"""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from adapters.slack.client import SlackClient
from bot.errors import DeliveryError, Throttled
from bot.runtime.lru import LruDict
from bot.text.characters import replace_invalid

log = logging.getLogger(__name__)

# How long a name is cached, in seconds. People rename themselves rarely.
REMEMBER = 600.0
# How long a failed lookup is cached, in seconds.
FORGET = 30.0
# The most names that are cached.
MOST = 5000

#: The most names of users and channels that are looked up for one message.
MOST_NAMES = 50
# The most names that are looked up at once, and the time limit for all of them, in
# seconds.
AT_ONCE = 4
PATIENCE = 5.0


# Ids of users. The author of a program's message may be the program's id, "B…", or a
# name.
_USER = re.compile(r"[UW][A-Z0-9]++")


@dataclass(slots=True)
class _Budget:
    """The share of one method's rate limit that names may use."""

    #: Calls a minute: about three quarters of Slack's limit (facts A5.1).
    rate: float
    #: The most calls at once.
    burst: float
    #: The time until which the calls so far use up the rate, or Slack asked to wait.
    used: float = float("-inf")

    def take(self, now: float) -> bool:
        """Count one more call. Return False if the budget does not allow it."""
        spacing = 60.0 / self.rate
        used = max(self.used, now)
        if used - now > (self.burst - 1) * spacing:
            return False
        self.used = used + spacing
        return True

    def pause(self, until: float) -> None:
        """Allow no call before `until`."""
        self.used = max(self.used, until + (self.burst - 1) * 60.0 / self.rate)


class NameCache:
    """Names of users and channels, by id."""

    def __init__(
        self, client: SlackClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._clock = clock
        #: The expiry and the name of each entry. The name is "" if the lookup failed.
        self._known: LruDict[str, tuple[float, str]] = LruDict(MOST)
        #: Names that came with messages. People from other organisations cannot always
        #: be looked up (facts A1.1).
        self._introduced: LruDict[str, str] = LruDict(MOST)
        # A lock lives while it is held or waited for.
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._users = _Budget(rate=75, burst=MOST_NAMES)
        self._channels = _Budget(rate=36, burst=18)

    @property
    def size(self) -> int:
        """Number of cached names."""
        return len(self._known) + len(self._introduced)

    def introduce(self, names: Mapping[str, str]) -> None:
        """Remember `names`, by id, that came with messages. They are used for people
        whose lookup finds no name."""
        for user, name in names.items():
            if name and _USER.fullmatch(user):
                self._introduced[user] = name

    async def find(
        self, users: Iterable[str], channels: Iterable[str] = ()
    ) -> dict[str, str]:
        """Return the known names of `users` and `channels`, by id. Names that are not
        cached are looked up in order, within the limits."""
        wanted = [("user", user) for user in users if _USER.fullmatch(user)]
        wanted += [("channel", channel) for channel in channels]
        if unknown := [each for each in wanted if not self._is_fresh(each[1])]:
            await self._learn_all(iter(unknown))
        found = {each: self._name(each) for _, each in wanted}
        return {each: name for each, name in found.items() if name}

    def _name(self, each: str) -> str:
        looked_up = self._known[each][1] if each in self._known else ""
        introduced = self._introduced.get(each, "")
        return looked_up or introduced

    def _is_fresh(self, each: str) -> bool:
        return each in self._known and self._known[each][0] >= self._clock()

    async def _learn_all(self, unknown: Iterator[tuple[str, str]]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*(self._learn(unknown) for _ in range(AT_ONCE)))

    async def _learn(self, unknown: Iterator[tuple[str, str]]) -> None:
        for kind, each in unknown:
            # With this lock, only one of fifty threads that one person starts at once
            # calls Slack.
            lock = self._asking.setdefault(each, asyncio.Lock())
            async with lock:
                if not self._is_fresh(each):
                    await self._ask(kind, each)

    async def _ask(self, kind: str, each: str) -> None:
        budget = self._users if kind == "user" else self._channels
        if not budget.take(self._clock()):
            return
        method = "users.info" if kind == "user" else "conversations.info"
        name, remember = "", FORGET
        try:
            answer = await self._client.call(method, **{kind: each})
        except Throttled as error:
            log.info("slack.nameless id=%s %s", each, error)
            budget.pause(self._clock() + error.retry_after)
            return
        except DeliveryError as error:
            # A name is optional, so the answer continues without it.
            log.info("slack.nameless id=%s %s", each, error)
        else:
            name, remember = _name(answer.get(kind) or {}), REMEMBER
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
            return replace_invalid(str(name))
    return ""
