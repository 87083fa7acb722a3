"""Collects the vitals of the process."""

import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping

from bot.delivery.write_scheduler import WriteScheduler
from bot.domain.turn import Turn
from bot.domain.vitals import AnswerTimes, BudgetUse, Vitals, WriteCount
from bot.runtime.installed import threadkeep_version
from bot.vitals.connections import Connections
from bot.vitals.durations import DurationCounter
from bot.vitals.log_counts import LogCounter
from bot.vitals.loop_lag import LoopLag


class ProcessVitals:
    """The vitals of this process, for the `platforms` that were set up, at most
    `at_once` answers and the write schedulers of each platform."""

    def __init__(
        self,
        platforms: Iterable[str],
        schedulers: Callable[[], Mapping[str, WriteScheduler]],
        load: Callable[[], tuple[int, int]],
        failures: Callable[[], Mapping[str, Exception]],
        *,
        at_once: int,
        now: Callable[[], float] = time.time,
    ) -> None:
        names = tuple(platforms)
        self._now = now
        self._started = now()
        self._version = threadkeep_version()
        self._schedulers = schedulers
        self._load = load
        self._failures = failures
        self._at_once = at_once
        self.connections = Connections(names, now)
        self.lag = LoopLag()
        self._log = LogCounter(now)
        self._first_words = {name: DurationCounter() for name in names}
        self._ends = {name: DurationCounter() for name in names}

    def count_log(self) -> Callable[[], None]:
        """Count warnings and errors from now on; return a function that stops it."""
        root = logging.getLogger()
        root.addHandler(self._log)
        return lambda: root.removeHandler(self._log)

    def answered(self, turn: Turn, first_words: float | None, end: float) -> None:
        """Record the times of the first words of `turn`, None if there were none, and
        of its end."""
        platform = turn.thread.platform
        if first_words is not None:
            self._first_words[platform].add(first_words - turn.received)
        self._ends[platform].add(end - turn.received)

    def read(self) -> Vitals:
        """Return the vitals now."""
        running, queued = self._load()
        schedulers = self._schedulers()
        return Vitals(
            at=self._now(),
            started=self._started,
            version=self._version,
            pid=os.getpid(),
            connections=self.connections.all(self._failures()),
            running=running,
            at_once=self._at_once,
            queued=queued,
            budgets=tuple(_budgets(schedulers)),
            writes=tuple(
                WriteCount(platform, kind.value, result, count)
                for platform, scheduler in schedulers.items()
                for (kind, result), count in sorted(
                    scheduler.results.items(), key=lambda each: each[0][0].value
                )
            ),
            answers=tuple(
                AnswerTimes(name, words.read(), self._ends[name].read())
                for name, words in self._first_words.items()
            ),
            log=self._log.read(),
            lag=self.lag.last,
            worst_lag=self.lag.worst,
            echoes=self.connections.echoes,
        )


def _budgets(schedulers: Mapping[str, WriteScheduler]) -> Iterable[BudgetUse]:
    for platform, scheduler in schedulers.items():
        for use in scheduler.in_use():
            scope = ":".join(use.names)
            yield BudgetUse(
                *(platform, use.kind.value, scope),
                left=use.left,
                most=use.most,
                closed=use.closed,
                waiting=use.waiting,
            )
