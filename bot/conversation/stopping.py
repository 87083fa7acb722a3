"""Stops answers for the askers and for admins of the thread."""

from bot.conversation.answers import Answers
from bot.domain.person import Person
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import TurnFacts
from bot.messages.commands import NOT_YOURS, NOTHING_RUNS, STOPPING
from bot.messages.settings import UNSURE
from bot.ports.store import ControlStore
from bot.settings.access import SettingsAccess


def refusal(person: Person, text: str) -> str:
    """Return `text`, or advice to try again if the rights of `person` are
    incomplete."""
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
        """Stop the answer in the thread `place`, and return the text for `person`.

        If `place` is a channel, stop the answers there that `person` asked for. A
        waiting answer is never written. Raises StorageError, and DeliveryError if the
        rights of `person` cannot be looked up.
        """
        running = await self._answers.running(place)
        # A turn that waits behind a running answer is left out: `stop` means that
        # answer.
        if not running or not place.thread:
            running += await self._waiting(place, person)
        # Admins may stop the answer of a thread, but not all answers of a channel at
        # once.
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
        """Return whether `person` may stop or repeat an answer.

        They may if they asked, or if they administer `place`.
        """
        if facts is None or person.id in facts.askers:
            return facts is not None
        if place is None:
            return False
        policy = await self._access.policy(place)
        return self._access.may(person, policy)

    async def _waiting(
        self, place: Scope, person: Person
    ) -> list[tuple[ThreadKey, str]]:
        """Return the waiting turns to stop in `place`, each with its thread and key.

        In a thread, this is its next turn; in a channel, the next turn of each thread
        in which `person` waits.
        """
        threads = [place.key]
        if not place.thread:
            threads = await self._answers.waiting(place, person.id)
        found = []
        for thread in threads:
            turn = await self._store.next_turn(thread)
            # A turn without an asker ends by itself: its questions were taken back.
            if turn is not None and turn.ended is None and turn.asker:
                found.append((thread, turn.key))
        return found
