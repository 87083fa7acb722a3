"""Commands about an answer (stop, retry, continue), a fresh start of a thread, and its
summary.

Rule: memory holds no state. A control carries the key of its turn. When it is used, the
person's permission and the state of the turn are checked. So a control works after a
restart, and a forged or outdated one changes nothing.
"""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from bot.commands.router import Handler
from bot.conversation.answers import Answers
from bot.conversation.inbox import Inbox
from bot.conversation.stopping import Stopper, refusal
from bot.domain.message import Message, Origin
from bot.domain.person import Person
from bot.domain.reply import PRESSED
from bot.domain.scope import Scope
from bot.domain.turn import TurnFacts, TurnState
from bot.messages import thread_summaries
from bot.messages.commands import (
    ANSWERED_AGAIN,
    ENDED,
    NO_ANSWER,
    NOT_LAST,
    NOT_TO_ASK,
    NOT_WHILE_OTHERS_WAIT,
    NOT_YET_COMPLETE,
    NOT_YOURS,
    NOT_YOURS_TO_RENEW,
    NOTHING_HERE,
    NOTHING_LEFT,
    NOTHING_TO_REPEAT,
    QUESTION_GONE,
    QUESTION_NOT_LAST,
    RENEWED,
    REPEATING,
)
from bot.messages.settings import START_OVER
from bot.ports.inbox import InboxStore
from bot.ports.store import ControlStore
from bot.ports.summaries import SummaryStore
from bot.settings.access import SettingsAccess
from bot.ui import formatting
from bot.ui.buttons import goes_on
from bot.ui.elements import SILENCE, Command, Response, in_part

log = logging.getLogger(__name__)

# The message that asks Claude to continue an answer.
MORE = "Please go on exactly where you stopped."


def question_of_button(
    key: str, text: str, place: Scope, person: Person, now: float, *, opens: bool
) -> Message:
    """Return the question that a button asks for `person`. The same `key` makes the
    same message, as in a repeated delivery."""
    return Message(
        thread=place.key,
        message=f"{PRESSED}{key}",
        at=now,
        author=person.id,
        text=text,
        addressed=True,
        opens=opens,
        origin=_origin(person),
    )


def _origin(person: Person) -> Origin:
    if not person.shared:
        return Origin.OWN
    return Origin.FOREIGN if person.outsider else Origin.SHARED


class ReplyStore(ControlStore, InboxStore, SummaryStore, Protocol):
    """The store of answers, their questions and summaries."""


class ReplyControls:
    """Handlers of the commands about answers."""

    def __init__(
        self,
        store: ReplyStore,
        answers: Answers,
        inbox: Inbox,
        stopper: Stopper,
        access: SettingsAccess,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._answers = answers
        self._inbox = inbox
        self._stopper = stopper
        self._access = access
        self._now = now

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "new": self.renew,
            "stop": self.stop,
            "retry": self.retry,
            "stop answer": self.stop_one,
            "retry answer": self.retry,
            "continue answer": self.go_on,
            "answer again": self.answer_again,
            "summary": self.summary,
            "summary answer": self.summary,
        }

    async def renew(self, command: Command, place: Scope, person: Person) -> Response:
        """Reset the context of a thread: Claude no longer reads the earlier messages.

        Allowed for admins, and for people who may ask there and have asked. Guests may
        reset it only if nobody else has asked. A running answer is stopped first, by
        the rules of `stop`; if the person may not stop it, nothing is changed.
        """
        policy = await self._access.policy(place)
        if not self._access.may_ask(person, policy):
            raise await self._access.deny(person, place, START_OVER, NOT_TO_ASK)
        askers = await self._store.askers(place.key)
        admin = self._access.may(person, policy)
        shares = person.id in askers and not person.outsider
        if askers and not (admin or shares or askers == {person.id}):
            return Response(refusal(person, NOT_YOURS_TO_RENEW))
        # The running answer and a waiting one would both lose their context.
        running = [
            turn for _, turn in await self._answers.running(place) if place.thread
        ]
        for turn in (*running, ""):
            facts = await self._store.turn_facts(place.key, turn)
            if facts is None or facts.ended is not None:
                continue
            if not await self._stopper.may_control(person, facts, place):
                return Response(refusal(person, NOT_WHILE_OTHERS_WAIT))
        await self._answers.stop(place.key)
        known = await self._store.reset_context(place.key)
        return Response(RENEWED, public=True) if known else Response(NOTHING_HERE)

    async def stop(self, command: Command, place: Scope, person: Person) -> Response:
        """Stop the answer in the thread `place`; outside of a thread, the answers to
        `person` in the channel. A waiting answer is not written."""
        return Response(await self._stopper.stop(place, person))

    async def stop_one(
        self, command: Command, place: Scope, person: Person
    ) -> Response:
        """Stop the answer that the control belongs to."""
        facts = (
            await self._find_turn(command, place)
            if command.arguments.get("turn")
            else None
        )
        if facts is None:
            return Response(NO_ANSWER)
        if not await self._stopper.may_control(person, facts, place):
            return Response(refusal(person, NOT_YOURS))
        if facts.ended or not await self._answers.stop(place.key, facts.key):
            return Response(ENDED)
        return SILENCE

    async def retry(self, command: Command, place: Scope, person: Person) -> Response:
        """Write an answer again in the same place: the one of the control, or the last
        one."""
        facts = await self._last(command, place, person)
        if isinstance(facts, str):
            return Response(facts)
        if facts.state is not TurnState.DELIVERED:
            return Response(NOT_YET_COMPLETE)
        done = await self.repeat(place, facts.key, person)
        return Response(REPEATING if done else NOTHING_TO_REPEAT)

    async def repeat(self, place: Scope, turn: str, person: Person) -> bool:
        """Start writing the last answer of the thread `place` again for `person`.
        Return False if that is not possible, as when `turn` is not the key of the last
        turn."""
        if not await self._store.retry_turn(place.key, turn, self._now()):
            return False
        log.info("turn.repeated thread=%s turn=%s", place.key, turn)
        await self._answers.put(place.key, person.id, self._now())
        return True

    async def answer_again(
        self, command: Command, place: Scope, person: Person
    ) -> Response:
        """Answer an edited question again, for its author or an admin. The control
        carries the question and the turn that answered it."""
        message = command.arguments.get("message", "")
        turn = command.arguments.get("turn", "")
        question = await self._store.stored_message(place.key, message)
        if question is None or not (question.asked and turn):
            return Response(QUESTION_GONE)
        if question.message.author != person.id:
            policy = await self._access.policy(place)
            if not self._access.may(person, policy):
                return Response(refusal(person, NOT_YOURS))
        # A forged control must not reach the answer to somebody else. After a first
        # press, the question belongs to another turn.
        if question.asked == turn and await self.repeat(place, turn, person):
            return Response(REPEATING, settles=True)
        return Response(await self._why_not(place, message, turn), settles=True)

    async def _why_not(self, place: Scope, message: str, turn: str) -> str:
        """Return why the answer of `turn` to `message` cannot be written again."""
        question = await self._store.stored_message(place.key, message)
        asked = question.asked if question else ""
        facts = await self._store.turn_facts(place.key, asked) if asked else None
        if facts is None:
            return QUESTION_GONE
        if asked == turn or not facts.newest:
            return QUESTION_NOT_LAST
        is_done = facts.state is TurnState.DELIVERED
        return ANSWERED_AGAIN if is_done else REPEATING

    async def go_on(self, command: Command, place: Scope, person: Person) -> Response:
        """Continue an answer that was cut off."""
        facts = await self._last(command, place, person)
        if isinstance(facts, str):
            return Response(facts)
        if not goes_on(facts.ended, facts.stop_reason, has_text=facts.has_text):
            return Response(NOTHING_LEFT)
        said = question_of_button(
            facts.key, MORE, place, person, self._now(), opens=False
        )
        await self._inbox.receive(said)
        return SILENCE

    async def summary(self, command: Command, place: Scope, person: Person) -> Response:
        """Show a summary to `person` only: the one that the answer of the control was
        the first to use, or else the newest one of the thread `place`. Everybody there
        may read it."""
        if not place.thread:
            return Response(thread_summaries.NOT_HERE)
        turn = command.arguments.get("turn", "")
        summary = await self._store.summary(place.key, turn)
        if summary is None:
            return Response(thread_summaries.GONE if turn else thread_summaries.NONE)
        head = thread_summaries.head(messages=summary.messages, model=summary.model)
        shown, file = in_part(summary.text, "summary.md")
        text = formatting.without_headings(shown)
        return Response(f"{head}\n{text}", file=file)

    async def _find_turn(self, command: Command, place: Scope) -> TurnFacts | None:
        """Return the turn of a control, or the newest one of the thread."""
        turn = command.arguments.get("turn", "")
        return await self._store.turn_facts(place.key, turn)

    async def _last(
        self, command: Command, place: Scope, person: Person
    ) -> TurnFacts | str:
        """Return the turn, or a refusal unless it is the last one of the thread and
        `person` may control it."""
        facts = await self._find_turn(command, place)
        if facts is None:
            return NO_ANSWER if command.arguments else NOTHING_TO_REPEAT
        # Before the permission check: nobody is the author of the old answer of a
        # repeated turn.
        if not facts.newest:
            return NOT_LAST
        if not await self._stopper.may_control(person, facts, place):
            return refusal(person, NOT_YOURS)
        return facts
