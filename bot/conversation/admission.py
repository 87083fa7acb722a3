"""Says how a turn may be answered: under which settings, for whom, at what cost.

Rule: money is set aside before Claude is asked, the most that the call can cost, in
one transaction with the look at what is left. So a budget holds whatever happens at
once, and a crash leaves it too small rather than too large.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.budgets import summary
from bot.claude import cost, model_router, one_shot
from bot.context import prompt as context_prompt
from bot.conversation.outcomes import (
    NOT_ADMITTED,
    UNWELCOME,
    WITHDRAWN,
    over_budget,
    unwelcome,
)
from bot.domain.budget import Alert, BudgetExceeded, BudgetLimits, Charge
from bot.domain.completion import Call, Request
from bot.domain.person import EVERYONE, Person, listed
from bot.domain.scope import Scope
from bot.domain.setting import OPERATOR, StoredSettings
from bot.domain.turn import Outcome, Turn, TurnMessage
from bot.errors import DeliveryError, ModelError, ModelUnpaid
from bot.ports.model import Model
from bot.ports.platform import Adapter
from bot.ports.store import Store
from bot.runtime.retry import retry_until_success
from bot.settings.access import SettingsAccess
from bot.settings.effective import ROUTE, EffectiveSettings, Operator, resolve
from bot.settings.options import BY_NAME, OPTIONS
from bot.settings.parsers import AUTO

log = logging.getLogger(__name__)

# How often Claude may search the web for one answer. A search costs a cent, puts its
# results into the prompt and has all of it read again (`bot.claude.cost`).
SEARCHES = 5

# How long choosing a model may hold a thread up, in seconds.
ROUTING = 10.0
# How long telling admins may hold a thread up.
TELLING = 10.0


@dataclass(frozen=True, slots=True)
class AdmittedTurn:
    """A turn that may be answered: for whom, and under which settings."""

    policy: EffectiveSettings
    #: What the policy was made of.
    rules: StoredSettings
    #: The platform's id of who asked.
    asker: str
    #: What the thread is told that changed since its last answer; "" for nothing.
    news: str = ""


class Admission:
    """Looks after settings, rights and money while turns are answered."""

    def __init__(
        self,
        store: Store,
        model: Model,
        authority: SettingsAccess,
        adapters: Mapping[str, Adapter],
        operator: Operator,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._model = model
        self._authority = authority
        self._adapters = adapters
        self._operator = operator
        self._now = now

    async def policy(self, turn: Turn) -> EffectiveSettings:
        """What applies to `turn` now."""
        return await self._authority.policy(Scope.of(turn.thread))

    async def accept(
        self, turn: Turn, spoken: Sequence[TurnMessage]
    ) -> AdmittedTurn | Outcome:
        """Whether `turn`, which is to answer `spoken`, is to be answered; how it
        ends if not."""
        policy, rules = await retry_until_success(
            lambda: self._authority.found(turn.thread)
        )
        asker = await self._asker(turn, spoken, policy)
        if isinstance(asker, Outcome):
            return asker
        return AdmittedTurn(policy, rules, asker)

    async def settle(
        self, turn: Turn, spoken: Sequence[TurnMessage], errand: AdmittedTurn
    ) -> AdmittedTurn:
        """`errand` with what its thread keeps from now on.

        That may take a call to a model, where `auto` is to choose one.
        """
        policy, rules = errand.policy, errand.rules
        values = {o.name: policy[o.name] for o in OPTIONS if o.kept}
        if policy.route and "model" not in rules.stale:
            values[ROUTE] = policy.route
        if values["model"] == AUTO:
            route = await self._route(turn, spoken, errand)
            values |= {"model": route.model, ROUTE: route.why}
        if values == rules.kept and not rules.stale:
            return errand
        await retry_until_success(lambda: self._store.keep(turn.thread, values))
        kept = replace(rules, kept=values, stale=frozenset())
        policy = resolve(policy.place, kept, await self._authority.defaults())
        news = [
            name
            for name in sorted(rules.stale & values.keys() & rules.kept.keys())
            if rules.kept[name] != values[name]
        ]
        return replace(errand, policy=policy, news=await self._news(policy, news))

    async def compose(self, turn: Turn, errand: AdmittedTurn) -> Request:
        """What Claude is to be asked, but for the messages."""
        policy = errand.policy
        prompt = await retry_until_success(lambda: self._authority.prompt(policy))
        return Request(
            model=policy["model"],
            system=context_prompt.system_prompt(prompt.text or ""),
            messages=(),
            max_tokens=policy.max_tokens,
            user=self._opaque(turn, errand),
            effort=policy.used("effort") or None,
            temperature=policy.temperature,
            stop_sequences=policy.stop_sequences,
            searches=SEARCHES if policy.on("web_search") else 0,
        )

    async def afford(
        self, turn: Turn, errand: AdmittedTurn, request: Request
    ) -> Request | Outcome:
        """Set aside what `request` may cost, and return it with what that was made of;
        how the turn ends if there is no money for it."""
        caps = errand.policy.caps
        most = cost.most(request, self._now())
        if most is None and caps.limit_money:
            short: BudgetExceeded | None = BudgetExceeded(unpriced=request.model)
        else:
            short = await self._reserve(turn, errand, caps, most or 0.0)
        if short and most is not None:
            # Letters are more than tokens: before anybody is turned away, count.
            with contextlib.suppress(ModelError):
                tokens = cost.counted(await self._model.count(request))
                known = replace(request, prompt_most=tokens)
                exact = cost.most(known, self._now())
                if exact is not None and exact < most:
                    request = known
                    short = await self._reserve(turn, errand, caps, exact)
        if short is None:
            return request
        return over_budget(await self._told_short(turn, short))

    async def go_on(
        self, turn: Turn, errand: AdmittedTurn, calls: Sequence[Call]
    ) -> None:
        """Set aside what all of `calls` may cost that the answer to `turn` has taken
        and is about to take. Raises ModelUnpaid where there is no money for that."""
        short = await retry_until_success(
            lambda: one_shot.paid(
                self._store, turn, calls, errand.policy.caps, self._now()
            )
        )
        if short is not None:
            raise ModelUnpaid(await self._told_short(turn, short))

    async def _told_short(self, turn: Turn, short: BudgetExceeded) -> str:
        log.info("turn.over_budget thread=%s turn=%s", turn.thread, turn.key)
        who = short.budget.who if short.budget else OPERATOR
        names = await self._names(turn, who)
        return summary.shortfall(short, self._now(), names)

    def annotated(self, outcome: Outcome, errand: AdmittedTurn) -> Outcome:
        """`outcome` with the provenance of its answer."""
        policy = errand.policy
        return replace(
            outcome, prompt=int(policy["prompt"]), effort=policy.used("effort")
        )

    async def alert(self, turn: Turn, alerts: Sequence[Alert]) -> None:
        """Tell admins how far a budget is used up."""
        if not alerts:
            return
        policy = await retry_until_success(lambda: self.policy(turn))
        adapter = self._adapters[turn.thread.platform]
        for alert in alerts:
            log.warning(
                "budget.used place=%s period=%s share=%.2f usd=%.2f",
                alert.budget.place,
                alert.budget.period.value,
                alert.share,
                alert.budget.usd,
            )
            for user in self._concerned(alert, policy):
                with contextlib.suppress(TimeoutError, DeliveryError):
                    async with asyncio.timeout(TELLING):
                        text = summary.alert(alert)
                        await adapter.tell(turn.thread.workspace, user, text)

    def _concerned(self, alert: Alert, policy: EffectiveSettings) -> list[str]:
        """Who is told of `alert`: who set the budget, and the admins that are named."""
        named = [word for _, people in policy.admins for word in people.split()]
        users = [w.removeprefix("user:") for w in named if w.startswith("user:")]
        platform = f"{policy.place.platform}:"
        for each in sorted(self._operator.admins):
            if each.startswith(platform):
                users.append(each.removeprefix(platform))
        who = [] if alert.budget.who == OPERATOR else [alert.budget.who]
        return list(dict.fromkeys([*who, *users]))

    async def _asker(
        self, turn: Turn, spoken: Sequence[TurnMessage], policy: EffectiveSettings
    ) -> str | Outcome:
        """Who asks, of those who may; how the turn ends if none of them may."""
        if policy["who"] == EVERYONE and self._authority.admits_all(policy.place):
            return context_prompt.asker(spoken)
        # Programs ask where they may; elsewhere they are only read along.
        people = [
            heard
            for heard in (each.heard for each in spoken)
            if not heard.automated or (heard.addressed and policy.on("bots"))
        ]
        asked = [heard for heard in people if heard.addressed]
        unsure, why = False, NOT_ADMITTED
        for author in dict.fromkeys(h.author for h in reversed(asked or people)):
            person = await self._person(turn, author)
            known = person or Person(author)
            if self._authority.admits(known, policy.place):
                if listed(known, policy["who"]) or self._authority.may(known, policy):
                    return author
                why = UNWELCOME
            unsure = unsure or person is None
        if not asked:
            # They go on among themselves, and were not talking to us.
            return WITHDRAWN
        return unwelcome(unsure, why)

    async def _person(self, turn: Turn, user: str) -> Person | None:
        try:
            adapter = self._adapters[turn.thread.platform]
            return await adapter.directory.person(Scope.of(turn.thread), user)
        except DeliveryError as error:
            log.warning("person.unknown thread=%s %s", turn.thread, error)
            return None

    async def _names(self, turn: Turn, user: str) -> dict[str, str]:
        person = None if user == OPERATOR else await self._person(turn, user)
        return {user: person.name} if person and person.name else {}

    async def _news(self, policy: EffectiveSettings, names: Sequence[str]) -> str:
        if not names:
            return ""
        told = []
        for name in names:
            option = BY_NAME[name]
            value = option.show(policy[name]) if not option.versioned else ""
            if option.versioned:
                prompt = await self._authority.prompt(policy)
                value = f"version {prompt.number}"
            told.append(f"{option.label} {value}")
        return f"From this answer on, this applies here: {', '.join(told)}."

    async def _route(
        self, turn: Turn, spoken: Sequence[TurnMessage], errand: AdmittedTurn
    ) -> model_router.Route:
        """Which model is to answer a thread, by what it begins with."""
        text = model_router.beginning(each.heard.text for each in spoken)
        user = context_prompt.opaque(
            errand.asker, turn.thread.workspace, self._operator.secret
        )
        request = model_router.request(text, user)
        place = Scope.of(turn.thread)
        charge = Charge(place, errand.asker, "routing", request.model, turn=turn.key)
        aside = await one_shot.complete_charged(
            *(self._store, self._model, request, charge, errand.policy.caps),
            within=ROUTING,
            now=self._now,
            insisting=True,
        )
        if isinstance(aside, BudgetExceeded):
            return model_router.BROKE
        return model_router.read(aside.text) or model_router.UNSURE

    async def _reserve(
        self, turn: Turn, errand: AdmittedTurn, caps: BudgetLimits, most: float
    ) -> BudgetExceeded | None:
        return await retry_until_success(
            lambda: self._store.reserve(turn, errand.asker, most, caps, self._now())
        )

    def _opaque(self, turn: Turn, errand: AdmittedTurn) -> str:
        workspace = turn.thread.workspace
        return context_prompt.opaque(errand.asker, workspace, self._operator.secret)
