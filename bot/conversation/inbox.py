"""Classifies incoming messages and stores them with the turn that will answer them.

Rule: when `receive` returns, the message and the turn that will answer it are
committed. Only then may the platform's event be acknowledged.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from bot.context.prompt import addition, label
from bot.conversation import addressing
from bot.conversation.addressing import EngagementSettings, Rule
from bot.conversation.answers import Answers
from bot.conversation.clock_watch import ClockWatch
from bot.conversation.edited_questions import EditedQuestions
from bot.conversation.instructions import Instructions, InstructionStore
from bot.conversation.stopping import Stopper
from bot.conversation.waiting_signs import WaitingSigns
from bot.domain.message import (
    Disposition,
    Message,
    ThreadFacts,
    Verdict,
    fuller,
)
from bot.domain.retention import DAY
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import StoredSettings
from bot.platforms import Platforms
from bot.settings.access import SettingsAccess

log = logging.getLogger(__name__)


# The age in seconds from which a received message is stored but not answered: the
# conversation has moved on.
STALE = 3600.0

# The same age for a message that an edit makes address the bot. It is longer, because
# the person who edits the message looks at it now.
STALE_EDIT = DAY


class Inbox:
    """Stores the messages that adapters receive, and queues turns for them.

    `stopper` stops answers for the people who ask for that, `signs` shows which
    messages wait, and `edits` offers to answer edited questions again. `command`
    carries out a message if it is a command, which an edit may have made it, and
    returns whether it is one. `triage` takes in a message at the top of a channel, and
    decides whether messages are triaged there; `amend_case` takes in its edits.
    """

    def __init__(
        self,
        store: InstructionStore,
        answers: Answers,
        platforms: Platforms,
        settings: SettingsAccess,
        stopper: Stopper,
        signs: WaitingSigns,
        edits: EditedQuestions,
        command: Callable[[Message, bool], Awaitable[bool]],
        triage: Callable[[Message], Awaitable[None]],
        amend_case: Callable[[Message], Awaitable[None]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._answers = answers
        self._platforms = platforms
        self._settings = settings
        self._signs = signs
        self._edits = edits
        self._command = command
        self._triage = triage
        self._amend_case = amend_case
        self._now = now
        self._clock_watch = ClockWatch()
        self._instructions = Instructions(store, platforms, settings, stopper)

    async def receive(self, message: Message, *, held: bool = False) -> None:
        """Carry out `message` if it is a command; else store it and queue a turn.

        A turn is queued only if the message is to be answered. If `held`, no other
        process begins in a new thread until `begin` is called. Raises StorageError.
        """
        if not self._platforms.serves(message.thread):
            return
        with self._platforms.using(message.thread.platform):
            if await self._command(message, False):
                return
            await self._triage(await self._receive(message, held=held))

    async def begin(self, thread: ThreadKey, to: ThreadKey) -> None:
        """Let `thread`, in which a message was held, be answered as the thread `to`.

        Raises StorageError.
        """
        if self._platforms.serves(thread):
            await self._store.give_thread(thread, to)

    async def receive_unaddressed(self, message: Message) -> None:
        """Pass a message at the top of a channel on to triage. Raises StorageError."""
        if not self._platforms.serves(message.thread):
            return
        with self._platforms.using(message.thread.platform):
            await self._triage(message)

    async def _receive(
        self, message: Message, *, edit: bool = False, held: bool = False
    ) -> Message:
        """Store `message`, and queue a turn if it is to be answered; return it under
        the id that its channel has now."""
        if message.echo and not edit:
            # The bot's own posts are stored with their turns.
            return message
        engagement = await self._engagement(message)
        applied = addressing.PLAIN
        judge = addressing.judge
        receive = (
            self._store.readdress if edit else partial(self._store.receive, held=held)
        )
        if edit and not message.addressed:
            judge = addressing.judge_edited
        elif self._now() - message.at > (STALE_EDIT if edit else STALE):
            judge = addressing.judge_stale
            self._clock_watch.stale(message.at, self._now())

        def judge_under(
            message: Message, facts: ThreadFacts | None, stored: StoredSettings
        ) -> Verdict:
            nonlocal applied
            applied = engagement(stored)
            return judge(message, facts, applied)

        verdict = await receive(message, judge_under)
        if verdict.moved_to:
            thread = replace(message.thread, channel=verdict.moved_to)
            moved = replace(message, thread=thread)
            return await self._receive(moved, edit=edit, held=held)
        if verdict.disposition is Disposition.IGNORE:
            # Platforms send several events only for a mention.
            if message.addressed and not edit:
                await self._supplement(message)
            return message
        log.info(
            "message.heard thread=%s message=%s verdict=%s rule=%s",
            message.thread,
            message.message,
            verdict.disposition.value,
            verdict.rule,
        )
        if verdict.rule == Rule.INSTRUCTION.value:
            self._instructions.confirm(message, applied)
        if verdict.disposition is Disposition.ANSWER:
            delayed = await self._answers.is_running(message.thread)
            crowded = await self._answers.put(
                message.thread, message.author, message.at
            )
            self._signs.show(message, delayed=delayed, crowded=crowded)
        return message

    async def _engagement(
        self, message: Message
    ) -> Callable[[StoredSettings], EngagementSettings]:
        """Return a function that turns stored settings into the thread's engagement."""
        place = Scope.of(message.thread)
        resolve = await self._settings.resolver(place)
        # On a platform that takes only answers, nobody else takes part either.
        alone = self._platforms.adapters[place.platform].messenger is None
        direct = alone or self._settings.is_direct(place)
        return lambda stored: EngagementSettings.of(resolve(stored), direct=direct)

    async def supplement(self, message: Message) -> None:
        """Add the new parts of this version of `message` to the stored message.

        This version is not an edit. Raises StorageError.
        """
        if not self._platforms.serves(message.thread):
            return
        with self._platforms.using(message.thread.platform):
            await self._supplement(message)

    async def _supplement(self, message: Message) -> None:
        stored = await self._store.stored_message(message.thread, message.message)
        after = fuller(stored, message) if stored else None
        if stored is None or after is None:
            return
        adapter = self._platforms.adapters[message.thread.platform]
        [(author, text)] = await adapter.readable([after])
        content = label(after, author, text)
        added = addition(stored.message, after)
        await self._store.supplement(stored.message, after, content, added)
        log.info("message.supplemented thread=%s %s", message.thread, message.message)

    async def amend(self, message: Message, *, newly_addressed: bool = False) -> None:
        """Replace the stored text of an edited message.

        If the message is `newly_addressed` and was not answered, queue a turn. Raises
        StorageError.
        """
        if not self._platforms.serves(message.thread):
            return
        with self._platforms.using(message.thread.platform):
            await self._amend(message, newly_addressed)
            await self._amend_case(message)

    async def _amend(self, message: Message, newly_addressed: bool) -> None:
        before = await self._store.stored_message(message.thread, message.message)
        # Platforms also announce an edit when they add a preview to a link.
        changed = before is not None and (
            before.message.text != message.text
            # Somebody removed a file.
            or bool(_keys(before.message) - _keys(message))
        )
        # A misspelt command, or a question, becomes a command: "stpo" to "stop".
        may_be_command = before is None or changed or newly_addressed
        is_command = may_be_command and await self._command(message, True)
        if is_command and before is None:
            return
        # An edit may withdraw a question that waits.
        if is_command:
            plain = replace(message, addressed=False)
            await self._store.readdress(plain, _keep_command)
            self._signs.clear(message.thread)
        elif newly_addressed or (changed and not message.addressed):
            await self._receive(message, edit=True)
            self._signs.clear(message.thread)
        if before is None or not changed:
            return
        adapter = self._platforms.adapters[message.thread.platform]
        [(author, text)] = await adapter.readable([message])
        content = label(message, author, text)
        await self._store.edit_message(message, content, self._now())
        log.info(
            "message.amended thread=%s message=%s", message.thread, message.message
        )
        if not is_command:
            self._edits.changed(before, message)

    async def erase(
        self,
        platform: str,
        workspace: str,
        messages: Sequence[str],
        channel: str | None = None,
    ) -> None:
        """Delete `messages`, which people deleted, even where nobody is served now.

        Stop an answer to them if nothing of it shows yet. Raises StorageError.
        """
        await self._store.delete_messages(
            platform, workspace, messages, channel, self._now()
        )
        place = Scope(platform, workspace, channel or "")
        for thread, turn in await self._answers.running(place):
            facts = await self._store.turn_facts(thread, turn)
            if facts is not None and facts.withdrawn:
                log.info("turn.withdrawn thread=%s turn=%s", thread, turn)
                await self._answers.withdraw(thread, turn)

    async def hold(self, message: Message, holder: str) -> None:
        """Delete `message` once the message `holder` is deleted. Raises
        StorageError."""
        if self._platforms.serves(message.thread):
            await self._store.add_holder(message, holder, self._now())

    async def forget(self, place: Scope) -> None:
        """Delete a thread or channel that people deleted, even if it is not served now.

        Raises StorageError.
        """
        await self._store.delete_scope(place, self._now())
        log.info("place.forgotten place=%s", place)

    async def move(self, channel: Scope, to: str) -> None:
        """Give everything stored of `channel` the id `to`, even where nobody is served
        now. Raises StorageError."""
        if await self._store.move_channel(channel, to, self._now()):
            log.info("channel.moved channel=%s to=%s", channel, to)
            await self._answers.begin_anew(channel)

    async def current_channel(self, channel: Scope) -> str:
        """Return the id that the platform's `channel` has now. Raises StorageError."""
        return await self._store.current_channel(channel)


def _keep_command(
    message: Message, facts: ThreadFacts | None, stored: StoredSettings
) -> Verdict:
    return Verdict(Disposition.KEEP, Rule.INSTRUCTION.value)


def _keys(message: Message) -> set[str]:
    return {file.key for file in message.files}
