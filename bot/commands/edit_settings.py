"""Saves settings: validation, permissions, edit conflicts and drafts.

Rule 1: everything is validated before anything is written, and one transaction writes
all of it or nothing. A text that cannot be saved is kept as a draft.
Rule 2: permission is checked for each option in the scope that it is set for. For a
draft, that is the draft's scope and not the scope in which the draft is shown.
Rule 3: a person may name only a channel in which they may write.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from bot.budgets.past_costs import PastCosts
from bot.claude.catalog import ModelAvailability, refused
from bot.commands.catalog import clears
from bot.commands.router import Handler
from bot.commands.saved import describe_changes, undo_button
from bot.commands.setting_forms import (
    SettingForms,
    begins_with,
    changed_values,
    field_text,
)
from bot.commands.typed_names import with_names
from bot.domain.channel_access import refusal
from bot.domain.person import Person
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import AuditEntry, Change, Draft, EditConflict, Version
from bot.errors import Unacceptable
from bot.messages import commands as messages
from bot.messages import labels, phrases
from bot.messages import values as value_messages
from bot.messages.settings import NO_SUCH_CHANNEL
from bot.ports.store import EditorStore
from bot.runtime.offload import offload
from bot.settings import audit_lines, ceilings, describe
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings
from bot.settings.misfits import misfits, warning
from bot.settings.options import BY_NAME, Option
from bot.settings.target import OTHER, number, where_from
from bot.ui import formatting
from bot.ui.elements import Button, Command, Form, Response, Style

#: The audit action for values that were copied from another channel.
COPIED = "copied"

# A longer value is parsed in a thread: a scheme takes about 10 µs per character.
INLINE_VALUE = 500


class SettingsEditor:
    """Handlers of the commands that change settings."""

    def __init__(
        self,
        store: EditorStore,
        access: SettingsAccess,
        costs: PastCosts,
        survey: Callable[[], ModelAvailability | None] = lambda: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._access = access
        #: Returns the availability of the catalog's models, as Claude's API reports it.
        self._survey = survey
        self._costs = costs
        self._now = now
        self.forms = SettingForms(store, access, costs, now)

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "edit": self.forms.option,
            "save": self.save,
            "set": self.set,
            "prompt set": self.set_prompt,
            "draft save": self.save_draft,
            "draft drop": self.drop_draft,
            "draft edit": self.edit_draft,
        }

    async def save(self, command: Command, place: Scope, person: Person) -> Response:
        """Save the values of a form."""
        written = {
            name: value
            for name, value in command.arguments.items()
            if name in BY_NAME and value is not None
        }
        policy = await self._target_policy(written, command, place, person)
        return await self._save(
            written,
            policy,
            place,
            person,
            base=number(command, "base"),
            running=command.arguments.get("running") == "yes",
        )

    async def set(
        self, command: Command, place: Scope, person: Person
    ) -> Response | Form:
        """Set one option to a typed value; without a value return its form."""
        name = command.arguments.get("option", "")
        if name not in BY_NAME:
            raise Unacceptable(messages.NO_OPTION)
        command = await with_names(command, place, person, self._access)
        if "value" not in command.arguments:
            return await self.forms.option(command, place, person)
        written = {name: command.arguments["value"]}
        policy = await self._target_policy(written, command, place, person)
        return await self._save(written, policy, place, person)

    async def set_prompt(
        self, command: Command, place: Scope, person: Person
    ) -> Response | Form:
        """Set the prompt to a typed text or to the text of an uploaded file; without
        either return its form."""
        given = [each for each in ("file", "text") if each in command.arguments]
        if len(given) > 1:
            raise Unacceptable(messages.FILE_OR_TEXT)
        value = {"value": command.arguments[given[0]]} if given else {}
        return await self.set(
            command.having({"option": "prompt"} | value), place, person
        )

    async def save_copied(
        self,
        written: Mapping[str, str],
        policy: EffectiveSettings,
        here: Scope,
        person: Person,
        base: int,
    ) -> Response:
        """Save values of another channel in the scope of `policy`: all or none. `base`
        is the newest audit entry that the person has seen."""
        return await self._save(written, policy, here, person, base=base, action=COPIED)

    async def _target_policy(
        self, written: Mapping[str, str], command: Command, place: Scope, person: Person
    ) -> EffectiveSettings:
        """Return the settings of the scope in which `command` saves `written`."""
        if not written:
            raise Unacceptable(value_messages.NOTHING_TO_SAVE)
        first = BY_NAME[next(iter(written))]
        policy, _ = await self._access.about(command, place, person, first)
        return policy

    async def _save(
        self,
        written: Mapping[str, str],
        policy: EffectiveSettings,
        here: Scope,
        person: Person,
        *,
        base: int | None = None,
        running: bool = False,
        action: str = "set",
    ) -> Response:
        if base is not None and not running:
            written = changed_values(written, policy)
        changes = await self.changes(written, policy, here, person)
        if isinstance(changes, Response):
            return changes
        result = await self.store(
            changes, person, action=action, base=base, running=running
        )
        if isinstance(result, EditConflict):
            return await self._conflict(result, policy, written, person)
        head = messages.saved_for(where=self._access.name(policy.place))
        told = describe_changes(head, result, policy, running)
        lines = [told, *self._warnings(policy, changes)]
        for entry in result:
            value = entry.after or ""
            line = await self._costs.would_have(policy.place, entry.name, value)
            lines += [line] if line else []
        return Response(
            "\n".join(lines), buttons=undo_button(result, running), settles=True
        )

    async def changes(
        self,
        written: Mapping[str, str | None],
        policy: EffectiveSettings,
        here: Scope,
        person: Person,
    ) -> list[Change] | Response:
        """Return the changes to the values `written` by option, in the scope of
        `policy`, or a refusal of one of them. The value None removes a setting.

        Raises Denied unless `person`, who gave the command `here`, may make all of
        them.
        """
        options = [BY_NAME[name] for name in written]
        for option in options:
            await self._access.require(person, here, policy, option)
        changes = []
        for option in options:
            try:
                change = await self._change(policy, option, written[option.name])
                if option.names_channel and change.value is not None:
                    await self._check_channel(policy.place, change.value, person)
            except Unacceptable as error:
                return Response(error.user_text, field=option.name)
            changes.append(change)
        return self._model_conflict(policy, changes) or changes

    async def store(
        self,
        changes: Sequence[Change],
        person: Person,
        *,
        action: str = "set",
        base: int | None = None,
        running: bool = False,
    ) -> list[AuditEntry] | EditConflict:
        """Store `changes`, all or none (`SettingsStore.change_settings`)."""
        return await self._store.change_settings(
            changes,
            who=person.id,
            now=self._now(),
            action=action,
            base=base,
            running=running,
        )

    async def _change(
        self, policy: EffectiveSettings, option: Option, text: str | None
    ) -> Change:
        """Return the change of `option` to `text`. Raises Unacceptable."""
        place = policy.place
        if place.level not in option.levels:
            levels = value_messages.OR.join(
                formatting.here(each, place.platform)
                for each in reversed(ScopeLevel)
                if each in option.levels
            )
            raise Unacceptable(
                value_messages.only_for(setting=option.label, scopes=levels)
            )
        if text is None or clears(option, text):
            return Change(place, option.name, None, versioned=option.versioned)
        today = datetime.fromtimestamp(self._now(), UTC).date()
        try:
            read = partial(option.read, text, today)
            value = await offload(read, len(text), INLINE_VALUE)
        except Unacceptable as error:
            if not option.names_channel:
                raise
            naming = self._access.naming(place)
            raise Unacceptable(f"{error.user_text} {naming}") from None
        self._access.require_offered(option, place, value)
        unset = policy.own(option.name) is None
        if unset and value.strip() == begins_with(policy, option).strip() != "":
            # The form was prefilled with this text, so it is no setting of its own.
            return Change(place, option.name, None)
        survey = self._survey() or ModelAvailability()
        if option.name == "model" and (why := refused(value, survey)):
            raise Unacceptable(value_messages.choose_another_model(why=why))
        return Change(place, option.name, value, versioned=option.versioned)

    def _warnings(
        self, policy: EffectiveSettings, changes: Sequence[Change]
    ) -> list[str]:
        """Return warnings for the person who makes `changes`."""
        today = datetime.fromtimestamp(self._now(), UTC).date()
        survey = self._survey() or ModelAvailability()
        found = []
        for name, value in ((each.name, each.value) for each in changes):
            if value is not None:
                note = warning(name, value, today, survey.retires.get(value))
                found.append(note or ceilings.above(policy, BY_NAME[name], value))
        return [note for note in found if note]

    async def _check_channel(self, place: Scope, value: str, person: Person) -> None:
        """Raise Unacceptable unless `person` and the bot may write in the channel that
        `value` names, in the workspace of `place`."""
        channel = value.removeprefix(OTHER)
        there = Scope(place.platform, place.workspace, channel)
        why = refusal(await self._access.channel_access(there, person.id), channel)
        if why == NO_SUCH_CHANNEL:
            why = f"{why} {self._access.naming(place)}"
        if why:
            raise Unacceptable(why)

    def _model_conflict(
        self, policy: EffectiveSettings, changes: Sequence[Change]
    ) -> Response | None:
        """Return a refusal if the model would reject a value after `changes`, else
        None."""
        values = {name: each.value for name, each in policy.applied.items()}
        changed = {c.name: c.value for c in changes}
        values |= {name: value for name, value in changed.items() if value is not None}
        own = {s.name for s in policy.settings} | changed.keys()
        for name, why in misfits(values).items():
            concerned = name in changed or "model" in changed
            if not concerned or name not in own or changed.get(name, "") is None:
                continue
            if name in changed:
                return Response(why, field=name)
            label = BY_NAME[name].label
            return Response(
                value_messages.remove_first(why=why, setting=label), field="model"
            )
        return None

    async def _conflict(
        self,
        conflict: EditConflict,
        policy: EffectiveSettings,
        written: Mapping[str, str],
        person: Person,
    ) -> Response:
        """Keep `written` as a draft. Return a response that shows the changes of other
        people and lets the person choose between both versions."""
        lines = [messages.NOT_SAVED]
        lines += [
            f"- {formatting.minute(entry.at)} · {audit_lines.change(entry)}"
            for entry in conflict.entries
        ]
        name = conflict.entries[-1].name
        now = self._now()
        draft = Draft(0, policy.place, name, written[name], person.id, now)
        kept = await self._store.save_draft(draft)
        if BY_NAME[name].versioned:
            theirs = await self._store.versions(policy.place, name)
            mine = Version(0, policy.place, 0, draft.value, person.id, now)
            if theirs:
                compared = await asyncio.to_thread(describe.difference, theirs[0], mine)
                lines += [
                    messages.THEIRS_TO_YOURS,
                    compared.replace(
                        phrases.version(number=mine.number), messages.YOURS
                    ),
                ]
        lines.append(messages.WHICH_VERSION)
        base = str(conflict.entries[-1].id)
        with_draft = {"draft": str(kept), "base": base}
        return Response(
            "\n".join(lines),
            buttons=(
                Button(
                    labels.SAVE_MINE, Command("draft save", with_draft), Style.PRIMARY
                ),
                Button(labels.KEEP_WRITING, Command("draft edit", with_draft)),
                Button(labels.KEEP_THEIRS, Command("draft drop", with_draft)),
            ),
        )

    async def save_draft(
        self, command: Command, place: Scope, person: Person
    ) -> Response:
        """Save a draft, overwriting the conflicting change that was shown with it."""
        draft = await self._draft(command, place, person)
        return await self._save(
            {draft.name: draft.value},
            await self._access.policy(draft.place),
            place,
            person,
            base=number(command, "base"),
        )

    async def drop_draft(
        self, command: Command, place: Scope, person: Person
    ) -> Response:
        """Discard a draft without changing anything."""
        await self._draft(command, place, person)
        return Response(messages.NOTHING_CHANGED)

    async def edit_draft(
        self, command: Command, place: Scope, person: Person
    ) -> Form | Response:
        """Return the form of a draft, prefilled with its text."""
        draft = await self._draft(command, place, person)
        option = BY_NAME[draft.name]
        policy = await self._access.policy(draft.place)
        await self._access.require(person, place, policy, option)
        form = await self.forms.of(policy, (option,), where_from(place, draft.place))
        first = replace(form.fields[0], value=field_text(option, draft.value))
        base = str(number(command, "base") or 0)
        return replace(
            form,
            command=form.command.having({"base": base}),
            fields=(first, *form.fields[1:]),
        )

    async def _draft(self, command: Command, here: Scope, person: Person) -> Draft:
        found = number(command, "draft")
        draft = await self._store.draft(found) if found is not None else None
        # The number may be forged: other people's drafts stay hidden.
        if draft is None or draft.who != person.id:
            raise Unacceptable(messages.DRAFT_GONE)
        thread = draft.place.level is ScopeLevel.THREAD
        if (thread and draft.place != here) or draft.name not in BY_NAME:
            # The draft of a thread is shown in that thread only.
            raise Unacceptable(messages.DRAFT_GONE)
        return draft
