"""Automatic triage: classifies each new message of a channel, and shows its urgency.

Rule 1: a message is stored before its event is acknowledged, and is done only when its
result has been shown. So a crash loses no message.
Rule 2: waiting cases are in the store. Memory holds only their ids, in a queue that is
fair between channels (`bot.runtime.fair_queue`). The text is read when the case begins.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from bot.domain.budget import Budget, BudgetLimits, Period
from bot.domain.message import Message
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import OPERATOR
from bot.domain.triage_case import TriageCase
from bot.errors import (
    AccessRevoked,
    StorageError,
)
from bot.messages import triage as messages
from bot.ports.platform import Adapter
from bot.ports.store import AutoTriageStore
from bot.runtime.background import Background
from bot.runtime.fair_queue import FairQueue
from bot.runtime.lru import LruDict
from bot.runtime.retry import retry_until_success, retrying
from bot.schemes.scheme import Scheme
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings
from bot.settings.parsers import stored_usd
from bot.text import references
from bot.triage.chat.classifier import AUTO, Classifier
from bot.triage.chat.commands import case_of
from bot.triage.chat.results import PAUSES, Results

log = logging.getLogger(__name__)

# The most cases in progress, over all channels.
AT_ONCE = 4

# The most waiting cases whose ids are in memory; others stay in the store until there
# is room.
MOST_WAITING = 10_000

# The most channels that are remembered as told about their budget today.
MOST_TOLD = 1_000

BROKE = messages.BUDGET_USED_UP
LATE = messages.FOUND_TOO_LATE

# The most tries of a case that cannot be classified and shown, across restarts.
MOST_TRIES = 5
GIVEN_UP = messages.FAILED_AGAIN

# The age in seconds after which the result of a message is no longer shown.
STALE = 86_400.0


class AutoTriage:
    """Classifies new messages automatically."""

    def __init__(
        self,
        store: AutoTriageStore,
        sorter: Classifier,
        access: SettingsAccess,
        adapters: Mapping[str, Adapter],
        tasks: Background,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        serves: Callable[[Scope], bool] = lambda place: True,
        is_shared: bool = False,
    ) -> None:
        self._store = store
        self._retrying_store = retrying(store)
        self._sorter = sorter
        self._access = access
        self._adapters = adapters
        # Platforms without a messenger have no automatic triage.
        self._platforms = tuple(
            name for name, adapter in adapters.items() if adapter.messenger is not None
        )
        self._tasks = tasks
        self._serves = serves
        #: Whether the store wakes the process that should classify a new case (`sort`).
        self._is_shared = is_shared
        self._now = now
        self._sleep = sleep
        self._results = Results(adapters, access, self._sleep)
        #: The waiting cases, by channel.
        self._waiting: FairQueue[int, Scope] = FairQueue(MOST_WAITING)
        #: The cases in progress, with their channels.
        self._under_way: dict[int, Scope] = {}
        #: The cases that this process began. Those that it could not finish resume at
        #: the next start.
        self._taken: LruDict[int, None] = LruDict(MOST_WAITING)
        #: Whether further cases may wait in the store.
        self._left = False
        self._fetching = False
        self._going_on: set[asyncio.Task[None]] = set()
        self._closed = False
        #: The budgets that were reported as used up, and the day.
        self._told: LruDict[Scope, str] = LruDict(MOST_TOLD)

    async def receive(self, message: Message, *, edited: bool = False) -> None:
        """Open a case for a top-level message of a channel with automatic triage; if
        the message was `edited`, only replace the text of its case. Raises
        StorageError."""
        if message.echo or not message.opens or (message.addressed and not edited):
            return
        if message.thread.platform not in self._platforms:
            return
        if self._now() - message.at > STALE and not edited:
            return
        policy = await self._access.policy(Scope.of(message.thread))
        if not policy.on("auto_triage"):
            return
        if message.automated and not policy.on("bots"):
            return
        # Triage costs the operator's money, whoever enabled it.
        if not await self._access.admits_user(message.author, policy.place):
            return
        [(_, text)] = await self._adapters[message.thread.platform].readable([message])
        if not text.strip() and not edited:
            return
        case = replace(case_of(message, text), auto=True)
        case = await self._store.open_case(case, known=edited)
        if case.text and not case.shown:
            self._begin(case)

    async def take_up(self) -> None:
        """Resume the open cases of an earlier process, in workspaces that are still
        served."""
        most = MOST_WAITING + len(self._taken)
        self._left = False
        found = await self._store.waiting_cases(self._platforms, most, self._serves)
        self._left |= len(found) >= most
        for id, channel in found:
            if id not in self._taken:
                self._wait(id, channel)
        self._fill()

    async def sort(self, case: int, channel: Scope) -> bool:
        """Process one case, which another process may have opened. Return False if it
        cannot begin now, as when too many are in progress. Raises nothing."""
        if (
            self._closed
            or len(self._under_way) >= AT_ONCE
            or not self._is_idle(channel)
        ):
            return False
        await asyncio.wait({self._start_case(case, channel)})
        return True

    def close(self) -> None:
        """Cancel running tasks; open cases resume at the next start."""
        self._closed = True
        self._waiting.clear()
        for task in self._going_on:
            task.cancel()

    def _begin(self, case: TriageCase) -> None:
        if self._is_shared:
            # The write that stored the case has already woken a process.
            return
        self._wait(case.id, case.place.at(ScopeLevel.CHANNEL))
        self._fill()

    def _wait(self, id: int, channel: Scope) -> None:
        if id not in self._under_way:
            self._left |= self._waiting.put(id, channel, id) is not None

    def _fill(self) -> None:
        """Begin as many cases as may run, and fetch more if there is room."""
        while not self._closed and len(self._under_way) < AT_ONCE:
            entry = self._waiting.take(self._is_idle)
            if entry is None:
                break
            self._start_case(entry.item, entry.owner)
        room = len(self._waiting) <= MOST_WAITING // 2
        if self._left and room and not self._fetching and not self._closed:
            self._fetching = True
            task = self._tasks.start("fetch cases", self._fetch())
            self._going_on.add(task)
            task.add_done_callback(self._going_on.discard)

    def _start_case(self, id: int, channel: Scope) -> asyncio.Task[None]:
        self._under_way[id] = channel
        self._taken[id] = None
        work = self._take(id, channel)
        task = self._tasks.start("triage", work, platform=channel.platform)
        self._going_on.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            # A callback also runs if the task was cancelled before its first step.
            self._going_on.discard(task)
            del self._under_way[id]
            self._fill()

        task.add_done_callback(ended)
        return task

    def _is_idle(self, channel: Scope) -> bool:
        # One case at a time per channel: otherwise the amount reserved for one message
        # could make the budget look used up for the next.
        return channel not in self._under_way.values()

    async def _take(self, id: int, channel: Scope) -> None:
        """Process one case."""
        case = await self._retrying_store.case(id)
        # The case may have been deleted while it waited.
        if case is None or case.shown:
            return
        if await self._access.admits_user(case.author, channel):
            await self._work(case)

    async def _fetch(self) -> None:
        try:
            await retry_until_success(self.take_up)
        finally:
            self._fetching = False

    async def _work(self, case: TriageCase) -> None:
        # Counted before the try, so that a case that crashes the process does so only a
        # few times.
        tries = await self._retrying_store.record_case_try(case.id)
        if tries > MOST_TRIES:
            log.error("case.given_up place=%s case=%d", case.place, case.id)
            await self._leave(case, GIVEN_UP)
            return
        try:
            # The last process to try may have been killed while it showed the result.
            await self._sort(case, again=tries > 1 or case.values is not None)
        except (asyncio.CancelledError, AccessRevoked):
            # A shutdown or a revoked token says nothing about the case.
            with contextlib.suppress(StorageError):
                await self._store.forget_case_try(case.id)
            raise
        except Exception:
            log.warning(
                "case.not_shown place=%s case=%d tries=%d",
                *(case.place, case.id, tries),
            )
            raise

    async def _leave(self, case: TriageCase, reason: str) -> None:
        """Close `case` without showing it, for `reason`."""
        await self._retrying_store.record_case_result(case.id, case.values, reason)
        await self._retrying_store.mark_case_shown(case.id)

    async def _sort(self, case: TriageCase, *, again: bool) -> None:
        if self._now() - case.at > STALE:
            await self._leave(case, LATE)
            return
        if await self._is_deleted(case):
            return
        policy = await retry_until_success(lambda: self._access.policy(case.place))
        scheme = await retry_until_success(lambda: self._sorter.scheme(policy))
        found = await self._ask(case, scheme, policy)
        if found is None:
            # The case stays open for the next process.
            return
        if await self._is_deleted(case):
            return
        await self._results.show(found, scheme, policy, again=again)
        await self._retrying_store.mark_case_shown(case.id)

    async def _is_deleted(self, case: TriageCase) -> bool:
        """Return True if the message was deleted in the meantime."""
        return await self._retrying_store.case(case.id) is None

    async def _ask(
        self, case: TriageCase, scheme: Scheme, policy: EffectiveSettings
    ) -> TriageCase | None:
        """Return `case`, classified or marked; None if Claude cannot be asked now."""
        caps = BudgetLimits((*policy.caps.budgets, _own(case.place, policy)))
        for pause in (*PAUSES, None):
            found = await self._sorter.classify(case, scheme, case.author, caps, AUTO)
            if not found.trouble:
                return found.case
            if found.broke:
                await self._tell_once(case.place, policy)
                return (
                    await self._retrying_store.record_case_result(case.id, None, BROKE)
                    or case
                )
            if pause is not None:
                await self._sleep(pause)
        log.warning("case.left place=%s case=%d", case.place, case.id)
        return None

    async def _tell_once(self, place: Scope, policy: EffectiveSettings) -> None:
        """Tell the person who enabled automatic triage, once a day, that the budget is
        used up."""
        channel, day = place.at(ScopeLevel.CHANNEL), Period.DAY.name_at(self._now())
        log.warning("case.over_budget place=%s", channel)
        if self._told.get(channel) == day:
            return
        self._told[channel] = day
        who = policy.applied["auto_triage"].who
        if who == OPERATOR:
            return
        raiser = messages.CHANGED_BY_COMMAND
        if policy.least("triage_budget").who == OPERATOR:
            raiser = messages.CHANGED_BY_OPERATOR
        used_up = _own(place, policy).usd > 0
        say = messages.auto_budget_used_up if used_up else messages.auto_budget_zero
        text = say(channel=references.channel(channel.channel), who=raiser)
        await self._results.tell(place, who, text)


def _own(place: Scope, policy: EffectiveSettings) -> Budget:
    """Return the budget of automatic triage in the channel of `place`."""
    applied = policy.least("triage_budget")
    usd = stored_usd(applied.value)
    return Budget(place.at(ScopeLevel.CHANNEL), Period.DAY, usd, applied.who, kind=AUTO)
