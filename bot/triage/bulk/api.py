"""Triage for other programs: `from bot.triage import classify`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from bot.claude.catalog import CHEAP_MODEL
from bot.schemes.scheme import Scheme, default, load, read
from bot.triage.answer import EMPTY, Answer
from bot.triage.bulk import request
from bot.triage.bulk.concurrent import AT_ONCE, ConcurrentClassifier, Question
from bot.triage.bulk.config import TriageConfig
from bot.triage.bulk.spend_limit import BudgetReached, SpendLimit

#: Why a ticket has no values for which there was no money.
BROKE = "left: the budget leaves no room for it"


def classify(
    tickets: Iterable[str],
    *,
    scheme: Scheme | Path | str | None = None,
    model: str = CHEAP_MODEL,
    at_once: int = AT_ONCE,
    budget: float | None = None,
    api_key: str | None = None,
) -> list[Answer]:
    """Sort `tickets`; return an Answer for each, in their order.

    An answer's `values` are by the scheme's fields, and None where its `reason` says
    why. `scheme` is one that was read, or the path of a YAML file; None is category,
    priority and summary. No more than `budget` (USD) is spent. The key is `api_key`, or
    that of the environment. Nothing is kept on disk.

    Raises ConfigError (a scheme or key that cannot be) and ModelError (Claude is not to
    be reached, or does not accept the key or model). For use where no event loop runs;
    `aclassify` is the same for coroutines.
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
    """Sort `tickets`, many at once; see `classify`."""
    texts = [ticket.strip() for ticket in tickets]
    found: dict[str, Answer] = {"": Answer(reason=EMPTY)}
    account = TriageConfig.of_environment(api_key)
    sorted_by = _scheme(scheme)

    async def questions() -> AsyncIterator[Question]:
        for text in dict.fromkeys(texts):
            if text:
                yield Question(text, text)

    async def keep(question: Question, answer: Answer) -> None:
        found[question.name] = answer

    async with account.client() as client:
        direct = ConcurrentClassifier(
            client,
            sorted_by,
            request.model_of(model, budget),
            at_once=at_once,
            purse=SpendLimit(budget),
        )
        with contextlib.suppress(BudgetReached):
            await direct.sort(questions(), keep)
    return [found.get(text, Answer(reason=BROKE)) for text in texts]


def _scheme(scheme: Scheme | Path | str | None) -> Scheme:
    if isinstance(scheme, Scheme):
        return scheme
    if scheme is None:
        return default()
    return read(load(str(scheme)), str(scheme))
