"""Commands that attach the code and tables of an answer as files.

Rule: memory holds only the keys of answers whose files are being attached. Files that
were attached before are in the store, so a repeated press attaches nothing twice.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from bot.commands.router import Handler
from bot.conversation.stopping import refusal
from bot.delivery.reply_uploads import ReplyUploads
from bot.domain.answer_file import AnswerFile
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.domain.turn import Turn
from bot.messages import answer_files as messages
from bot.messages.answers import UNWELCOME
from bot.messages.commands import NO_ANSWER
from bot.ports.platform import Adapter
from bot.ports.uploads import UploadStore
from bot.rendering.file_blocks import MOST_FILES, files_in
from bot.runtime.offload import offload
from bot.settings.access import SettingsAccess
from bot.text.file_names import unused_name
from bot.ui.elements import SILENCE, Command, Response

log = logging.getLogger(__name__)

# The most answers whose files are attached at the same time.
MOST_AT_ONCE = 20


class AnswerFiles:
    """Attaches the code and tables that an answer shows as text."""

    def __init__(
        self,
        store: UploadStore,
        adapters: Mapping[str, Adapter],
        access: SettingsAccess,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._adapters = adapters
        self._access = access
        self._clock = clock
        #: The keys of turns whose files are being attached.
        self._running: set[str] = set()

    def handlers(self) -> Mapping[str, Handler]:
        return {"file attach": self.attach, "attach answer": self.attach}

    async def attach(self, command: Command, place: Scope, person: Person) -> Response:
        """Attach the code and tables of an answer that are not attached yet. The answer
        is that of the control, or the last one in the thread `place`. The person must
        be allowed to ask there."""
        policy = await self._access.policy(place)
        if not self._access.may_ask(person, policy):
            return Response(refusal(person, UNWELCOME))
        key = command.arguments.get("turn", "")
        turn = await self._store.answered(place.key, key) if place.thread else None
        if turn is None:
            return Response(NO_ANSWER if key else messages.NO_ANSWER_HERE)
        if turn.key in self._running or len(self._running) >= MOST_AT_ONCE:
            return Response(messages.ATTACHING)
        self._running.add(turn.key)
        try:
            told = await self._attach(turn)
        finally:
            self._running.discard(turn.key)
        if told:
            return Response(told)
        # The new files are visible, so a press of a button needs no response.
        return SILENCE if key else Response(messages.ATTACHED)

    async def _attach(self, turn: Turn) -> str:
        """Attach the files of the answer to `turn`. Return the reason if that fails, or
        "" on success."""
        files = await offload(partial(files_in, turn.text), len(turn.text))
        # Without attempts, so that the surface does not look for the remains of a
        # crash, such as a status line.
        settled = replace(turn, attempts=0)
        async with self._adapters[turn.thread.platform].surface(settled) as surface:
            if surface.uploads is None:
                return messages.NO_FILES_HERE
            uploads = ReplyUploads(
                settled, surface.uploads, store=self._store, clock=self._clock
            )
            missing = _missing(files, uploads.shown)
            if not missing:
                return messages.ALL_ATTACHED if files else messages.NOTHING_TO_ATTACH
            failed = await uploads.add(missing)
        log.info("file.attached thread=%s n=%d", turn.thread, len(missing))
        return messages.refused(why=failed[0].why) if failed else ""


def _missing(
    files: Sequence[AnswerFile], shown: frozenset[tuple[str, str]]
) -> list[AnswerFile]:
    """Return the `files` that are not in `shown`, with names that are not used yet."""
    digests = {digest for _, digest in shown}
    used = {name for name, _ in shown}
    found = []
    for file in files:
        if file.digest not in digests:
            found.append(replace(file, name=unused_name(file.name, frozenset(used))))
            digests.add(file.digest)
            used.add(found[-1].name)
    return found[:MOST_FILES]
