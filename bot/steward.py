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

from bot import asides, billing, context, routing, telling
from bot.authority import Authority
from bot.endings import (
    NOT_ADMITTED,
    UNWELCOME,
    WITHDRAWN,
    over_budget,
    unwelcome,
)
from bot.errors import DeliveryError, ModelError, ModelUnpaid
from bot.money import Alert, Caps, Charge, Shortfall
from bot.options import BY_NAME, OPTIONS
from bot.patience import insist
from bot.people import EVERYONE, Person, listed
from bot.policy import OPERATOR, ROUTE, Operator, Policy, resolve
from bot.ports import Adapter, Model
from bot.readers import AUTO
from bot.rules import Place, Rules
from bot.stores import Store
from bot.values import Call, Outcome, Request, Spoken, Turn

log = logging.getLogger(__name__)

# How often Claude may search the web for one answer. A search costs a cent, puts its
# results into the prompt and has all of it read again (`bot.billing`).
SEARCHES = 5

# How long choosing a model may hold a thread up, in seconds.
ROUTING = 10.0
# How long telling admins may hold a thread up.
TELLING = 10.0


@dataclass(frozen=True, slots=True)
class Errand:
    """A turn that may be answered: for whom, and under which settings."""

    policy: Policy
    #: What the policy was made of.
    rules: Rules
    #: The platform's id of who asked.
    asker: str
    #: What the thread is told that changed since its last answer; "" for nothing.
    news: str = ""


class Steward:
    """Looks after settings, rights and money while turns are answered."""

    def __init__(
        self,
        store: Store,
        model: Model,
        authority: Authority,
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

    async def policy(self, turn: Turn) -> Policy:
        """What applies to `turn` now."""
        return await self._authority.policy(Place.of(turn.thread))

    async def accept(self, turn: Turn, spoken: Sequence[Spoken]) -> Errand | Outcome:
        """Whether `turn`, which is to answer `spoken`, is to be answered; how it
        ends if not."""
        policy, rules = await insist(lambda: self._authority.found(turn.thread))
        asker = await self._asker(turn, spoken, policy)
        if isinstance(asker, Outcome):
            return asker
        return Errand(policy, rules, asker)

    async def settle(
        self, turn: Turn, spoken: Sequence[Spoken], errand: Errand
    ) -> Errand:
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
        await insist(lambda: self._store.keep(turn.thread, values))
        kept = replace(rules, kept=values, stale=frozenset())
        policy = resolve(policy.place, kept, await self._authority.defaults())
        news = [
            name
            for name in sorted(rules.stale & values.keys() & rules.kept.keys())
            if rules.kept[name] != values[name]
        ]
        return replace(errand, policy=policy, news=await self._news(policy, news))

    async def compose(self, turn: Turn, errand: Errand) -> Request:
        """What Claude is to be asked, but for the messages."""
        policy = errand.policy
        prompt = await insist(lambda: self._authority.prompt(policy))
        return Request(
            model=policy["model"],
            system=context.system_prompt(prompt.text or ""),
            messages=(),
            max_tokens=policy.max_tokens,
            user=self._opaque(turn, errand),
            effort=policy.used("effort") or None,
            temperature=policy.temperature,
            stop_sequences=policy.stop_sequences,
            searches=SEARCHES if policy.on("web_search") else 0,
        )

    async def afford(
        self, turn: Turn, errand: Errand, request: Request
    ) -> Request | Outcome:
        """Set aside what `request` may cost, and return it with what that was made of;
        how the turn ends if there is no money for it."""
        caps = errand.policy.caps
        most = billing.most(request, self._now())
        if most is None and caps.limit_money:
            short: Shortfall | None = Shortfall(unpriced=request.model)
        else:
            short = await self._reserve(turn, errand, caps, most or 0.0)
        if short and most is not None:
            # Letters are more than tokens: before anybody is turned away, count.
            with contextlib.suppress(ModelError):
                tokens = billing.counted(await self._model.count(request))
                known = replace(request, prompt_most=tokens)
                exact = billing.most(known, self._now())
                if exact is not None and exact < most:
                    request = known
                    short = await self._reserve(turn, errand, caps, exact)
        if short is None:
            return request
        return over_budget(await self._told_short(turn, short))

    async def go_on(self, turn: Turn, errand: Errand, calls: Sequence[Call]) -> None:
        """Set aside what all of `calls` may cost that the answer to `turn` has taken
        and is about to take. Raises ModelUnpaid where there is no money for that."""
        short = await insist(
            lambda: asides.paid(
                self._store, turn, calls, errand.policy.caps, self._now()
            )
        )
        if short is not None:
            raise ModelUnpaid(await self._told_short(turn, short))

    async def _told_short(self, turn: Turn, short: Shortfall) -> str:
        log.info("turn.over_budget thread=%s turn=%s", turn.thread, turn.key)
        who = short.budget.who if short.budget else OPERATOR
        names = await self._names(turn, who)
        return telling.shortfall(short, self._now(), names)

    def annotated(self, outcome: Outcome, errand: Errand) -> Outcome:
        """`outcome` with the provenance of its answer."""
        policy = errand.policy
        return replace(
            outcome, prompt=int(policy["prompt"]), effort=policy.used("effort")
        )

    async def alert(self, turn: Turn, alerts: Sequence[Alert]) -> None:
        """Tell admins how far a budget is used up."""
        if not alerts:
            return
        policy = await insist(lambda: self.policy(turn))
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
                        text = telling.alert(alert)
                        await adapter.tell(turn.thread.workspace, user, text)

    def _concerned(self, alert: Alert, policy: Policy) -> list[str]:
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
        self, turn: Turn, spoken: Sequence[Spoken], policy: Policy
    ) -> str | Outcome:
        """Who asks, of those who may; how the turn ends if none of them may."""
        if policy["who"] == EVERYONE and self._authority.admits_all(policy.place):
            return context.asker(spoken)
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
            return await adapter.person(Place.of(turn.thread), user)
        except DeliveryError as error:
            log.warning("person.unknown thread=%s %s", turn.thread, error)
            return None

    async def _names(self, turn: Turn, user: str) -> dict[str, str]:
        person = None if user == OPERATOR else await self._person(turn, user)
        return {user: person.name} if person and person.name else {}

    async def _news(self, policy: Policy, names: Sequence[str]) -> str:
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
        self, turn: Turn, spoken: Sequence[Spoken], errand: Errand
    ) -> routing.Route:
        """Which model is to answer a thread, by what it begins with."""
        text = routing.beginning(each.heard.text for each in spoken)
        user = context.opaque(
            errand.asker, turn.thread.workspace, self._operator.secret
        )
        request = routing.request(text, user)
        place = Place.of(turn.thread)
        charge = Charge(place, errand.asker, "routing", request.model, turn=turn.key)
        aside = await asides.charged(
            *(self._store, self._model, request, charge, errand.policy.caps),
            within=ROUTING,
            now=self._now,
            insisting=True,
        )
        if isinstance(aside, Shortfall):
            return routing.BROKE
        return routing.read(aside.text) or routing.UNSURE

    async def _reserve(
        self, turn: Turn, errand: Errand, caps: Caps, most: float
    ) -> Shortfall | None:
        return await insist(
            lambda: self._store.reserve(turn, errand.asker, most, caps, self._now())
        )

    def _opaque(self, turn: Turn, errand: Errand) -> str:
        workspace = turn.thread.workspace
        return context.opaque(errand.asker, workspace, self._operator.secret)
