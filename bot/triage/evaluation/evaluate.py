"""Classifies labelled tickets with one or more schemes and models, and scores them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bot.claude.client import ClaudeClient
from bot.errors import ConfigError
from bot.messages import triage_files as messages
from bot.ports.archive import Archive, Row, every
from bot.runtime import terminal
from bot.schemes.scheme import Scheme, read
from bot.triage.bulk import nested, runs
from bot.triage.bulk.progress import Screen
from bot.triage.bulk.reader import Source
from bot.triage.bulk.runs import Runner
from bot.triage.bulk.ticket_text import text_of
from bot.triage.evaluation.metrics import Metrics, MetricsBuilder, labelled_fields


@dataclass(frozen=True, slots=True)
class Candidate:
    """A scheme and a model to evaluate."""

    #: The name of the scheme, for people.
    name: str
    scheme: str
    model: str


async def evaluate(
    archive: Archive,
    source: Source,
    candidates: Sequence[Candidate],
    client: ClaudeClient,
    *,
    by: str,
    at_once: int,
    budget: float | None,
) -> list[Metrics]:
    """Return the metrics of each of `candidates` on `source`, also grouped by the
    values of the column `by`; each candidate may spend `budget`.

    Raises ConfigError if a label is not in a scheme, before any call is made, and the
    exceptions of `Runner.classify`.
    """
    if by and by not in source.columns:
        raise ConfigError(messages.no_column(file=source.name, column=by))
    schemes = [read(each.scheme, each.name) for each in candidates]
    for each, scheme in zip(candidates, schemes, strict=True):
        builder = _builder(source, each, scheme, by)
        for ticket in source.tickets():
            labels = Row(ticket.position, "", ticket.row)
            builder.add(labels, _name(source, labels), ticket.text)
    return [
        await _one(archive, source, each, scheme, client, by, at_once, budget)
        for each, scheme in zip(candidates, schemes, strict=True)
    ]


async def _one(
    archive: Archive,
    source: Source,
    candidate: Candidate,
    scheme: Scheme,
    client: ClaudeClient,
    by: str,
    at_once: int,
    budget: float | None,
) -> Metrics:
    run = await runs.begin(
        archive,
        source,
        scheme=candidate.scheme,
        model=candidate.model,
        batched=False,
        outputs=(),
        budget=budget,
    )
    with Screen(terminal.console(stderr=True)) as shown:
        runner = Runner(
            archive,
            run,
            client,
            at_once,
            on_progress=shown.show,
            on_trouble=shown.trouble,
        )
        began = time.monotonic()
        await runner.classify()
        seconds = time.monotonic() - began
    builder = _builder(source, candidate, scheme, by)
    async for row in every(partial(archive.rows, run.id)):
        builder.add(row, _name(source, row), text_of(row.row, run.texts))
    metrics = builder.build()
    tally = await archive.tally(run.id)
    if tally.questions and not tally.unpriced:
        metrics.cost_per_1000 = 1000 * tally.cost / tally.questions
    if runner.progress.fresh:
        metrics.seconds_per_1000 = 1000 * seconds / runner.progress.fresh
    await archive.finish(run.id)
    return metrics


def _builder(
    source: Source, candidate: Candidate, scheme: Scheme, by: str
) -> MetricsBuilder:
    labels = labelled_fields(scheme, source.columns)
    return MetricsBuilder(candidate.name, scheme, candidate.model, labels, by=by)


def _name(source: Source, row: Row) -> str:
    return str(nested.value(row.row, source.id) or row.position)


def as_json(found: Sequence[Metrics]) -> str:
    """Return all metrics as JSON."""
    return terminal.as_json([each.as_json() for each in found], indent=2)
