"""Undoes a change of settings: a new change restores the values before it.

Rule: a button carries the numbers of audit entries, so it works after a restart. It may
be forged, so the scope, the values and the permissions are looked up again.
"""

from collections.abc import Mapping, Sequence

from bot.commands.edit_settings import SettingsEditor
from bot.commands.router import Handler
from bot.commands.saved import describe_changes
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.domain.setting import AuditEntry, EditConflict
from bot.errors import Unacceptable
from bot.messages import commands as messages
from bot.messages.commands import CHANGE_GONE
from bot.ports.store import UndoStore
from bot.settings import audit_lines
from bot.settings.access import SettingsAccess
from bot.settings.options import BY_NAME, OPTIONS
from bot.settings.target import number
from bot.ui import formatting
from bot.ui.elements import Command, Response


class SettingsUndo:
    """Handler of the command `undo`."""

    def __init__(
        self, store: UndoStore, access: SettingsAccess, editor: SettingsEditor
    ) -> None:
        self._store = store
        self._access = access
        self._editor = editor

    def handlers(self) -> Mapping[str, Handler]:
        return {"undo": self.undo}

    async def undo(self, command: Command, place: Scope, person: Person) -> Response:
        """Restore the values before one change, unless they were changed again
        since."""
        entries = await self._entries(command)
        policy = await self._access.policy(entries[0].place)
        written = {each.name: await self._before(each) for each in entries}
        running = command.arguments.get("running") == "yes"
        changes = await self._editor.changes(written, policy, place, person)
        if isinstance(changes, Response):
            return changes
        result = await self._editor.store(
            *(changes, person),
            action="undid",
            base=entries[-1].id,
            running=running,
        )
        if isinstance(result, EditConflict):
            return Response(_describe_conflict(result.entries), settles=True)
        head = messages.undone_for(where=self._access.name(policy.place))
        return Response(describe_changes(head, result, policy, running), settles=True)

    async def _entries(self, command: Command) -> list[AuditEntry]:
        """Return the entries of the one change that `command` names."""
        first, last = number(command, "first"), number(command, "last")
        if first is None or last is None or not 0 <= last - first < len(OPTIONS):
            raise Unacceptable(CHANGE_GONE)
        entries = await self._store.entries(first, last)
        changes = {(each.place, each.who, each.at) for each in entries}
        known = all(each.name in BY_NAME for each in entries)
        if len(changes) != 1 or len(entries) != last - first + 1 or not known:
            raise Unacceptable(CHANGE_GONE)
        return entries

    async def _before(self, entry: AuditEntry) -> str | None:
        """Return the value before `entry`; for a versioned option, the text of that
        version."""
        if entry.before is None or not BY_NAME[entry.name].versioned:
            return entry.before
        for version in await self._store.versions(entry.place, entry.name):
            if entry.before == f"version {version.number}":
                return version.text
        raise Unacceptable(CHANGE_GONE)


def _describe_conflict(entries: Sequence[AuditEntry]) -> str:
    lines = [messages.NOT_UNDONE]
    lines += [
        f"- {formatting.minute(each.at)} · {audit_lines.change(each)}"
        for each in entries
    ]
    return "\n".join(lines)
