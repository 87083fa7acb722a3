"""Changes settings, as admins tell the bot to: forms, what is saved, what clashes.

Rule 1: everything is judged before anything is written, and is written whole or not
at all. What somebody wrote and could not be saved is kept as a draft.
Rule 2: rights are looked at for each option at the place that it is set for, which for
a draft is the draft's own.
Rule 3: a channel that is named is one that whoever names it may write in themself.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from bot.claude.catalog import ModelAvailability, refused
from bot.commands.catalog import INHERIT
from bot.domain.channel_access import NO_SUCH, refusal
from bot.domain.person import Person
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import AuditEntry, Change, Draft, EditConflict, Version
from bot.errors import Unacceptable
from bot.ports.store import Store
from bot.runtime.offload import offload
from bot.settings import audit_lines, ceilings, describe
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings
from bot.settings.options import BY_NAME, Option, misfits, warning
from bot.settings.target import (
    OTHER,
    command_for_scope,
    number,
    scope_argument,
    where_from,
)
from bot.ui import formatting
from bot.ui.elements import (
    Button,
    Choice,
    Command,
    Field,
    File,
    Form,
    Kind,
    Response,
    Style,
)

#: What a form's choice says for taking a setting back.
AROUND = "inherit"

#: How much of a prompt a message shows; all of it is in a file then.
SHOWN_CHARS = 1_200

# A longer value is read off the loop: a scheme takes some 10 µs a character.
INLINE_VALUE = 500

THEY_GO_ON = "Running threads go on as they began."
THEY_CHANGE = "Running threads change with it, and say so."

_NO_OPTION = "This setting is no longer there."
_GONE = "That draft is no longer there. Please write it again."


class SettingsEditor:
    """Carries out the verbs that change settings."""

    def __init__(
        self,
        store: Store,
        authority: SettingsAccess,
        survey: Callable[[], ModelAvailability | None] = lambda: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._authority = authority
        #: What Claude's API says of the models that we know.
        self._survey = survey
        self._now = now

    # Forms.

    async def edit(
        self, command: Command, place: Scope, person: Person
    ) -> Form | Response:
        """The form of the option that `command` names."""
        option = BY_NAME.get(command.arguments.get("option", ""))
        if option is None:
            raise Unacceptable(_NO_OPTION)
        policy, _ = await self._authority.about(command, place, person, option)
        await self._authority.require(person, place, policy, option)
        return await self._form(
            policy, (option,), scope_argument(command, policy.place)
        )

    async def budgets(self, command: Command, place: Scope, person: Person) -> Form:
        """The form of both budgets."""
        both = (BY_NAME["budget_day"], BY_NAME["budget_month"])
        policy, _ = await self._authority.about(command, place, person, both[0])
        await self._authority.require(person, place, policy, both[0])
        return await self._form(policy, both, scope_argument(command, policy.place))

    async def _form(
        self, policy: EffectiveSettings, options: Sequence[Option], there: str
    ) -> Form:
        place = policy.place
        fields = [await self._field(policy, option) for option in options]
        if (
            any(option.kept for option in options)
            and place.level is not ScopeLevel.THREAD
        ):
            fields.append(_RUNNING)
        newest = await self._store.audit(place, 0.0, 1)
        base = str(newest[0].id if newest else 0)
        save = Command("save", {"where": there, "base": base})
        title = options[0].label if len(options) == 1 else "Budget"
        return Form(save, title[:24], tuple(fields))

    async def _field(self, policy: EffectiveSettings, option: Option) -> Field:
        own = policy.own(option.name)
        value = own.value if own else ""
        if option.versioned:
            version = await self._authority.prompt(policy)
            value = version.text or ""
        if option.kind is Kind.CHOICE:
            around = await self._around(policy, option)
            today = datetime.fromtimestamp(self._now(), UTC).date()
            choices = (
                Choice(AROUND, f"Not set here: {option.show(around)}"[:75]),
                *option.choices(today),
            )
            known = {choice.value for choice in choices}
            value = value if value in known else AROUND
        else:
            choices = ()
        return Field(
            option.name,
            option.label,
            option.kind,
            "\n".join(_lines(option, value)),
            choices=choices,
            most=option.most,
            required=option.versioned,
            hint="" if option.versioned else "Empty: not set here.",
        )

    async def _around(self, policy: EffectiveSettings, option: Option) -> str:
        """The value that would apply without one at the very place of `policy`."""
        wider = policy.place.around[1]
        return (await self._authority.policy(wider))[option.name]

    async def shown_prompt(
        self, policy: EffectiveSettings, person: Person, command: Command
    ) -> Response:
        """The whole prompt that applies, with what can be done about it."""
        version = await self._authority.prompt(policy)
        text = version.text or ""
        applied = policy.applied["prompt"]
        head = (
            f"**The prompt of {formatting.here(policy.place.level)}** · version "
            f"{version.number} · {describe.source(applied)}"
        )
        there = scope_argument(command, policy.place)
        buttons = [Button("History", command_for_scope("prompt history", there))]
        if self._authority.may(person, policy):
            buttons.insert(0, Button("Change", command_for_scope("prompt set", there)))
            buttons.append(
                Button("Try a prompt", command_for_scope("prompt try", there))
            )
        if len(text) > SHOWN_CHARS:
            told = f"{head}\n{_quoted(text[:SHOWN_CHARS])}…"
            return Response(told, buttons=tuple(buttons), file=File("prompt.txt", text))
        return Response(f"{head}\n{_quoted(text)}", buttons=tuple(buttons))

    # Saving.

    async def save(self, command: Command, place: Scope, person: Person) -> Response:
        """Save what a form says."""
        written = {
            name: value
            for name, value in command.arguments.items()
            if name in BY_NAME and value is not None
        }
        policy = await self._concerned(written, command, place, person)
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
        """Set one option to what somebody typed, or ask for it."""
        name = command.arguments.get("option", "")
        if name not in BY_NAME:
            raise Unacceptable(_NO_OPTION)
        if "value" not in command.arguments:
            return await self.edit(command, place, person)
        written = {name: command.arguments["value"]}
        policy = await self._concerned(written, command, place, person)
        return await self._save(written, policy, place, person)

    async def _concerned(
        self, written: Mapping[str, str], command: Command, place: Scope, person: Person
    ) -> EffectiveSettings:
        """What applies where `command` says that `written` is to be saved."""
        if not written:
            raise Unacceptable("There is nothing to save in this.")
        first = BY_NAME[next(iter(written))]
        policy, _ = await self._authority.about(command, place, person, first)
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
    ) -> Response:
        options = [BY_NAME[name] for name in written]
        for option in options:
            await self._authority.require(person, here, policy, option)
        changes, warnings = [], []
        for option in options:
            try:
                change, told = await self._change(policy, option, written[option.name])
                if option.names_channel and change.value is not None:
                    await self._check_channel(policy.place, change.value, person)
            except Unacceptable as error:
                return Response(error.user_text, field=option.name)
            changes.append(change)
            warnings += [told] if told else []
        if misfit := self._misfit(policy, changes):
            return misfit
        result = await self._store.change(
            changes, who=person.id, now=self._now(), base=base, running=running
        )
        if isinstance(result, EditConflict):
            return await self._clash(result, policy, written, person)
        return Response("\n".join([_saved(result, policy, running), *warnings]))

    async def _change(
        self, policy: EffectiveSettings, option: Option, text: str
    ) -> tuple[Change, str]:
        """What is to be changed, and what whoever does it should know."""
        place = policy.place
        if place.level not in option.levels:
            levels = " or ".join(formatting.here(each) for each in _ordered(option))
            raise Unacceptable(f"{option.label} can be set for {levels} only.")
        if text.strip().lower() in INHERIT or (text == "" and not option.versioned):
            return Change(place, option.name, None, versioned=option.versioned), ""
        today = datetime.fromtimestamp(self._now(), UTC).date()
        try:
            read = partial(option.read, text, today)
            value = await offload(read, len(text), INLINE_VALUE)
        except Unacceptable as error:
            if not option.names_channel:
                raise
            naming = self._authority.naming(place)
            raise Unacceptable(f"{error.user_text} {naming}") from None
        survey = self._survey() or ModelAvailability()
        if option.name == "model" and (why := refused(value, survey)):
            raise Unacceptable(f"{why} Please choose another model.")
        change = Change(place, option.name, value, versioned=option.versioned)
        told = warning(option.name, value, today, survey.retires.get(value))
        return change, told or ceilings.above(policy, option, value)

    async def _check_channel(self, place: Scope, value: str, person: Person) -> None:
        """Raise Unacceptable unless `person` may write in the channel that `value`
        names, in the workspace of `place`, and so may the bot."""
        channel = value.removeprefix(OTHER)
        there = Scope(place.platform, place.workspace, channel)
        why = refusal(await self._authority.access(there, person.id), channel)
        if why == NO_SUCH:
            why = f"{why} {self._authority.naming(place)}"
        if why:
            raise Unacceptable(why)

    def _misfit(
        self, policy: EffectiveSettings, changes: Sequence[Change]
    ) -> Response | None:
        """Why the model would not take what is set then; None if it would."""
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
            return Response(f"{why} Please take {label} back first.", field="model")
        return None

    async def _clash(
        self,
        clash: EditConflict,
        policy: EffectiveSettings,
        written: Mapping[str, str],
        person: Person,
    ) -> Response:
        """Tell what others changed meanwhile, and let the person choose."""
        lines = ["**Not saved:** this was changed while you were writing."]
        lines += [
            f"- {formatting.minute(entry.at)} · {audit_lines.change(entry)}"
            for entry in clash.entries
        ]
        name = clash.entries[-1].name
        now = self._now()
        draft = Draft(0, policy.place, name, written[name], person.id, now)
        kept = await self._store.save_draft(draft)
        if BY_NAME[name].versioned:
            theirs = await self._store.versions(policy.place, name)
            mine = Version(0, policy.place, 0, draft.value, person.id, now)
            if theirs:
                compared = await asyncio.to_thread(describe.difference, theirs[0], mine)
                lines += [
                    "From theirs to yours:",
                    compared.replace("version 0", "yours"),
                ]
        lines.append("What you wrote is kept. Which one shall it be?")
        base = str(clash.entries[-1].id)
        with_draft = {"draft": str(kept), "base": base}
        return Response(
            "\n".join(lines),
            buttons=(
                Button("Save mine", Command("draft save", with_draft), Style.PRIMARY),
                Button("Write on", Command("draft edit", with_draft)),
                Button("Keep theirs", Command("draft drop", with_draft)),
            ),
        )

    # Drafts.

    async def save_draft(
        self, command: Command, place: Scope, person: Person
    ) -> Response:
        """Save what a draft says, as somebody decided who saw what it replaces."""
        draft = await self._draft(command, place, person)
        return await self._save(
            {draft.name: draft.value},
            await self._authority.policy(draft.place),
            place,
            person,
            base=number(command, "base"),
        )

    async def drop_draft(
        self, command: Command, place: Scope, person: Person
    ) -> Response:
        """Leave everything as it is."""
        await self._draft(command, place, person)
        return Response("Nothing was changed.")

    async def edit_draft(
        self, command: Command, place: Scope, person: Person
    ) -> Form | Response:
        """The form of a draft, as it reads."""
        draft = await self._draft(command, place, person)
        option = BY_NAME[draft.name]
        policy = await self._authority.policy(draft.place)
        await self._authority.require(person, place, policy, option)
        form = await self._form(policy, (option,), where_from(place, draft.place))
        first = replace(form.fields[0], value="\n".join(_lines(option, draft.value)))
        base = str(number(command, "base") or 0)
        return replace(
            form,
            command=form.command.having({"base": base}),
            fields=(first, *form.fields[1:]),
        )

    async def _draft(self, command: Command, here: Scope, person: Person) -> Draft:
        found = number(command, "draft")
        draft = await self._store.draft(found) if found is not None else None
        # Whoever forges a number sees nothing of what others wrote.
        if draft is None or draft.who != person.id:
            raise Unacceptable(_GONE)
        thread = draft.place.level is ScopeLevel.THREAD
        if (thread and draft.place != here) or draft.name not in BY_NAME:
            # Nor does a thread's draft show anywhere but in its thread.
            raise Unacceptable(_GONE)
        return draft


_RUNNING = Field(
    "running",
    "Which threads",
    Kind.CHOICE,
    "no",
    choices=(
        Choice("no", "New threads only", "Running ones go on as they began"),
        Choice("yes", "Running threads, too", "They are told so, once"),
    ),
)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


def _ordered(option: Option) -> list[ScopeLevel]:
    return [level for level in reversed(ScopeLevel) if level in option.levels]


def _lines(option: Option, value: str) -> Sequence[str]:
    """A canonical value as a form shows it, by lines."""
    if option.name == "stop_sequences" and value:
        return option.show(value).replace("`", "").split(", ")
    return value.split("\n")


def _saved(
    entries: Sequence[AuditEntry], policy: EffectiveSettings, running: bool
) -> str:
    if not entries:
        return "Nothing changed: it is so already."
    where = formatting.here(policy.place.level)
    lines = [f"Saved for {where}:"]
    for entry in entries:
        option = BY_NAME[entry.name]
        after = "not set" if entry.after is None else entry.after
        if entry.after is not None and not option.versioned:
            after = option.show(entry.after)
        lines.append(f"- **{option.label}**: {after}")
    kept = any(BY_NAME[entry.name].kept for entry in entries)
    if kept and policy.place.level is not ScopeLevel.THREAD:
        lines.append(THEY_CHANGE if running else THEY_GO_ON)
    return "\n".join(lines)
