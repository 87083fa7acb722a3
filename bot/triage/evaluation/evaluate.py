"""Has labelled tickets sorted by one or more schemes and models, and scores them."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import anthropic
from rich.console import Console

from bot.errors import ConfigError
from bot.ports.archive import Archive, Row, every
from bot.schemes.scheme import Scheme, read
from bot.triage.bulk import runs
from bot.triage.bulk.progress import Screen
from bot.triage.bulk.reader import Source, text_of
from bot.triage.bulk.runs import Runner
from bot.triage.evaluation.metrics import Metrics, MetricsBuilder, labelled_fields


@dataclass(frozen=True, slots=True)
class Candidate:
    """A scheme and a model that are judged."""

    #: What people call the scheme.
    name: str
    scheme: str
    model: str


async def judge(
    archive: Archive,
    source: Source,
    contenders: Sequence[Candidate],
    client: anthropic.AsyncAnthropic,
    *,
    by: str,
    at_once: int,
    budget: float | None,
    console: Console,
) -> list[Metrics]:
    """The score of each of `contenders` on `source`, also by the values of its column
    `by`; `budget` is for each of them. Progress is shown on `console`.

    Raises ConfigError for labels that a scheme does not have, before anybody is asked;
    and what `Runner.sort` does.
    """
    if by and by not in source.columns:
        raise ConfigError(f"{source.name} has no column `{by}`.")
    schemes = [read(each.scheme, each.name) for each in contenders]
    for each, scheme in zip(contenders, schemes, strict=True):
        scoring = _scoring(source, each, scheme, by)
        for ticket in source.tickets():
            unasked = Row(ticket.position, "", ticket.row)
            scoring.add(unasked, _name(source, unasked), ticket.text)
    return [
        await _one(archive, source, each, scheme, client, by, at_once, budget, console)
        for each, scheme in zip(contenders, schemes, strict=True)
    ]


async def _one(
    archive: Archive,
    source: Source,
    contender: Candidate,
    scheme: Scheme,
    client: anthropic.AsyncAnthropic,
    by: str,
    at_once: int,
    budget: float | None,
    console: Console,
) -> Metrics:
    run = await runs.begin(
        archive,
        source,
        scheme=contender.scheme,
        model=contender.model,
        batched=False,
        outputs=(),
        budget=budget,
    )
    with Screen(console) as shown:
        runner = Runner(
            archive, run, client, at_once, told=shown.show, troubled=shown.trouble
        )
        began = time.monotonic()
        await runner.sort()
        seconds = time.monotonic() - began
    scoring = _scoring(source, contender, scheme, by)
    async for row in every(partial(archive.rows, run.id)):
        scoring.add(row, _name(source, row), text_of(row.row, run.texts))
    score = scoring.done()
    tally = await archive.tally(run.id)
    if tally.questions and not tally.unpriced:
        score.cost_per_1000 = 1000 * tally.cost / tally.questions
    if runner.progress.fresh:
        score.seconds_per_1000 = 1000 * seconds / runner.progress.fresh
    await archive.finish(run.id)
    return score


def _scoring(
    source: Source, contender: Candidate, scheme: Scheme, by: str
) -> MetricsBuilder:
    labels = labelled_fields(scheme, source.columns)
    return MetricsBuilder(contender.name, scheme, contender.model, labels, by=by)


def _name(source: Source, row: Row) -> str:
    return str(row.row.get(source.id) or row.position)


def as_json(found: Sequence[Metrics]) -> str:
    """All scores for programs."""
    plain = [score.as_json() for score in found]
    return json.dumps(plain, ensure_ascii=False, indent=2) + "\n"
