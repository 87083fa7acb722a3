"""Stops answers for the people who may: those who asked, and admins of the thread."""

from bot.conversation.answers import Answers
from bot.domain.person import Person
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import TurnFacts
from bot.messages.commands import NOT_YOURS, NOTHING_RUNS, STOPPING
from bot.messages.settings import UNSURE
from bot.ports.store import ControlStore
from bot.settings.access import SettingsAccess


def refusal(person: Person, text: str) -> str:
    """Return `text`, or that `person` should try again where they may have rights that
    cannot be looked up now."""
    return UNSURE if person.incomplete and not person.outsider else text


class Stopper:
    """Stops answers that run or wait."""

    def __init__(
        self, store: ControlStore, answers: Answers, access: SettingsAccess
    ) -> None:
        self._store = store
        self._answers = answers
        self._access = access

    async def stop(self, place: Scope, person: Person) -> str:
        """Stop the answer in the thread `place`; outside of a thread, what `person`
        asked in the channel. A waiting answer is not written. Return what to tell
        them. Raises StorageError, and DeliveryError if their rights cannot be looked
        up."""
        running = await self._answers.running(place)
        # Not a turn that waits behind a running answer: `stop` is about that one.
        if not running or not place.thread:
            running += await self._waiting(place, person)
        # Admins may stop the answer of a thread, but not all of a channel at once.
        admin = place if place.thread else None
        theirs = [
            (thread, turn)
            for thread, turn in running
            if await self.may_control(
                person, await self._store.turn_facts(thread, turn), admin
            )
        ]
        stopped = [each for each in theirs if await self._answers.stop(*each)]
        if stopped:
            return STOPPING
        if running and place.thread:
            return refusal(person, NOT_YOURS)
        return NOTHING_RUNS

    async def may_control(
        self, person: Person, facts: TurnFacts | None, place: Scope | None = None
    ) -> bool:
        """Return True if `person` may stop or repeat an answer: they asked, or they
        administer `place`, if one is given."""
        if facts is None or person.id in facts.askers:
            return facts is not None
        if place is None:
            return False
        policy = await self._access.policy(place)
        return self._access.may(person, policy)

    async def _waiting(
        self, place: Scope, person: Person
    ) -> list[tuple[ThreadKey, str]]:
        """Return the next turn of the thread `place`, or of each thread of the channel
        `place` in which `person` waits; each with its key."""
        threads = [place.key]
        if not place.thread:
            threads = await self._answers.waiting(place, person.id)
        found = []
        for thread in threads:
            turn = await self._store.next_turn(thread)
            if turn is not None and turn.ended is None:
                found.append((thread, turn.key))
        return found
