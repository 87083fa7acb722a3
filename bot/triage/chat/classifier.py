"""Classifies one message of a chat, with the scheme and within the budgets of its
scope.

Rule: as for every call, the cost is reserved before the call. The result is stored
before it is shown.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.budgets import summary
from bot.claude import one_shot
from bot.claude.catalog import CHEAP_MODEL
from bot.context import prompt
from bot.domain.budget import BudgetExceeded, BudgetLimits, Charge
from bot.domain.completion import ChatMessage, Request
from bot.domain.triage_case import TriageCase
from bot.errors import ConfigError, Unacceptable
from bot.messages import triage as messages
from bot.ports.model import Model
from bot.ports.store import ClassifierStore
from bot.schemes.default import DEFAULT
from bot.schemes.scheme import Example, Scheme, material, read
from bot.settings.effective import EffectiveSettings, Operator
from bot.triage.answer import INVALID, TOO_LONG, TRIES

log = logging.getLogger(__name__)

#: Kinds of charges: requested by a person, or automatic.
ASKED, AUTO = "triage", "auto-triage"

# The time limit of one call, in seconds.
PATIENCE = 60.0

# Chat messages are shorter; a pasted file is not a ticket.
MOST_CHARS = 20_000
MAX_TOKENS = 4_096


# Both bases are needed: commands show Unacceptable to a person, and automatic triage
# treats the error as a ConfigError, which ends that case only.
class UnreadableScheme(Unacceptable, ConfigError):
    """The stored scheme is no longer valid."""

    def __init__(self) -> None:
        super().__init__(messages.UNREADABLE_SCHEME)


@dataclass(frozen=True, slots=True)
class ClassificationResult:
    """The result for a case."""

    case: TriageCase
    #: In USD; an unknown cost counts as nothing here.
    cost: float = 0.0
    #: Whether `cost` is an upper bound.
    bounded: bool = False
    #: Why the case is not classified yet, for people; "" if it has a result.
    trouble: str = ""
    #: Whether the budget did not allow it.
    broke: bool = False


class Classifier:
    """Classifies cases and stores the results."""

    def __init__(
        self,
        store: ClassifierStore,
        model: Model,
        operator: Operator,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._model = model
        self._operator = operator
        self._now = now

    async def scheme(self, policy: EffectiveSettings) -> Scheme:
        """Return the scheme that applies under `policy`, with the examples that admins
        of the channel approved. Raises UnreadableScheme."""
        approved = await self._store.examples(policy.place)
        examples = [Example(case.text, case.current) for case in approved]
        text = policy["triage_scheme"] or DEFAULT
        return await asyncio.to_thread(_compose, text, examples)

    async def classify(
        self,
        case: TriageCase,
        scheme: Scheme,
        person: str,
        limits: BudgetLimits,
        kind: str = ASKED,
        *,
        goes_on: bool = False,
    ) -> ClassificationResult:
        """Classify the stored `case` for `person`, unless it has a result. An invalid
        answer is retried once.

        It counts as one question of the person. If `goes_on`, it is part of the
        question for which another case was charged.
        """
        if case.values is not None:
            return ClassificationResult(case)
        if len(case.text) > MOST_CHARS:
            reason = messages.too_long(reason=TOO_LONG, length=len(case.text))
            return ClassificationResult(await self._store_case(case, None, reason))
        spent, bounded = 0.0, False
        request = self._request(case, scheme, person)
        charge = Charge(case.place, person, kind, CHEAP_MODEL, goes_on=goes_on)
        for _ in range(TRIES):
            completion = await one_shot.complete_charged(
                *(self._store, self._model, request, charge, limits),
                timeout=PATIENCE,
                now=self._now,
            )
            if isinstance(completion, BudgetExceeded):
                trouble = summary.shortfall(completion, self._now(), {})
                return ClassificationResult(case, spent, bounded, trouble, broke=True)
            spent += completion.cost or 0.0
            bounded = bounded or completion.bounded
            if completion.trouble:
                return ClassificationResult(case, spent, bounded, completion.trouble)
            charge = replace(charge, goes_on=True)
            try:
                values = scheme.parse(completion.text)
            except (ValueError, RecursionError):
                continue
            facts = case.place, case.id, completion.cost
            log.info("case.sorted place=%s case=%d cost=%s", *facts)
            return ClassificationResult(
                await self._store_case(case, values, ""), spent, bounded
            )
        return ClassificationResult(
            await self._store_case(case, None, INVALID), spent, bounded
        )

    async def _store_case(
        self, case: TriageCase, values: dict[str, object] | None, reason: str
    ) -> TriageCase:
        # A case that was deleted in the meantime is shown once, but not stored.
        return await self._store.record_case_result(case.id, values, reason) or case

    def _request(self, case: TriageCase, scheme: Scheme, person: str) -> Request:
        workspace, secret = case.place.workspace, self._operator.secret
        return Request(
            model=CHEAP_MODEL,
            system=scheme.prompt,
            messages=(ChatMessage("user", material(case.text)),),
            max_tokens=MAX_TOKENS,
            user=prompt.opaque(person, workspace, secret),
            effort="low",
            schema=scheme.schema_text,
            cache_messages=False,
        )


def _compose(text: str, examples: Sequence[Example]) -> Scheme:
    """Read the scheme, and compose its prompt and schema, which is slow."""
    try:
        scheme = read(text).with_examples(examples)
    except ConfigError:
        raise UnreadableScheme from None
    # Cached properties: computed here, off the event loop.
    _ = scheme.prompt, scheme.schema_text
    return scheme
