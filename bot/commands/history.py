"""Shows and restores earlier settings: versions of the prompt, and the audit.

Rule: the history is append-only. A rollback adds a version.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from bot.commands import visibility
from bot.commands.router import Handler
from bot.commands.saved import undo_button
from bot.domain.person import Person
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import Change, EditConflict, Version
from bot.errors import Unacceptable
from bot.messages import commands as messages
from bot.messages import labels
from bot.messages.commands import NO_VERSION, THREADS_KEEP
from bot.messages.settings import AUDIT_FOR_ADMINS, READ_AUDIT
from bot.ports.settings import SettingsStore
from bot.runtime.offload import offload
from bot.settings import audit_lines, describe
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings
from bot.settings.options import BY_NAME
from bot.settings.target import command_for_scope, scope_argument
from bot.text import times
from bot.ui.elements import Button, Choice, Command, Menu, Response

# The most entries that a list shows.
MOST_ENTRIES = 20
MOST_REFUSALS = 10
MOST_VERSIONS = 15

# Texts of this total number of characters are compared within a millisecond.
INLINE_DIFF = 200

PROMPT = BY_NAME["prompt"]


class SettingsHistory:
    """Handlers of the commands about earlier settings."""

    def __init__(
        self,
        store: SettingsStore,
        access: SettingsAccess,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._access = access
        self._now = now

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "prompt history": self.history,
            "prompt diff": self.diff,
            "prompt rollback": self.rollback,
            "audit": self.audit,
        }

    async def history(self, command: Command, place: Scope, person: Person) -> Response:
        """List the versions of the prompt, with menus to compare and roll back."""
        await self._access.require_insider(person, place)
        policy, person = await self._access.about(command, place, person, PROMPT)
        found = await self._store.versions(policy.place, "prompt")
        listed = found[:MOST_VERSIONS]
        text = describe.versions(found, policy.place, MOST_VERSIONS)
        if len(found) > len(listed):
            text += "\n" + messages.earlier_versions(count=len(found) - len(listed))
        buttons = await self._undo(policy, person)
        earlier = [v for v in listed[1:] if v.text is not None]
        if not earlier:
            return Response(text, buttons=buttons)
        there = scope_argument(command, policy.place)
        choices = tuple(
            Choice(
                # Labels of choices are plain text on every platform.
                *(str(v.number), labels.version(number=v.number), times.minute(v.at))
            )
            for v in earlier
        )
        menus = [
            Menu(
                command_for_scope("prompt diff", there),
                "version",
                labels.COMPARE_WITH,
                choices,
            )
        ]
        if self._access.may(person, policy):
            menus.append(
                Menu(
                    command_for_scope("prompt rollback", there),
                    "version",
                    labels.ROLL_BACK_TO,
                    choices,
                )
            )
        return Response(text, menus=tuple(menus), buttons=buttons)

    async def _undo(
        self, policy: EffectiveSettings, person: Person
    ) -> tuple[Button, ...]:
        """Return the button that undoes the last change of the prompt, if `person` may
        undo it and it is among the latest changes; else ()."""
        if not self._access.may(person, policy):
            return ()
        entries = await self._store.audit(policy.place, 0.0, MOST_ENTRIES)
        for entry in entries:
            if (entry.place, entry.name) == (policy.place, PROMPT.name):
                [button] = undo_button([entry], running=False)
                return (replace(button, label=labels.UNDO_LAST),)
        return ()

    async def diff(self, command: Command, place: Scope, person: Person) -> Response:
        """Show what changed from one version to the current one."""
        await self._access.require_insider(person, place)
        policy, person = await self._access.about(command, place, person, PROMPT)
        old = await self._find_version(policy.place, command)
        new = (await self._store.versions(policy.place, "prompt"))[0]
        buttons: tuple[Button, ...] = ()
        if self._access.may(person, policy) and old.text is not None:
            back = command_for_scope(
                "prompt rollback", scope_argument(command, policy.place)
            )
            back = back.having({"version": str(old.number)})
            buttons = (Button(labels.roll_back_to(number=old.number), back),)
        # In a worker thread: every member may run this command as often as they like.
        size = len(old.text or "") + len(new.text or "")
        text = await offload(partial(describe.difference, old, new), size, INLINE_DIFF)
        return Response(text, buttons=buttons)

    async def rollback(
        self, command: Command, place: Scope, person: Person
    ) -> Response:
        """Save the text of an earlier version of the prompt as a new version."""
        policy, _ = await self._access.about(command, place, person, PROMPT)
        await self._access.require(person, place, policy, PROMPT)
        version = await self._find_version(policy.place, command)
        change = Change(policy.place, PROMPT.name, version.text, versioned=True)
        result = await self._store.change_settings(
            [change], who=person.id, now=self._now(), action="rolled back"
        )
        running = "" if policy.place.level is ScopeLevel.THREAD else f" {THREADS_KEEP}"
        if isinstance(result, EditConflict) or not result:
            return Response(messages.is_current(number=version.number))
        text = messages.rolled_back(
            where=self._access.name(policy.place),
            old=version.number,
            new=result[0].after,
        )
        return Response(text + running, buttons=undo_button(result, running=False))

    async def audit(self, command: Command, place: Scope, person: Person) -> Response:
        """List the changes in a scope, followed by the refused attempts."""
        policy, person = await self._access.about(command, place, person, None)
        if not self._access.may(person, policy):
            raise await self._access.deny(
                person, policy.place, READ_AUDIT, AUDIT_FOR_ADMINS
            )
        entries = await self._store.audit(policy.place, 0.0, MOST_ENTRIES)
        refused = await self._store.refusals(policy.place, 0.0, MOST_REFUSALS)
        seen = visibility.audit(self._access, entries, policy.place)
        denied = visibility.audit(self._access, refused, policy.place)
        parts = (
            audit_lines.audit(seen, policy.place),
            audit_lines.refusals(denied, policy.place),
        )
        return Response("\n".join(filter(None, parts)))

    async def _find_version(self, place: Scope, command: Command) -> Version:
        number = command.arguments.get("version", "")
        for version in await self._store.versions(place, "prompt"):
            if str(version.number) == number:
                return version
        raise Unacceptable(NO_VERSION)
