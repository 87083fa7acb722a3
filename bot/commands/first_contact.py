"""Greets people who meet the bot for the first time, with things to try.

Rule: each greeting is sent once, even across restarts, and nothing else waits for it. A
greeting that fails is not sent again.
"""

import logging
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from bot.commands.reply_controls import question_of_button
from bot.commands.router import Handler
from bot.conversation.inbox import Inbox
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.retention import DAY
from bot.domain.scope import Scope
from bot.errors import StorageError
from bot.messages.commands import HOW_TO_ASK
from bot.messages.first_contact import (
    ADDED,
    EXAMPLES,
    GREETING,
    SET_UP,
    WHAT_ELSE,
    joined,
)
from bot.platforms import Platforms
from bot.ports.notices import NoticeStore
from bot.ports.store import ThreadStore
from bot.runtime.lru import LruDict
from bot.runtime.notices import Notices
from bot.settings.access import SettingsAccess
from bot.ui.elements import SILENCE, Button, Command, Response, Style

log = logging.getLogger(__name__)

# The time limit of a greeting, in seconds: a later greeting would be a surprise.
TIMEOUT = 30.0

# The most greetings that are being sent at once: when a company installs the bot, many
# people open their direct messages within minutes.
MOST_AT_ONCE = 100

# How long a notice to an inviter or owner is not repeated, in seconds: Slack sends an
# event again if it was not acknowledged.
PAUSE = DAY

# The most conversations that are remembered in memory as needing no greeting.
MOST_KNOWN = 10_000


class FirstContactStore(NoticeStore, ThreadStore, Protocol):
    """The store's record of earlier greetings."""


class FirstContact:
    """Sends greetings, and asks the questions of their buttons."""

    def __init__(
        self,
        store: FirstContactStore,
        platforms: Platforms,
        access: SettingsAccess,
        inbox: Inbox,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._access = access
        self._inbox = inbox
        self._now = now
        self._known: LruDict[Scope, None] = LruDict(MOST_KNOWN)
        self._greetings = Notices(
            platforms.tasks,
            "greet",
            most=MOST_AT_ONCE,
            seconds=TIMEOUT,
            failed="person.not_greeted",
        )

    def handlers(self) -> Mapping[str, Handler]:
        return {"try example": self.ask}

    async def opened(self, place: Scope, user: str) -> None:
        """Greet `user`, who opened their direct messages `place` with the bot or writes
        there, unless they talked to it there before."""
        if place in self._known or not self._platforms.serves(place):
            return
        try:
            threads = await self._store.list_threads(place.platform, place.channel)
            first = await self._claim(place, "greeting")
        except StorageError as error:
            log.warning("person.not_greeted place=%s %s", place, error)
            return
        self._known[place] = None
        if first and not threads:
            self._start(self._greet(place, user), place)

    async def added(self, place: Scope, inviter: str) -> None:
        """Show `inviter`, who added the bot to the channel `place`, how to set it up.
        Only the inviter sees the notice."""
        if self._platforms.serves(place):
            self._start(self._greet_inviter(place, inviter), place)

    async def joined(self, place: Scope, owner: str, name: str) -> None:
        """Tell `owner` in private that the bot was added to their workspace `place`,
        which is called `name`."""
        if self._platforms.serves(place):
            self._start(self._tell(place, owner, name), place)

    async def ask(self, command: Command, place: Scope, person: Person) -> Response:
        """Ask the example question of a button for `person`, in the thread of that
        button."""
        example = EXAMPLES.get(command.arguments.get("example", ""))
        if example is None or not place.thread:
            return Response(HOW_TO_ASK)
        now = self._now()
        # A second press within a minute makes the same message.
        key = f"{command.arguments['example']}-{int(now) // 60}"
        # With `opens`, no earlier messages are read: there is only the greeting.
        await self._inbox.receive(
            question_of_button(key, example, place, person, now, opens=True)
        )
        return SILENCE

    async def _greet(self, place: Scope, user: str) -> None:
        adapter = self._platforms.adapters[place.platform]
        if adapter.messenger is None:
            return
        person = await adapter.directory.person(place, user)
        policy = await self._access.policy(place)
        # People are not invited to do something that would be refused.
        if not self._access.admits(person, place):
            return
        if self._access.may_ask(person, policy):
            await adapter.messenger.post(place, greeting())

    async def _greet_inviter(self, place: Scope, inviter: str) -> None:
        messenger = self._platforms.adapters[place.platform].messenger
        now = self._now()
        if messenger is None:
            return
        if not await self._claim(place, f"added {inviter}", now + PAUSE):
            return
        about = Message(
            thread=place.key,
            message="",
            at=now,
            author=inviter,
            text="",
            addressed=False,
            opens=True,
        )
        set_up = Button(SET_UP, Command("settings"), Style.PRIMARY)
        await messenger.notice(about, Response(ADDED, buttons=(set_up,)))

    async def _tell(self, place: Scope, owner: str, name: str) -> None:
        if await self._claim(place, f"joined {owner}", self._now() + PAUSE):
            adapter = self._platforms.adapters[place.platform]
            await adapter.tell(place.workspace, owner, joined(server=name))

    async def _claim(self, place: Scope, name: str, until: float | None = None) -> bool:
        return await self._store.claim_notice(
            place, name, secrets.token_hex(8), self._now(), until
        )

    def _start(self, work: Coroutine[Any, Any, None], place: Scope) -> None:
        self._greetings.start(work, platform=place.platform, about=place)


def greeting() -> Response:
    """Return the greeting with its buttons."""
    examples = [
        Button(question, Command("try example", {"example": name}))
        for name, question in EXAMPLES.items()
    ]
    return Response(
        GREETING,
        public=True,
        buttons=(*examples, Button(WHAT_ELSE, Command("help"))),
    )
