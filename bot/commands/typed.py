"""Runs commands that people type, in messages that mention the bot or are direct
messages to it. The whole message must be a command.

Rule: each command runs once, even if a platform delivers it several times or it is
fetched again after a restart. A command that is lost when the process ends is not
repeated: people see that nothing happened, and type it again.
"""

import hashlib
import logging
import secrets
import time
from collections.abc import Callable
from typing import Protocol

from bot.commands import suggestions
from bot.commands.catalog import is_personal, is_question
from bot.commands.router import CommandRouter
from bot.domain.message import MarkKind, Message
from bot.domain.retention import DAY
from bot.domain.scope import Scope, ScopeLevel, ThreadKey
from bot.errors import ConfigError, DeliveryError, StorageBusy, StorageError
from bot.messages import labels
from bot.messages.controls import FORM_TO_FILL_IN, NEEDS_A_FORM, ONLY_FOR_YOU
from bot.messages.settings import UNSURE
from bot.platforms import Platforms
from bot.ports.inbox import InboxStore
from bot.ports.notices import NoticeStore
from bot.ports.platform import Messenger
from bot.runtime.lru import LruDict
from bot.settings.access import SettingsAccess
from bot.text import stop_phrases
from bot.ui.command_spec import MOST_COMMAND_CHARS
from bot.ui.elements import Button, Command, CommandResult, Form, Response, Style

log = logging.getLogger(__name__)

# A command that arrives more than this many seconds after it was typed is ignored: the
# conversation has moved on.
STALE = 3600.0

# How long a command that was run is remembered, in seconds: longer than any platform
# delivers a message again.
REMEMBERED = DAY

# How many of these commands are remembered in memory. Slack sends each message twice
# within moments (platform facts A1.2).
MOST_TAKEN = 1_000

# The most commands that run at once.
MOST_AT_ONCE = 1_000


class TypedStore(InboxStore, NoticeStore, Protocol):
    """The store of messages and of claims on typed commands."""


class TypedCommands:
    """Distinguishes commands from questions, and runs commands in the background."""

    def __init__(
        self,
        store: TypedStore,
        platforms: Platforms,
        access: SettingsAccess,
        router: CommandRouter,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._access = access
        self._router = router
        self._now = now
        #: The commands that ran, by thread and message. An edit may make another one.
        self._taken: LruDict[tuple[ThreadKey, str], Command] = LruDict(MOST_TAKEN)
        self._running = 0

    async def take(self, message: Message, *, edited: bool = False) -> bool:
        """Return True if `message` is a command, and make sure that it runs once.

        `edited` says that people changed the message into this text. Raises
        StorageError; the platform should then deliver the message again.
        """
        messenger = self._platforms.adapters[message.thread.platform].messenger
        if messenger is None:
            return False
        key = (message.thread, message.message)
        taken = self._taken.get(key)
        if taken is not None and not edited:
            return True
        command = self._read(message)
        if command is None or self._now() - message.at > STALE:
            return False
        if command == taken:
            # A platform changes a text, too, such as when it shows a preview.
            return True
        if not edited and (
            await self._store.stored_message(message.thread, message.message)
            is not None
        ):
            # The message was stored as a question: another event of it had more than
            # the command.
            return False
        if self._running >= MOST_AT_ONCE:
            raise StorageBusy("too many commands at once")
        now = self._now()
        self._taken[key] = command
        try:
            first = await self._store.claim_notice(
                Scope.of(message.thread),
                f"command {message.message} {_digest(command)}",
                secrets.token_hex(8),
                now,
                now + REMEMBERED,
            )
        except StorageError:
            self._taken.pop(key, None)
            raise
        if first:
            self._running += 1
            work = self._carry_out(messenger, command, message)
            self._platforms.tasks.start(
                "command", work, platform=message.thread.platform
            )
        return True

    def _read(self, message: Message) -> Command | None:
        """Return the command in `message`; None unless the whole message is one."""
        if message.automated or message.echo or message.files or not message.addressed:
            return None
        if len(message.text) > MOST_COMMAND_CHARS:
            return None
        mentions = any(
            not isinstance(each, str) and each.kind is MarkKind.BOT
            for each in message.parts
        )
        # A reply to the bot may be about the bot's message: "budget", "help".
        if not (mentions or self._access.is_direct(Scope.of(message.thread))):
            return None
        text = self._platforms.adapters[message.thread.platform].typed(message)
        command = self._router.parse(text)
        if command is not None and is_question(command):
            return None
        if command is None and stop_phrases.is_stop(text):
            return Command("stop")
        if command is None and suggestions.misspelt(text):
            return Command("unknown", {"text": text})
        return command

    async def _carry_out(
        self, messenger: Messenger, command: Command, message: Message
    ) -> None:
        place = Scope.of(message.thread)
        try:
            direct = self._access.is_direct(place)
            if is_personal(command) and not (messenger.private or direct):
                response = _offer(ONLY_FOR_YOU, labels.SHOW, command)
            else:
                response = _as_message(await self._result(command, message), command)
            if response.public or direct:
                await messenger.post(place, response, message.message)
            else:
                await messenger.notice(message, response)
        except DeliveryError as error:
            log.warning("command.untold verb=%s %s", command.verb, error)
        finally:
            self._running -= 1

    async def _result(self, command: Command, message: Message) -> CommandResult:
        place = Scope.of(message.thread)
        if message.opens:
            # Typed at the top level of a channel: about the channel, not about a
            # thread.
            place = place.at(ScopeLevel.CHANNEL)
        directory = self._platforms.adapters[place.platform].directory
        try:
            person = await directory.person(place, message.author)
            return await self._router.run(command, place, person)
        except DeliveryError as error:
            log.warning("command.unsure verb=%s %s", command.verb, error)
            return Response(UNSURE)
        except (StorageError, ConfigError) as error:
            log.error("command.not_carried_out verb=%s %s", command.verb, error)
            return Response(error.user_text)


def _digest(command: Command) -> str:
    text = repr((command.verb, sorted(command.arguments.items())))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _as_message(result: CommandResult, command: Command) -> Response:
    """Return `result` as a message. A form becomes a button, since only a control can
    open a form."""
    if isinstance(result, Form):
        return _offer(FORM_TO_FILL_IN, labels.OPEN_FORM, command)
    return result


def _offer(text: str, label: str, command: Command) -> Response:
    try:
        _ = command.line
    except ValueError:
        return Response(NEEDS_A_FORM)
    return Response(text, buttons=(Button(label, command, Style.PRIMARY),))
