"""Triage for other programs: `from bot.triage import classify`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from bot.claude.catalog import CHEAP_MODEL
from bot.messages.triage_files import LEFT_FOR_BUDGET
from bot.schemes.scheme import Scheme, default, read
from bot.text.characters import is_blank, replace_invalid
from bot.triage.answer import EMPTY, Answer
from bot.triage.bulk.concurrent import AT_ONCE, ConcurrentClassifier, Question
from bot.triage.bulk.config import TriageConfig, scheme_text
from bot.triage.bulk.request import resolve_model
from bot.triage.bulk.spend_limit import BudgetReached, SpendLimit

#: The reason for a ticket that the budget did not allow.
BROKE = LEFT_FOR_BUDGET


def classify(
    tickets: Iterable[str],
    *,
    scheme: Scheme | Path | str | None = None,
    model: str = CHEAP_MODEL,
    at_once: int = AT_ONCE,
    budget: float | None = None,
    api_key: str | None = None,
) -> list[Answer]:
    """Classify `tickets`; return an Answer for each, in order.

    The `values` of an answer are keyed by the fields of the scheme, or None if there is
    a `reason`. `scheme` is a scheme or the path of a YAML file; None means category,
    priority and summary. At most `budget` (USD) is spent. `api_key` defaults to the key
    in the environment. Nothing is written to disk.
    Raises ConfigError (an invalid scheme, key or budget) and ModelError (Claude cannot
    be reached, or rejects the key or the model). Cannot be called from a running event
    loop; coroutines use `aclassify`.
    """
    return asyncio.run(
        aclassify(
            tickets,
            scheme=scheme,
            model=model,
            at_once=at_once,
            budget=budget,
            api_key=api_key,
        )
    )


async def aclassify(
    tickets: Iterable[str],
    *,
    scheme: Scheme | Path | str | None = None,
    model: str = CHEAP_MODEL,
    at_once: int = AT_ONCE,
    budget: float | None = None,
    api_key: str | None = None,
) -> list[Answer]:
    """Classify `tickets` concurrently; see `classify`."""
    texts = [
        "" if is_blank(ticket) else replace_invalid(ticket).strip()
        for ticket in tickets
    ]
    found: dict[str, Answer] = {"": Answer(reason=EMPTY)}
    config = TriageConfig.of_environment(api_key)
    read_scheme = _scheme(scheme)

    async def questions() -> AsyncIterator[Question]:
        for text in dict.fromkeys(texts):
            if text:
                yield Question(text, text)

    async def store(question: Question, answer: Answer) -> None:
        found[question.name] = answer

    async with config.client() as client:
        classifier = ConcurrentClassifier(
            client,
            read_scheme,
            resolve_model(model, budget),
            at_once=at_once,
            spend_limit=SpendLimit(budget),
        )
        with contextlib.suppress(BudgetReached):
            await classifier.classify(questions(), store)
    return [found.get(text, Answer(reason=BROKE)) for text in texts]


def _scheme(scheme: Scheme | Path | str | None) -> Scheme:
    if isinstance(scheme, Scheme):
        return scheme
    if scheme is None:
        return default()
    return read(scheme_text(str(scheme)), str(scheme))
