"""Removes controls such as Retry from an answer that is no longer the last.

They are removed when the next answer in the thread is complete.

Rule: this never costs an answer a write. A removal waits until the platform would
accept a whole burst of edits, and is dropped if that takes too long or the process
ends. A control that stays says, when it is used, that it is too late.
"""

from collections.abc import Mapping
from dataclasses import replace

from bot.conversation.offered_controls import offered_controls
from bot.delivery.write_request import Priority, WriteRequest
from bot.delivery.write_scheduler import WriteScheduler
from bot.domain.reply import Control, Part
from bot.domain.scope import Scope
from bot.domain.turn import Turn
from bot.ports.earlier_turns import EarlierTurns
from bot.ports.platform import Adapter, Surface
from bot.runtime.background import Background
from bot.runtime.notices import Notices
from bot.settings.access import SettingsAccess

# The longest wait in seconds, and the most answers that wait for removals.
TIMEOUT = 600.0
MOST_WAITING = 100

# The controls that an answer keeps.
LASTING = (Control.FEEDBACK, Control.ATTACH, Control.RECEIPT, Control.SUMMARY)


class OldControls:
    """The controls of answers that are no longer the last of their thread."""

    def __init__(
        self,
        store: EarlierTurns,
        adapters: Mapping[str, Adapter],
        schedulers: Mapping[str, WriteScheduler],
        settings: SettingsAccess,
        tasks: Background,
    ) -> None:
        self._store = store
        self._adapters = adapters
        self._schedulers = schedulers
        self._settings = settings
        self._removals = Notices(
            tasks,
            "tidy",
            most=MOST_WAITING,
            seconds=TIMEOUT,
            failed="reply.untidied",
        )

    def remove_before(self, turn: Turn) -> None:
        """Remove the controls of the answer before `turn`, in the background."""
        platform = turn.thread.platform
        # A platform without messages besides answers, such as the terminal, has no
        # controls, and the first turn of a thread has no answer before it.
        if self._adapters[platform].messenger is not None and not turn.begins:
            work = self._remove_before(turn)
            self._removals.start(work, platform=platform, about=turn.thread)

    def close(self) -> None:
        """Stop removing controls."""
        self._removals.close()

    async def _remove_before(self, turn: Turn) -> None:
        if (before := await self._store.previous_turn(turn)) is not None:
            await self._tidy(before)

    async def _tidy(self, turn: Turn) -> None:
        platform = turn.thread.platform
        # Not as a turn that a crash interrupted: its signs of progress would be
        # removed.
        settled = replace(turn, attempts=0)
        async with self._adapters[platform].surface(settled) as surface:
            part = await self._bare(turn, attaches=surface.uploads is not None)
            if part is not None:
                await self._show(turn, surface, part)

    async def _bare(self, turn: Turn, *, attaches: bool) -> Part | None:
        """Return the last message of an answer without the controls to remove.

        Return None if there is no such message, or nothing to remove from it.
        """
        policy = await self._settings.policy(Scope.of(turn.thread))
        offered = await offered_controls(turn, policy, attaches=attaches)
        kept = tuple(each for each in offered if each in LASTING)
        shown = [each for each in turn.shown if each.message and each.text.strip()]
        if not shown or kept == offered:
            return None
        return Part(shown[-1].index, shown[-1].text, final=True, controls=kept)

    async def _show(self, turn: Turn, surface: Surface, part: Part) -> None:
        scheduler, name = self._schedulers[turn.thread.platform], f"{turn.key} tidy"
        [kind, *_] = surface.ways(part)
        request = WriteRequest(name, turn.thread, kind, Priority.TIDY)
        try:
            while not await scheduler.agreed(await scheduler.may_write(request)):
                scheduler.write_completed(name)
            await surface.show(part, kind)
        finally:
            scheduler.remove(name)
