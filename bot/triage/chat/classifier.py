"""Sorts one message where people talk: with that place's scheme, within its budgets.

Rule: money is set aside before Claude is asked, as for every call, and what comes is
remembered before anybody sees it.
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
from bot.ports.model import Model
from bot.ports.store import ClassifierStore
from bot.schemes.scheme import DEFAULT, Example, Scheme, material, read
from bot.settings.effective import EffectiveSettings, Operator
from bot.triage.answer import INVALID, TOO_LONG, TRIES

log = logging.getLogger(__name__)

#: Kinds of charges: somebody asked for it, or it is done by itself.
ASKED, AUTO = "triage", "auto-triage"

# How long one call may take, in seconds.
PATIENCE = 60.0

# What people write in a chat is shorter; a file in a message is something else.
MOST_CHARS = 20_000
MAX_TOKENS = 4_096


# Of both kinds, so that whoever asked is told, and what is done by itself goes on.
class UnreadableScheme(Unacceptable, ConfigError):
    """The scheme that was set some time ago is one that is no longer taken."""

    def __init__(self) -> None:
        super().__init__(
            "The triage scheme that is set here can no longer be read. Please have an "
            "admin set `triage_scheme` again, which says what is wrong with it."
        )


@dataclass(frozen=True, slots=True)
class ClassificationResult:
    """What came of a case."""

    case: TriageCase
    #: In USD; what is not known counts as nothing here.
    cost: float = 0.0
    #: Whether `cost` is the most that it can have been.
    bounded: bool = False
    #: Why it stays unsorted for now, for people; "" where it is settled.
    trouble: str = ""
    #: Whether there was no money for it.
    broke: bool = False


class Classifier:
    """Asks about cases."""

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
        """What messages are sorted into at the place of `policy`, with the examples
        that admins of its channel agreed to. Raises UnreadableScheme."""
        agreed = await self._store.examples(policy.place)
        examples = [Example(case.text, case.current) for case in agreed]
        text = policy["triage_scheme"] or DEFAULT
        return await asyncio.to_thread(_composed, text, examples)

    async def sort(
        self,
        case: TriageCase,
        scheme: Scheme,
        person: str,
        caps: BudgetLimits,
        kind: str = ASKED,
        *,
        goes_on: bool = False,
    ) -> ClassificationResult:
        """Have `case`, which is stored, sorted for `person`, unless it is sorted
        already. A bad answer is tried once more.

        It is one question of the person, unless it `goes_on` with what they asked of
        another case.
        """
        if case.values is not None:
            return ClassificationResult(case)
        if len(case.text) > MOST_CHARS:
            reason = f"{TOO_LONG}: {len(case.text):,} characters"
            return ClassificationResult(await self._settled(case, None, reason))
        spent, bounded = 0.0, False
        request = self._request(case, scheme, person)
        charge = Charge(case.place, person, kind, CHEAP_MODEL, goes_on=goes_on)
        for _ in range(TRIES):
            aside = await one_shot.complete_charged(
                *(self._store, self._model, request, charge, caps),
                timeout=PATIENCE,
                now=self._now,
            )
            if isinstance(aside, BudgetExceeded):
                told = summary.shortfall(aside, self._now(), {})
                return ClassificationResult(case, spent, bounded, told, broke=True)
            spent += aside.cost or 0.0
            bounded = bounded or aside.bounded
            if aside.trouble:
                return ClassificationResult(case, spent, bounded, aside.trouble)
            charge = replace(charge, goes_on=True)
            try:
                values = scheme.parse(aside.text)
            except (ValueError, RecursionError):
                continue
            log.info(
                "case.sorted place=%s case=%d cost=%s", case.place, case.id, aside.cost
            )
            return ClassificationResult(
                await self._settled(case, values, ""), spent, bounded
            )
        return ClassificationResult(
            await self._settled(case, None, INVALID), spent, bounded
        )

    async def _settled(
        self, case: TriageCase, values: dict[str, object] | None, reason: str
    ) -> TriageCase:
        # Deleted meanwhile, it is shown to whoever asked and forgotten.
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


def _composed(text: str, examples: Sequence[Example]) -> Scheme:
    """The scheme that `text` says, with all made of it that takes a while."""
    try:
        scheme = read(text).with_examples(examples)
    except ConfigError:
        raise UnreadableScheme from None
    # Each is composed when it is first asked for, and then kept.
    _ = scheme.prompt, scheme.schema_text
    return scheme
