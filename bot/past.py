"""Shows what was set before, and brings it back: versions of the prompt, the audit.

Rule: nothing of the past is ever changed. A roll-back is one more version.
"""

import time
from collections.abc import Callable
from functools import partial

from bot import audit_lines, telling, visible
from bot.authority import Authority
from bot.changing import THEY_GO_ON
from bot.dialogue import Button, Choice, Command, Menu, Told
from bot.errors import Unacceptable
from bot.offload import offload
from bot.options import BY_NAME
from bot.people import Person
from bot.rules import Change, Clash, Level, Place, Version
from bot.stores import Store
from bot.targets import aimed, where

# How many a list shows.
MOST_ENTRIES = 20
MOST_REFUSALS = 10
MOST_VERSIONS = 15

# Texts of so many characters in all are compared within a millisecond.
INLINE_DIFF = 200

PROMPT = BY_NAME["prompt"]

_NO_VERSION = "There is no such version here; `prompt history` lists those there are."


class Past:
    """Carries out the verbs about what was."""

    def __init__(
        self,
        store: Store,
        authority: Authority,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._authority = authority
        self._now = now

    async def history(self, command: Command, place: Place, person: Person) -> Told:
        """The versions of the prompt, and a way back to each."""
        await self._authority.require_insider(person, place)
        policy, person = await self._authority.about(command, place, person, PROMPT)
        found = await self._store.versions(policy.place, "prompt")
        listed = found[:MOST_VERSIONS]
        text = telling.versions(listed, policy.place)
        if len(found) > len(listed):
            text += f"\n… and {len(found) - len(listed)} earlier ones."
        earlier = [v for v in listed[1:] if v.text is not None]
        if not earlier:
            return Told(text)
        there = where(command, policy.place)
        choices = tuple(
            Choice(str(v.number), f"Version {v.number}", telling.minute(v.at))
            for v in earlier
        )
        menus = [
            Menu(aimed("prompt diff", there), "version", "Compare with …", choices)
        ]
        if self._authority.may(person, policy):
            menus.append(
                Menu(
                    aimed("prompt rollback", there),
                    "version",
                    "Roll back to …",
                    choices,
                )
            )
        return Told(text, menus=tuple(menus))

    async def diff(self, command: Command, place: Place, person: Person) -> Told:
        """What changed from a version to the current one."""
        await self._authority.require_insider(person, place)
        policy, person = await self._authority.about(command, place, person, PROMPT)
        old = await self._numbered(policy.place, command)
        new = (await self._store.versions(policy.place, "prompt"))[0]
        buttons: tuple[Button, ...] = ()
        if self._authority.may(person, policy) and old.text is not None:
            back = aimed("prompt rollback", where(command, policy.place))
            back = back.having({"version": str(old.number)})
            buttons = (Button(f"Roll back to version {old.number}", back),)
        # Every member may ask, as often as they like.
        size = len(old.text or "") + len(new.text or "")
        text = await offload(partial(telling.difference, old, new), size, INLINE_DIFF)
        return Told(text, buttons=buttons)

    async def rollback(self, command: Command, place: Place, person: Person) -> Told:
        """Let an earlier version of the prompt be the current one again."""
        policy, _ = await self._authority.about(command, place, person, PROMPT)
        await self._authority.require(person, place, policy, PROMPT)
        version = await self._numbered(policy.place, command)
        change = Change(policy.place, PROMPT.name, version.text, versioned=True)
        result = await self._store.change(
            [change], who=person.id, now=self._now(), action="rolled back"
        )
        running = "" if policy.place.level is Level.THREAD else f" {THEY_GO_ON}"
        if isinstance(result, Clash) or not result:
            return Told(f"Version {version.number} is what applies here already.")
        return Told(
            f"Rolled back: the prompt of {telling.here(policy.place.level)} reads as "
            f"in version {version.number} again, as {result[0].after}.{running}"
        )

    async def audit(self, command: Command, place: Place, person: Person) -> Told:
        """Who changed what at a place and in it, and below it who was refused."""
        policy, person = await self._authority.about(command, place, person, None)
        if not self._authority.may(person, policy):
            raise await self._authority.deny(person, policy.place, "read the audit")
        entries = await self._store.audit(policy.place, 0.0, MOST_ENTRIES)
        refused = await self._store.refusals(policy.place, 0.0, MOST_REFUSALS)
        seen = visible.audit(self._authority, entries, policy.place)
        denied = visible.audit(self._authority, refused, policy.place)
        parts = (
            audit_lines.audit(seen, policy.place),
            audit_lines.refusals(denied, policy.place),
        )
        return Told("\n".join(filter(None, parts)))

    async def _numbered(self, place: Place, command: Command) -> Version:
        number = command.arguments.get("version", "")
        for version in await self._store.versions(place, "prompt"):
            if str(version.number) == number:
                return version
        raise Unacceptable(_NO_VERSION)
