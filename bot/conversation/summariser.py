"""Summarises the older part of a thread that has become long.

Rule 1: no answer waits for a summary. A summary begins when an answer is delivered,
also when a thread wakes after a long silence. That answer still reads the thread in
full, and the next answer reads the summary. So the first of the two is not written to
the prompt cache.

Rule 2: the cost of a summary is reserved under the budgets of the thread. If no budget
has room, or the summary is unusable, the thread stays as it is.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from bot.claude import catalog, cost, one_shot
from bot.claude.catalog import CHEAP_MODEL, ModelAvailability
from bot.context import cache_lifetime, prompt, summaries
from bot.conversation import waking
from bot.domain.budget import BudgetExceeded, Charge
from bot.domain.completion import Request
from bot.domain.scope import Scope, ThreadKey
from bot.domain.summary import ReadTurn, Summary
from bot.domain.thread_state import ThreadState
from bot.domain.turn import Outcome, Turn
from bot.errors import ModelError, StorageError
from bot.ports.model import Model
from bot.ports.store import SummariserStore
from bot.runtime.background import Background, end
from bot.runtime.lru import LruDict
from bot.runtime.offload import offload
from bot.settings import long_threads
from bot.settings.effective import EffectiveSettings

log = logging.getLogger(__name__)

# The longest time for one summary, in seconds: 8,192 tokens at 60 a second.
TIMEOUT = 150.0

# The most summaries in progress: each holds the text of a thread in memory.
MOST_AT_ONCE = 10

# After this many failures in a row, a thread is tried again only at twice its size.
MOST_FAILURES = 3

# The most threads whose failures are remembered. A restart forgets them.
MOST_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class _Failures:
    """Failed summaries of a thread in a row, and its size at the last one."""

    count: int = 0
    tokens: int = 0

    def forbid(self, tokens: int) -> bool:
        return self.count >= MOST_FAILURES and tokens < 2 * self.tokens


class Summariser:
    """Makes summaries in the background, one at a time in each thread."""

    def __init__(
        self,
        store: SummariserStore,
        model: Model,
        tasks: Background,
        secret: str,
        survey: Callable[[], ModelAvailability | None],
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._model = model
        self._tasks = tasks
        self._secret = secret
        self._survey = survey
        self._now = now
        self._running: dict[ThreadKey, asyncio.Task[None]] = {}
        self._failures: LruDict[ThreadKey, _Failures] = LruDict(MOST_REMEMBERED)
        self._closed = False

    def consider(
        self,
        turn: Turn,
        outcome: Outcome,
        settings: EffectiveSettings,
        begun: float,
        sent: Request | None,
    ) -> None:
        """Begin a summary of the thread of `turn` if it is due.

        Called when the answer with `outcome` to the request `sent` is delivered. The
        answer began at `begun`.
        """
        thread = turn.thread
        tokens = outcome.usage.prompt + outcome.usage.output
        if not self._may_summarise(thread, tokens, settings):
            return
        work = self._summarise(turn, outcome, settings, begun, sent)
        task = self._tasks.start("summary", work, platform=thread.platform)
        self._running[thread] = task
        task.add_done_callback(lambda _: self._running.pop(thread, None))

    async def wakes(
        self,
        turn: Turn,
        settings: EffectiveSettings,
        begun: float,
        state: ThreadState,
    ) -> bool:
        """Return whether the thread, silent until now, is summarised after this answer.

        The answer to `turn` begins at `begun` from `state`. If the thread is
        summarised, no later request repeats what this answer reads, and caching it does
        not pay.
        """
        mark, tokens = int(settings["summary_at"]), state.tokens
        if not self._may_summarise(turn.thread, tokens, settings):
            return False
        pays = self._pays(turn, tokens, settings, state.asked_at, begun)
        if not summaries.is_due(tokens, mark, silent=True, pays=pays):
            return False
        try:
            if not await self._was_silent(turn, begun):
                return False
            turns = await self._store.read_turns(turn.thread)
        except StorageError as error:
            # An answer must not fail because of this.
            log.warning("thread.unknown_size thread=%s %s", turn.thread, error)
            return False
        return summaries.cut(turns, tokens, mark, silent=True) > 0

    def _may_summarise(
        self, thread: ThreadKey, tokens: int, settings: EffectiveSettings
    ) -> bool:
        """Return whether a summary of `thread` can begin now, if the thread was silent.

        `tokens` is the size of the thread.
        """
        if settings["long_threads"] not in long_threads.REPLACING:
            return False
        mark = int(settings["summary_at"])
        if not summaries.is_due(tokens, mark, silent=True, pays=True):
            return False
        if self._closed or thread in self._running:
            return False
        failures = self._failures.get(thread, _Failures())
        return not failures.forbid(tokens) and len(self._running) < MOST_AT_ONCE

    def close(self) -> None:
        """Cancel the summaries in progress, and begin no more."""
        self._closed = True
        for task in self._running.values():
            end(task)

    async def _summarise(
        self,
        turn: Turn,
        outcome: Outcome,
        settings: EffectiveSettings,
        begun: float,
        sent: Request | None,
    ) -> None:
        thread, mark = turn.thread, int(settings["summary_at"])
        silent = await self._was_silent(turn, begun)
        reported = outcome.usage.prompt + outcome.usage.output
        if not summaries.is_due(reported, mark, silent=silent, pays=True):
            return
        newest = cache_lifetime.QUESTIONS
        times = await self._store.question_times(thread, newest) if silent else []
        turns = await self._store.read_turns(thread)
        uses = outcome.usage.searches + outcome.usage.fetches + len(outcome.asked)
        searched = uses > 0
        tokens = summaries.size(turns, reported, searched=searched)
        count = summaries.cut(turns, tokens, mark, silent=silent)
        pays = silent and self._pays(turn, tokens, settings, times, begun)
        if not count or not summaries.is_due(tokens, mark, silent=silent, pays=pays):
            return
        covered = turns[:count]
        request = await self._request(turn, covered, settings, sent)
        charge = Charge(Scope.of(thread), turn.asker, "summary", request.model)
        completion = await one_shot.complete_charged(
            *(self._store, self._model, request, charge, settings.caps),
            timeout=TIMEOUT,
            now=self._now,
        )
        if isinstance(completion, BudgetExceeded):
            log.info("thread.summary_over_budget thread=%s", thread)
            return
        if request.compacts:
            text = completion.text if completion.block else None
        else:
            text = summaries.read(completion.text, completion.stop_reason)
        if text is None or completion.trouble:
            count = self._failures.get(thread, _Failures()).count + 1
            self._failures[thread] = _Failures(count, reported)
            reason = completion.stop_reason or "trouble"
            log.warning("thread.not_summarised thread=%s reason=%s", thread, reason)
            return
        self._failures.pop(thread, None)
        messages = summaries.count_covered(covered)
        summary = Summary(
            text=text,
            content=summaries.content(text, covered),
            messages=messages,
            model=request.model,
            at=self._now(),
            usage=completion.usage,
            cost=completion.cost,
            block=completion.block,
        )
        stored = await self._store.store_summary(thread, covered, summary)
        log.info(
            "thread.summarised thread=%s messages=%d tokens=%d stored=%s",
            *(thread, messages, completion.usage.output, stored),
        )

    def _pays(
        self,
        turn: Turn,
        tokens: int,
        settings: EffectiveSettings,
        times: Sequence[float],
        begun: float,
    ) -> bool:
        """Return whether a summary of a waking thread of `tokens` tokens pays."""
        return waking.pays(
            model=settings["model"],
            cheap=self._maker(turn, settings),
            tokens=tokens,
            mark=int(settings["summary_at"]),
            times=times,
            at=begun,
        )

    async def _was_silent(self, turn: Turn, begun: float) -> bool:
        """Return whether the cache held nothing of the thread when `turn` began."""
        before = await self._store.previous_turn(turn)
        return before is not None and begun - before.touched > summaries.SILENCE

    async def _request(
        self,
        turn: Turn,
        covered: list[ReadTurn],
        settings: EffectiveSettings,
        sent: Request | None,
    ) -> Request:
        if sent and self._compacts(turn, settings):
            compaction = summaries.compaction(covered, sent)
            if compaction is not None:
                return await self._with_count(compaction)
        model = self._cheapest(settings)
        facts = catalog.find(model)
        effort = "low" if facts and facts.takes_effort else None
        user = prompt.opaque(turn.asker, turn.thread.workspace, self._secret)
        size = sum(each.size for each in covered)
        make = partial(summaries.request, covered, model, effort, user)
        return await self._with_count(await offload(make, size))

    async def _with_count(self, request: Request) -> Request:
        """Return `request` with the counted size of its prompt, if the API counts
        it."""
        with suppress(ModelError):
            # Counting is free. Without a count, each byte is reserved as a token: four
            # times more.
            tokens = cost.prompt_ceiling(await self._model.count(request))
            request = replace(request, prompt_most=tokens)
        return request

    def _compacts(self, turn: Turn, settings: EffectiveSettings) -> bool:
        """Return whether the API should and can compact the thread of `turn`.

        After one failure, our own summary is made instead.
        """
        survey = self._survey()
        return (
            settings["long_threads"] == long_threads.COMPACT
            and survey is not None
            and survey.compaction.get(settings["model"], False)
            and turn.thread not in self._failures
        )

    def _maker(self, turn: Turn, settings: EffectiveSettings) -> str:
        """Return the model that makes the summary of the thread."""
        if self._compacts(turn, settings):
            return settings["model"]
        return self._cheapest(settings)

    def _cheapest(self, settings: EffectiveSettings) -> str:
        """Return the cheap model, or the thread's model if the account lacks the cheap
        one."""
        survey = self._survey()
        if survey is None or not catalog.refused(CHEAP_MODEL, survey):
            return CHEAP_MODEL
        return settings["model"]
