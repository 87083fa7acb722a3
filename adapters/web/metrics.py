"""Exports the vitals of the process as Prometheus metrics. Pure.

Rule: labels are our own names, and the names of platforms and models. Ids of people,
channels and threads are never labels: their number is unbounded, and they do not belong
in monitoring.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bot.domain.reports import CallSum
from bot.domain.vitals import BUCKETS, Ages, Durations, Vitals

PREFIX = "threadkeep_"


class Metrics(Collector):
    """Collects the metrics of one moment."""

    def __init__(
        self,
        vitals: Vitals,
        turns: Sequence[Ages],
        calls: Sequence[CallSum],
        unready: Sequence[str],
    ) -> None:
        self._vitals = vitals
        self._turns = turns
        self._calls = calls
        self._unready = unready

    def collect(self) -> Iterable[Metric]:
        """Return all metrics."""
        return [
            *self._process(),
            *self._connections(),
            *self._open_turns(),
            *self._answers(),
            *self._writes(),
            *self._money(),
        ]

    def _process(self) -> Iterable[Metric]:
        vitals = self._vitals
        yield _gauge("ready", "1 if nothing keeps it from answering", not self._unready)
        info = _family("build_info", "The version that runs", ["version"])
        info.add_metric([vitals.version], 1)
        yield info
        yield _gauge("start_time_seconds", "When the process started", vitals.started)
        yield _gauge("event_loop_lag_seconds", "How late the loop is", vitals.lag)
        yield _gauge(
            "event_loop_worst_lag_seconds",
            "How late the loop was at most within a minute",
            vitals.worst_lag,
        )
        logged = CounterMetricFamily(
            f"{PREFIX}log_records",
            "Warnings and errors in the log",
            labels=["event", "level"],
        )
        for each in vitals.log:
            logged.add_metric([each.event, each.level], each.count)
        yield logged

    def _connections(self) -> Iterable[Metric]:
        names = ["platform"]
        connected = _family("platform_connected", "1 while it is connected", names)
        heard = _family("platform_last_event_seconds", "Time of its last event", names)
        again = CounterMetricFamily(
            f"{PREFIX}platform_reconnects", "Connections after the first", labels=names
        )
        events = CounterMetricFamily(
            f"{PREFIX}platform_events", "Events that arrived", labels=names
        )
        for each in self._vitals.connections:
            connected.add_metric([each.platform], each.since is not None)
            again.add_metric([each.platform], each.reconnects)
            events.add_metric([each.platform], each.events)
            if each.heard is not None:
                heard.add_metric([each.platform], each.heard)
        return [connected, heard, again, events]

    def _open_turns(self) -> Iterable[Metric]:
        names = ["platform", "state"]
        count = _family("open_turns", "Turns that are not delivered", names)
        age = _family("oldest_turn_seconds", "Age of the oldest of them", names)
        for each in self._turns:
            count.add_metric([each.platform, each.state], each.count)
            seconds = max(0.0, self._vitals.at - each.oldest)
            age.add_metric([each.platform, each.state], seconds)
        vitals = self._vitals
        yield count
        yield age
        yield _gauge("answers_running", "Answers being written", vitals.running)
        yield _gauge("answers_most", "Answers that may be at once", vitals.at_once)
        yield _gauge("threads_queued", "Threads that wait for a place", vitals.queued)

    def _answers(self) -> Iterable[Metric]:
        words = HistogramMetricFamily(
            f"{PREFIX}first_words_seconds",
            "From a question to its first words on the platform",
            labels=["platform"],
        )
        ends = HistogramMetricFamily(
            f"{PREFIX}answer_seconds",
            "From a question to the end of its answer on the platform",
            labels=["platform"],
        )
        for each in self._vitals.answers:
            _add(words, each.platform, each.first_words)
            _add(ends, each.platform, each.end)
        return [words, ends]

    def _writes(self) -> Iterable[Metric]:
        writes = CounterMetricFamily(
            f"{PREFIX}writes",
            "Writes of answers; limited means HTTP 429",
            labels=["platform", "kind", "result"],
        )
        for each in self._vitals.writes:
            labels = [each.platform, each.kind, each.result]
            writes.add_metric(labels, each.count)
        left = _family(
            "write_budget_ratio",
            "What is left of the scarcest budget of writes",
            ["platform", "kind"],
        )
        least: dict[tuple[str, str], float] = defaultdict(lambda: 1.0)
        for use in self._vitals.budgets:
            key = use.platform, use.kind
            least[key] = min(least[key], use.left / use.most)
        for (platform, kind), share in least.items():
            left.add_metric([platform, kind], share)
        return [writes, left]

    def _money(self) -> Iterable[Metric]:
        names = ["kind", "model"]
        calls = CounterMetricFamily(
            f"{PREFIX}model_calls", "Calls to models", labels=names
        )
        cost = CounterMetricFamily(
            f"{PREFIX}cost_usd", "What they cost, in USD", labels=names
        )
        tokens = CounterMetricFamily(
            f"{PREFIX}tokens", "Tokens of them", labels=[*names, "type"]
        )
        for each in self._calls:
            labels = [each.kind, each.model]
            calls.add_metric(labels, each.calls)
            cost.add_metric(labels, each.cost)
            used = each.usage
            for name, count in (
                ("input", used.input),
                ("cache_write", used.cache_write_5m + used.cache_write_1h),
                ("cache_read", used.cache_read),
                ("output", used.output),
            ):
                tokens.add_metric([*labels, name], count)
        return [calls, cost, tokens]


def _family(name: str, about: str, labels: list[str]) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, about, labels=labels)


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, about, value=float(value))


def _add(family: HistogramMetricFamily, platform: str, found: Durations) -> None:
    bounds = [*BUCKETS, math.inf]
    counts = [*found.upto, found.count]
    buckets = [
        (f"{bound:g}" if bound < math.inf else "+Inf", float(count))
        for bound, count in zip(bounds, counts, strict=True)
    ]
    family.add_metric([platform], buckets, found.total)
