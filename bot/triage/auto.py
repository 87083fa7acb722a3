"""Sorts each new message of the channels whose admins want that, and shows how urgent
it is.

Rule: a message is remembered before its event is acknowledged, and forgotten as work
only once people have seen what became of it; so a crash loses none.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from bot import telling
from bot.authority import Authority
from bot.background import Background
from bot.dialogue import Told
from bot.errors import AccessRevoked, DeliveryError, StorageError, ThreadGone, Throttled
from bot.money import Cap, Caps, Period
from bot.patience import insist
from bot.policy import OPERATOR, Policy
from bot.ports import Adapter
from bot.rules import Level, Place
from bot.served import ALL, Served
from bot.stores import Store
from bot.triage import shown
from bot.triage.cases import Case
from bot.triage.inchat import case_of
from bot.triage.scheme import Scheme
from bot.triage.sorter import AUTO, Sorter
from bot.values import Heard

log = logging.getLogger(__name__)

# How many messages are sorted at once, of all channels together.
AT_ONCE = 4

# How long Claude or a platform is tried, in seconds between tries.
PAUSES = (2.0, 10.0, 60.0, 300.0)

BROKE = "not sorted: what sorting may cost here a day was used up"
LATE = "not sorted: it was found too late"

# How often a case is tried, over restarts too, that cannot be sorted and shown.
MOST_TRIES = 5
GIVEN_UP = "not sorted: it failed again and again"

# What was said longer ago than this, in seconds, is not shown any more.
STALE = 86_400.0


class Auto:
    """Sorts by itself."""

    def __init__(
        self,
        store: Store,
        sorter: Sorter,
        authority: Authority,
        adapters: Mapping[str, Adapter],
        tasks: Background,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._sorter = sorter
        self._authority = authority
        self._adapters = adapters
        self._tasks = tasks
        self._now = now
        self._sleep = sleep
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._queues: dict[Place, asyncio.Lock] = {}
        self._going_on: set[asyncio.Task[None]] = set()
        #: Of which budgets it was told that they are used up, and on which day.
        self._told: dict[Place, str] = {}

    async def hear(self, heard: Heard) -> None:
        """Take in a message at the top of a channel. Raises StorageError."""
        if heard.addressed or heard.echo or not heard.opens:
            return
        if self._now() - heard.at > STALE:
            return
        policy = await self._authority.policy(Place.of(heard.thread))
        if not policy.on("auto_triage"):
            return
        if heard.automated and not policy.on("bots"):
            return
        # It costs the operator's money, whoever switched it on.
        if not await self._authority.admits_user(heard.author, policy.place):
            return
        [(_, text)] = await self._adapters[heard.thread.platform].readable([heard])
        if not text.strip():
            return
        case = await self._store.open_case(replace(case_of(heard, text), auto=True))
        if not case.shown:
            self._begin(case)

    async def take_up(self, served: Served = ALL) -> None:
        """Go on with what an earlier process left, where people are `served` still."""
        for case in await self._store.waiting_cases():
            place = case.place
            if place.platform not in self._adapters:
                continue
            if not served.holds(place.platform, place.workspace):
                continue
            if await self._authority.admits_user(case.author, place):
                self._begin(case)

    def close(self) -> None:
        """Leave what is under way to the next process."""
        for task in self._going_on:
            task.cancel()

    def _begin(self, case: Case) -> None:
        platform = case.place.platform
        task = self._tasks.start("triage", self._work(case), platform=platform)
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)

    async def _work(self, case: Case) -> None:
        # One after the other in each channel: what is set aside for one message would
        # else look to the next as if the budget was used up.
        queue = self._queues.setdefault(case.place.at(Level.CHANNEL), asyncio.Lock())
        async with queue, self._gate:
            # Counted before it is tried, so that one which ends the process ends no
            # more than a few of them.
            tries = await insist(lambda: self._store.record_case_try(case.id))
            if tries > MOST_TRIES:
                log.error("case.given_up place=%s case=%d", case.place, case.id)
                await self._leave(case, GIVEN_UP)
                return
            try:
                await self._sort(case)
            except (asyncio.CancelledError, AccessRevoked):
                # Shutting down, or a platform that turns us away, says nothing of
                # the case.
                with contextlib.suppress(StorageError):
                    await self._store.forget_case_try(case.id)
                raise
            except Exception:
                log.warning(
                    "case.not_shown place=%s case=%d tries=%d",
                    *(case.place, case.id, tries),
                )
                raise

    async def _leave(self, case: Case, reason: str) -> None:
        """Show nothing of `case`, any more, for `reason`."""
        await insist(lambda: self._store.settle_case(case.id, case.values, reason))
        await insist(lambda: self._store.show_case(case.id))

    async def _sort(self, case: Case) -> None:
        if self._now() - case.at > STALE:
            await self._leave(case, LATE)
            return
        policy = await insist(lambda: self._authority.policy(case.place))
        scheme = await insist(lambda: self._sorter.scheme(policy))
        found = await self._asked(case, scheme, policy)
        if found is None:
            # It stays, and the next process takes it up.
            return
        await self._show(found, scheme, policy)
        await insist(lambda: self._store.show_case(case.id))

    async def _asked(self, case: Case, scheme: Scheme, policy: Policy) -> Case | None:
        """`case`, sorted or marked; None while Claude cannot be asked."""
        caps = Caps((*policy.caps.budgets, _own(case.place, policy)))
        for pause in (*PAUSES, None):
            found = await self._sorter.sort(case, scheme, case.author, caps, AUTO)
            if not found.trouble:
                return found.case
            if found.broke:
                await self._tell_once(case.place, policy)
                settled = await insist(
                    lambda: self._store.settle_case(case.id, None, BROKE)
                )
                return settled or case
            if pause is not None:
                await self._sleep(pause)
        log.warning("case.left place=%s case=%d", case.place, case.id)
        return None

    async def _show(self, case: Case, scheme: Scheme, policy: Policy) -> None:
        if case.values is None:
            log.info("case.marked case=%d reason=%s", case.id, case.reason)
            return
        adapter, place = self._adapters[case.place.platform], case.place
        how, sign = policy["triage_sign"], shown.sign(case, scheme)
        if sign and how in ("reaction", "both"):
            await self._do(lambda: adapter.mark(place, case.message, sign))
        if how in ("label", "both"):
            told = shown.told(case, scheme)
            await self._do(lambda: adapter.post(place, told, case.message))
        if shown.rank(case, scheme) == 0 and (where := policy["triage_announce"]):
            there = Place(
                place.platform, place.workspace, where.removeprefix("channel:")
            )
            link = await self._do(lambda: adapter.link(place, case.message))
            text = (
                f"{shown.line(case, scheme)}\nSaid by {telling.person(case.author)} in "
                f"channel:{place.channel}: {link or ''}"
            )
            await self._do(lambda: adapter.post(there, Told(text, public=True)))

    async def _do(self, work: Callable[[], Awaitable[object]]) -> object:
        """Have something shown, in a few tries; what cannot be is for the log."""
        for pause in (*PAUSES, None):
            try:
                return await work()
            except ThreadGone as error:
                log.warning("case.not_shown %s", error)
                return None
            except DeliveryError as error:
                if pause is None:
                    log.warning("case.not_shown %s", error)
                    return None
                wait = error.retry_after if isinstance(error, Throttled) else pause
                await self._sleep(wait)
        return None

    async def _tell_once(self, place: Place, policy: Policy) -> None:
        """Tell whoever set it, once a day, that there is no money left."""
        channel, day = place.at(Level.CHANNEL), Period.DAY.name_at(self._now())
        log.warning("case.over_budget place=%s", channel)
        if self._told.get(channel) == day:
            return
        self._told[channel] = day
        who = policy.applied["auto_triage"].who
        if who == OPERATOR:
            return
        raiser = "`set triage_budget` changes it."
        if policy.least("triage_budget").who == OPERATOR:
            raiser = "This bot's operator can raise it."
        text = (
            f"What sorting new messages in channel:{channel.channel} may cost a day is "
            f"used up, so those of today stay unsorted. {raiser}"
        )
        adapter = self._adapters[place.platform]
        await self._do(lambda: adapter.tell(place.workspace, who, text))


def _own(place: Place, policy: Policy) -> Cap:
    """What sorting by itself may cost in the channel."""
    applied = policy.least("triage_budget")
    usd = float(applied.value)
    return Cap(place.at(Level.CHANNEL), Period.DAY, usd, applied.who, kind=AUTO)
