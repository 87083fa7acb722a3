"""Dispatches commands to their handlers, for every platform.

Rule: if a command fails, the person who gave it gets one sentence of explanation, and
nothing is left half done.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from bot.commands.catalog import ASKING, COMMANDS, parse_command
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.errors import DeliveryError, ThreadGone, Unacceptable
from bot.messages.answers import NOT_ADMITTED
from bot.messages.commands import CHANNEL_GONE, STALE
from bot.messages.settings import UNSURE
from bot.platforms import Platforms
from bot.settings.access import SettingsAccess
from bot.text.characters import replace_lone_surrogates
from bot.ui.command_spec import CommandSpec
from bot.ui.elements import Command, CommandResult, Page, Response, Section

log = logging.getLogger(__name__)

#: Runs a command that a person gave at a place. May raise Unacceptable, whose text the
#: person is shown, DeliveryError and StorageError.
Handler = Callable[[Command, Scope, Person], Awaitable[CommandResult]]

R = TypeVar("R")


class CommandRouter:
    """Runs the handler that is registered for a command's verb."""

    def __init__(
        self,
        platforms: Platforms,
        access: SettingsAccess,
        handlers: Mapping[str, Handler],
        triage: Callable[[Message, Person], Awaitable[Response]],
        page: Callable[[Scope, Person], Awaitable[Page]],
    ) -> None:
        self._platforms = platforms
        self._access = access
        self._handlers = handlers
        self._triage = triage
        self._page = page

    @property
    def catalog(self) -> Sequence[CommandSpec]:
        """Return every command, including those that only buttons and forms issue."""
        return COMMANDS

    def parse(self, text: str) -> Command | None:
        """Return the command in `text`; None unless the whole text is one command."""
        return parse_command(text)

    async def run(
        self, command: Command, place: Scope, person: Person
    ) -> CommandResult:
        """Run `command`, which `person` gave at `place`, if they may. Return the
        response or form for them. Raises StorageError."""
        if refusal := self._platforms.refusal(place):
            return Response(refusal)
        given = {
            name: replace_lone_surrogates(value)
            for name, value in command.arguments.items()
        }
        command = Command(command.verb, given)
        handler = self._handlers.get(command.verb)
        if handler is None:
            return Response(STALE)
        if command.verb in ASKING and not self._access.admits(person, place):
            return Response(NOT_ADMITTED)
        with self._platforms.using(place.platform):
            return await _run(handler(command, place, person), command.verb)

    async def triage(self, message: Message, person: Person) -> Response:
        """Classify one message for `person`, if they may. Raises StorageError."""
        place = Scope.of(message.thread)
        if refusal := self._platforms.refusal(place):
            return Response(refusal)
        if not self._access.admits(person, place):
            return Response(NOT_ADMITTED)
        with self._platforms.using(place.platform):
            return await _run(self._triage(message, person), "triage this")

    async def page(self, place: Scope, person: Person) -> Page:
        """Return the bot's own page in the workspace `place`, as `person` may see it.
        Raises StorageError."""
        if refusal := self._platforms.refusal(place):
            return Page((Section("", refusal),))
        with self._platforms.using(place.platform):
            return await self._page(place, person)


async def _run(work: Awaitable[R], verb: str) -> R | Response:
    """Return the result of `work`, or the sentence that explains why it failed."""
    try:
        return await work
    except Unacceptable as error:
        return Response(error.user_text)
    except ThreadGone as error:
        log.info("command.nowhere verb=%s %s", verb, error)
        return Response(CHANNEL_GONE)
    except DeliveryError as error:
        log.warning("command.unsure verb=%s %s", verb, error)
        return Response(UNSURE)
