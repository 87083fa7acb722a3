"""Commands and buttons that decide whether expensive files are read.

Rule: as with all controls, memory holds no state, and permissions are checked at each
press. A decision is stored before an answer is written again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from bot.commands.router import Handler
from bot.context.files import first_pages
from bot.conversation.stopping import Stopper, refusal
from bot.domain.attachment import FileContent, FileKind, ThreadFile
from bot.domain.person import Person
from bot.domain.reply import Control
from bot.domain.scope import Scope
from bot.errors import FileUnread, Unread
from bot.messages import files as messages
from bot.messages.answers import UNWELCOME
from bot.messages.commands import NO_ANSWER, NOT_YOURS, REPEATING
from bot.ports.files import FileChoices
from bot.ports.store import ControlStore
from bot.settings.access import SettingsAccess
from bot.ui.buttons import FIRST_PAGES, has_first
from bot.ui.elements import Command, Response

log = logging.getLogger(__name__)

#: Starts writing an answer again, if it is the last one: `ReplyControls.repeat`.
Repeat = Callable[[Scope, str, Person], Awaitable[bool]]


class ChoiceStore(ControlStore, FileChoices, Protocol):
    """The store of turns and their files."""


class FileDecisions:
    """Handlers of the commands that decide about files: with a name, about the newest
    file of that name; without one, about all files that people were asked about."""

    def __init__(
        self,
        store: ChoiceStore,
        stopper: Stopper,
        access: SettingsAccess,
        repeat: Repeat,
    ) -> None:
        self._store = store
        self._stopper = stopper
        self._access = access
        self._repeat = repeat

    def handlers(self) -> Mapping[str, Handler]:
        found: dict[str, Handler] = {}
        for choice in (Control.READ, Control.FIRST, Control.SKIP):
            handler = partial(self._decide, choice)
            found[f"file {choice.value}"] = handler
            found[f"{choice.value} answer"] = handler
        return found

    async def _decide(
        self, choice: Control, command: Command, place: Scope, person: Person
    ) -> Response:
        """Store the decision of a person who may ask in the thread, and who asked the
        question or is an admin. These are the rules of Retry, since the answer is
        written again."""
        turn = command.arguments.get("turn", "")
        facts = await self._store.turn_facts(place.key, turn)
        if facts is None:
            return Response(NO_ANSWER if turn else messages.NONE_ASKED)
        policy = await self._access.policy(place)
        if not self._access.may_ask(person, policy):
            return Response(refusal(person, UNWELCOME))
        if not await self._stopper.may_control(person, facts, place):
            return Response(refusal(person, NOT_YOURS))
        name = command.arguments.get("name", "")
        files = _choose(await self._store.thread_files(place.key, turn), name)
        if not files:
            return Response(messages.NO_SUCH_FILE if name else messages.NONE_ASKED)
        if choice is Control.FIRST:
            files = [each for each in files if _has_first(each)]
            if not files:
                return Response(messages.no_first_pages(pages=FIRST_PAGES))
        changed = [await self._store_choice(choice, place, each) for each in files]
        if not any(changed):
            return Response(messages.DECIDED)
        log.info("file.decided thread=%s choice=%s", place.key, choice.value)
        if choice is Control.SKIP:
            return Response(messages.LEFT_OUT)
        if facts.newest and await self._repeat(place, facts.key, person):
            return Response(REPEATING)
        return Response(messages.READ_LATER)

    async def _store_choice(
        self, choice: Control, place: Scope, file: ThreadFile
    ) -> bool:
        """Store `choice` for `file`; return True if that changes anything."""
        unread, cut = None, None
        if choice is Control.SKIP:
            unread = Unread.SKIPPED
        elif choice is Control.FIRST and not file.is_cut:
            cut = await self._first(file)
            if cut is None:
                return False
        elif choice is Control.FIRST:
            return False
        return await self._store.decide_file(place.key, file.digest, unread, cut)

    async def _first(self, file: ThreadFile) -> FileContent | None:
        """Return the first pages of `file`; None if they cannot be extracted."""
        data = await self._store.file_data([file.digest])
        if file.digest not in data:
            return None
        whole = FileContent(
            file.kind,
            file.media_type,
            data[file.digest],
            file.tokens,
            file.pages,
            file.all_pages,
        )
        try:
            return await asyncio.to_thread(first_pages, whole, FIRST_PAGES)
        except FileUnread as error:
            log.warning("file.not_cut why=%s", error.reason.value)
            return None


def _choose(files: Sequence[ThreadFile], name: str) -> list[ThreadFile]:
    """Return the `files` that a command is about, each content once."""
    if wanted := name.strip().strip("`").casefold():
        named = [each for each in files if each.name.casefold() == wanted]
        return named[-1:]
    asked = [each for each in files if each.unread in _ASKED or each.is_cut]
    return list({each.digest: each for each in asked}.values())


_ASKED = (Unread.WAITING, Unread.SKIPPED)


def _has_first(file: ThreadFile) -> bool:
    return file.kind is FileKind.PDF and has_first(file.pages)
