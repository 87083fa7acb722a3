"""The triage commands: classify a message, a thread or the last messages of a channel,
and correct the results."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from bot.context import long_threads
from bot.domain.message import EarlierMessages, Message
from bot.domain.person import Person, is_listed
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.triage_case import TriageCase
from bot.errors import Unacceptable
from bot.messages import plurals
from bot.messages.answers import LEFT_OUT, LEFT_OUT_SOME
from bot.messages.settings import ADD_EXAMPLE, TRIAGE, TRIAGE_CHANNEL
from bot.messages.triage import (
    CASE_GONE,
    CHANNEL_FOR_ADMINS,
    EXAMPLES_FOR_ADMINS,
    HOW_TO_TRIAGE,
    LEFT_WITHOUT_TEXT,
    NO_HISTORY,
    NO_SUCH_VALUE,
    NOT_TO_ASK,
    NOTHING_TO_TRIAGE,
    SINCE_EXPECTED,
)
from bot.messages.triage import left as left_out
from bot.ports.cases import CaseStore
from bot.ports.platform import Adapter, MessageHistory
from bot.runtime.offload import offload
from bot.schemes.scheme import Scheme
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings
from bot.settings.target import number
from bot.text.numbers import approximate
from bot.triage.chat import present
from bot.triage.chat.classifier import ClassificationResult, Classifier
from bot.ui import formatting, time_range
from bot.ui.elements import Command, Response

#: The most messages of one command, and the most that are classified at once.
MOST = 500
AT_ONCE = 8

# How many more messages are read, to replace those that are not tickets.
SPARE = 10

# The most messages of a thread that form one ticket.
MOST_OF_THREAD = 100


class TriageCommands:
    """Handlers of the triage commands."""

    def __init__(
        self,
        store: CaseStore,
        sorter: Classifier,
        access: SettingsAccess,
        adapters: Mapping[str, Adapter],
        parse_command: Callable[[str], Command | None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._sorter = sorter
        self._access = access
        self._adapters = adapters
        self._parse_command = parse_command
        self._now = now

    def handlers(
        self,
    ) -> Mapping[str, Callable[[Command, Scope, Person], Awaitable[Response]]]:
        return {
            "triage": self.run,
            "triage correct": self.correct,
            "triage agree": self.agree,
        }

    async def run(self, command: Command, place: Scope, person: Person) -> Response:
        """Classify the thread, or the messages of the channel that `command` asks
        for."""
        last, since = (command.arguments.get(n) for n in ("last", "since"))
        adapter = self._adapters[place.platform]
        if adapter.history is None:
            return Response(NO_HISTORY)
        if last is None and since is None:
            if place.level is not ScopeLevel.THREAD:
                return Response(HOW_TO_TRIAGE)
            return await self._thread(place, person, adapter.history)
        begin = _start(since, self._now()) if since else None
        most = min(number(command, "last") or MOST, MOST)
        channel = place.at(ScopeLevel.CHANNEL)
        policy = await self._access.policy(channel)
        if not self._may_sort_many(person, policy):
            raise await self._access.deny(
                person, channel, TRIAGE_CHANNEL, CHANNEL_FOR_ADMINS
            )
        # The messages include this command, and perhaps messages of the bot.
        messages = await adapter.history.recent(channel, most + SPARE, begin)
        readable = await adapter.readable(messages)
        texts = [text for _, text in readable]
        cases = (await self._cases(messages, texts))[-most:]
        if not cases:
            return Response(NOTHING_TO_TRIAGE)
        silent = _without_text(messages, texts, cases[0].at)
        scheme = await self._sorter.scheme(policy)
        found = await self._classify(cases, scheme, person, policy)
        names = {
            each.author: name
            for each, (name, _) in zip(messages, readable, strict=True)
        }
        settled = [each.case for each in found if not each.trouble]
        bounded = any(each.bounded for each in found)
        spent = formatting.amount(sum(each.cost for each in found), bounded=bounded)
        size = sum(len(case.text) for case in settled)
        response = await offload(
            partial(present.table, settled, scheme, names, spent), size
        )
        return _with_silent(_with_trouble(response, found), silent)

    async def this(self, message: Message, person: Person) -> Response:
        """Classify one message."""
        adapter = self._adapters[message.thread.platform]
        [(_, text)] = await adapter.readable([message])
        return await self._one(case_of(message, text), person)

    async def correct(self, command: Command, place: Scope, person: Person) -> Response:
        """Change one value of a case."""
        case = await self._find_case(command, place, person)
        policy = await self._policy(case.place, person)
        scheme = await self._sorter.scheme(policy)
        chosen = [f for f in scheme.choices if f.name in command.arguments]
        if not chosen or command.arguments[chosen[0].name] not in chosen[0].values:
            raise Unacceptable(NO_SUCH_VALUE)
        [field] = chosen
        changed = await self._store.correct_case(
            case.id,
            field.name,
            command.arguments[field.name],
            person.id,
            self._now(),
        )
        return (
            present.response(changed, scheme, replaces=True)
            if changed
            else Response(CASE_GONE)
        )

    async def agree(self, command: Command, place: Scope, person: Person) -> Response:
        """Make a corrected case an example for its channel; only for admins."""
        case = await self._find_case(command, place, person)
        policy = await self._access.policy(case.place.at(ScopeLevel.CHANNEL))
        if not self._access.may(person, policy):
            raise await self._access.deny(
                person, policy.place, ADD_EXAMPLE, EXAMPLES_FOR_ADMINS
            )
        agreed = await self._store.approve_example(case.id, person.id)
        scheme = await self._sorter.scheme(policy)
        return (
            present.response(agreed, scheme, replaces=True)
            if agreed
            else Response(CASE_GONE)
        )

    async def _thread(
        self, place: Scope, person: Person, history: MessageHistory
    ) -> Response:
        adapter = self._adapters[place.platform]
        earlier = _shorten(await history.before(place.key))
        messages = [each for each in earlier.messages if _is_said(each)]
        gap = sum(map(_is_said, earlier.messages[: earlier.gap]))
        said = list(zip(messages, await adapter.readable(messages), strict=True))
        size = sum(len(text) for _, (_, text) in said)
        lines = await offload(partial(self._tickets, said[:gap]), size)
        if earlier.missing != 0:
            lines.append(f"({long_threads.left_out(earlier.missing)})")
        lines += await offload(partial(self._tickets, said[gap:]), size)
        case = TriageCase(
            *(0, place, f"thread:{place.thread}"),
            messages[0].at if messages else self._now(),
            "",
            "\n".join(lines),
            messages=tuple(
                id for each in messages for id in (each.message, *each.holds)
            ),
        )
        response = await self._one(case, person)
        if earlier.missing == 0:
            return response
        unread = (
            LEFT_OUT_SOME
            if earlier.missing is None
            else LEFT_OUT.format(approximate(earlier.missing))
        )
        return replace(response, text=f"{response.text}\n{unread}")

    async def _one(self, case: TriageCase, person: Person) -> Response:
        policy = await self._policy(case.place, person)
        if not case.text:
            return Response(NOTHING_TO_TRIAGE)
        scheme = await self._sorter.scheme(policy)
        case = await self._store.open_case(case)
        if not case.text:
            return Response(CASE_GONE)
        found = await self._sorter.classify(case, scheme, person.id, policy.caps)
        return (
            Response(found.trouble)
            if found.trouble
            else present.response(found.case, scheme)
        )

    async def _cases(
        self, messages: Sequence[Message], texts: Sequence[str]
    ) -> list[TriageCase]:
        """Return the cases of people's `messages` with the readable `texts`, without
        commands."""
        opened = [
            await self._store.open_case(case_of(each, text))
            for each, text in zip(messages, texts, strict=True)
            if text.strip() and not each.echo and not self._is_command(each, text)
        ]
        return [case for case in opened if case.text]

    async def _classify(
        self,
        cases: Sequence[TriageCase],
        scheme: Scheme,
        person: Person,
        policy: EffectiveSettings,
    ) -> list[ClassificationResult]:
        """Classify many cases; leave the rest when the budget is used up.

        Together they count as one question of the person, and each costs money.
        """
        # The case that counts as the question goes first and alone: if the person may
        # ask no more questions, nothing is classified. It also fills the cache for the
        # others.
        head = next((n for n, case in enumerate(cases) if case.values is None), 0)
        gate = asyncio.Semaphore(AT_ONCE)
        stopped: list[ClassificationResult] = []

        async def one(case: TriageCase, goes_on: bool = True) -> ClassificationResult:
            async with gate:
                if stopped and case.values is None:
                    return ClassificationResult(case, trouble=stopped[0].trouble)
                found = await self._sorter.classify(
                    case, scheme, person.id, policy.caps, goes_on=goes_on
                )
                if found.trouble:
                    stopped.append(found)
                return found

        first = await one(cases[head], goes_on=False)
        rest = (one(case) for n, case in enumerate(cases) if n != head)
        found = await asyncio.gather(*rest)
        return [*found[:head], first, *found[head:]]

    async def _find_case(
        self, command: Command, place: Scope, person: Person
    ) -> TriageCase:
        of = number(command, "of")
        case = await self._store.case(of) if of is not None else None
        if case is None or case.place.at(ScopeLevel.CHANNEL) != place.at(
            ScopeLevel.CHANNEL
        ):
            raise Unacceptable(CASE_GONE)
        # A thread of the same channel may be private.
        await self._access.reach(person, place, case.place)
        return case

    async def _policy(self, place: Scope, person: Person) -> EffectiveSettings:
        """Return the settings of `place`. Raises Denied if `person` may not ask
        there."""
        policy = await self._access.policy(place)
        if not self._access.may_ask(person, policy):
            raise await self._access.deny(person, place, TRIAGE, NOT_TO_ASK)
        return policy

    def _may_sort_many(self, person: Person, policy: EffectiveSettings) -> bool:
        named = policy["triagers"]
        return self._access.may(person, policy) or (
            bool(named) and not person.outsider and is_listed(person, named)
        )

    def _is_command(self, message: Message, text: str) -> bool:
        """Return True if `text` is a command and not a ticket."""
        return message.addressed and self._parse_command(text) is not None

    def _tickets(self, said: Sequence[tuple[Message, tuple[str, str]]]) -> list[str]:
        """Return the messages that are not commands, each with its author's name."""
        return [
            f"{name}: {text}"
            for message, (name, text) in said
            if not self._is_command(message, text)
        ]


def case_of(message: Message, text: str) -> TriageCase:
    """Return the case of a message whose readable text is `text`."""
    place = Scope.of(message.thread)
    return TriageCase(
        *(0, place, message.message, message.at, message.author, text.strip()),
        messages=message.holds,
    )


def _start(text: str, now: float) -> float:
    """Return the start of the time range `text`. Raises Unacceptable."""
    try:
        return time_range.start(text, now)
    except ValueError:
        raise Unacceptable(SINCE_EXPECTED) from None


def _without_text(
    messages: Sequence[Message], texts: Sequence[str], since: float
) -> int:
    """Return how many of `messages` have no text to classify, of those later than
    `since`."""
    said = zip(messages, texts, strict=True)
    return sum(
        not text.strip() and not each.echo and each.at > since for each, text in said
    )


def _is_said(message: Message) -> bool:
    return not message.echo and bool(message.text.strip())


def _shorten(earlier: EarlierMessages) -> EarlierMessages:
    """Return `earlier` with the first message of the thread and as many of the newest
    as form one ticket."""
    over = len(earlier.messages) - MOST_OF_THREAD
    if over <= 0:
        return earlier
    messages = (*earlier.messages[:1], *earlier.messages[1 + over :])
    missing = None if earlier.missing is None else earlier.missing + over
    return replace(earlier, messages=messages, missing=missing, gap=1)


def _with_silent(response: Response, count: int) -> Response:
    if not count:
        return response
    messages = plurals.MESSAGES(count)
    text = f"{response.text}\n{LEFT_WITHOUT_TEXT.format(messages=messages)}"
    return Response(text, public=True, file=response.file)


def _with_trouble(
    response: Response, found: Sequence[ClassificationResult]
) -> Response:
    left = [each for each in found if each.trouble]
    if not left:
        return response
    count = plurals.MESSAGES(len(left))
    text = f"{response.text}\n{left_out(messages=count, why=left[0].trouble)}"
    return Response(text, public=True, file=response.file)
