"""Offers to answer a question again if its text was changed after the answer.

Rule 1: only a possible action is offered: the question is the last one of its thread,
and its answer is delivered. An earlier edit is read by the next turn.

Rule 2: the offer carries everything that its button needs, so it works after a restart.
The offer is never repeated: `retry` does the same.
"""

import secrets
import time
from collections.abc import Callable
from typing import Protocol

from bot.domain.message import Message, StoredMessage
from bot.domain.retention import DAY
from bot.domain.scope import Scope
from bot.domain.turn import TurnState
from bot.messages.answers import QUESTION_CHANGED
from bot.messages.labels import ANSWER_AGAIN
from bot.platforms import Platforms
from bot.ports.inbox import InboxStore
from bot.ports.notices import NoticeStore
from bot.ports.platform import Messenger
from bot.runtime.notices import Notices
from bot.text.excerpts import reads_alike
from bot.ui.elements import Button, Command, Response

#: The pause between two offers for the same message, in seconds.
PAUSE = 60.0

#: From this age on, in seconds, an edited question gets no offer: people then correct
#: what they wrote, and expect nothing.
STALE = DAY

# Timeout for making an offer, in seconds: a later one would come as a surprise.
TIMEOUT = 10.0

# How many offers are made at once.
MOST_AT_ONCE = 10


class EditStore(InboxStore, NoticeStore, Protocol):
    """The store of edited questions: messages, and claims of offers."""


class EditedQuestions:
    """Offers authors an answer to the current text of their question."""

    def __init__(
        self,
        store: EditStore,
        platforms: Platforms,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._now = now
        self._offers = Notices(
            platforms.tasks,
            "notice",
            most=MOST_AT_ONCE,
            seconds=TIMEOUT,
            failed="edit.not_offered",
        )

    def changed(self, before: StoredMessage, message: Message) -> None:
        """Offer, in the background, to answer `message` again.

        `message` is the edited version of `before`. Nothing is offered unless it is a
        question and a person changed its text.
        """
        adapter = self._platforms.adapters[message.thread.platform]
        if adapter.messenger is None or message.automated or not before.asked:
            return
        if self._now() - message.at > STALE or self._offers.is_full:
            return
        if reads_alike(adapter.typed(before.message), adapter.typed(message)):
            return
        work = self._offer(adapter.messenger, message, before.asked)
        self._offers.start(work, platform=adapter.name, about=message.thread)

    async def _offer(self, messenger: Messenger, message: Message, turn: str) -> None:
        if await self._is_due(message, turn):
            await messenger.notice(message, _offer(message, turn), in_thread=True)

    async def _is_due(self, message: Message, turn: str) -> bool:
        facts = await self._store.turn_facts(message.thread, turn)
        if facts is None or not facts.newest or facts.state is not TurnState.DELIVERED:
            return False
        now = self._now()
        return await self._store.claim_notice(
            Scope.of(message.thread),
            f"edited {message.message}",
            secrets.token_hex(8),
            now,
            now + PAUSE,
        )


def _offer(message: Message, turn: str) -> Response:
    given = {"turn": turn, "message": message.message}
    again = Button(ANSWER_AGAIN, Command("answer again", given))
    return Response(QUESTION_CHANGED, buttons=(again,))
