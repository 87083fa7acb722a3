"""Carries out what people tell the bot to do: every verb, for every platform.

Rule: whatever goes wrong, who gave a command is told one sentence, and nothing is
half done.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from bot.budgets import summary
from bot.budgets.summary import grouped
from bot.commands import visibility
from bot.commands.catalog import ASKING, COMMANDS
from bot.commands.edit_settings import SettingsEditor
from bot.commands.history import PROMPT, SettingsHistory
from bot.commands.reply_controls import ReplyControls
from bot.commands.try_prompt import PromptTrial
from bot.conversation.outcomes import NOT_ADMITTED
from bot.domain.budget import Period, Spending
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import Setting, Version
from bot.errors import DeliveryError, ThreadGone, Unacceptable
from bot.ports.store import Store
from bot.settings import audit_lines, ceilings, describe
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings
from bot.settings.options import BY_NAME
from bot.settings.target import command_for_scope, scope_argument, where_from
from bot.triage.chat.commands import TriageCommands
from bot.ui import formatting
from bot.ui.elements import (
    Button,
    Choice,
    Command,
    CommandResult,
    Menu,
    Page,
    Response,
    Section,
)

log = logging.getLogger(__name__)

STALE = (
    "This is left over from an earlier version and does nothing any more. "
    "`help` says what there is now."
)
NO_BUDGET = "No budget of this channel is set."
CHANNEL_GONE = "That channel is no longer there, or I am no longer in it."
UNSURE = (
    "I cannot find out right now what you may do here. Please try again in a minute."
)

HELP = """\
**Ask** by mentioning me, or with the command for asking: I answer in a thread, and \
there you go on. In direct messages just write.
I read what is said in our threads, and remember it. If you edit or delete a \
message, I read it so, or no more.
A command is a whole message of its own, or one of the platform's commands:"""
# How many channels with settings of their own the bot's page lists: a page holds 100
# blocks (platform facts A5.4).
MOST_CHANNELS = 20

# How many changes and refusals the bot's page shows; `audit` shows more.
MOST_LATEST, MOST_REFUSED = 8, 3

R = TypeVar("R")
Work = Callable[[Command, Scope, Person], Awaitable[CommandResult]]


class CommandRouter:
    """Where commands are given."""

    def __init__(
        self,
        store: Store,
        authority: SettingsAccess,
        answers: ReplyControls,
        changing: SettingsEditor,
        past: SettingsHistory,
        trying: PromptTrial,
        triage: TriageCommands,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._authority = authority
        self._changing = changing
        self._now = now
        self._triage = triage
        self._work: Mapping[str, Work] = {
            "new": answers.renew,
            "stop": answers.stop,
            "retry": answers.retry,
            "settings": self._settings,
            "model": self._model,
            "budget": self._budget,
            "prompt": self._prompt,
            "prompt show": self._show_prompt,
            "prompt set": self._set_prompt,
            "prompt history": past.history,
            "prompt diff": past.diff,
            "prompt rollback": past.rollback,
            "prompt try": trying.form,
            "usage": self._usage,
            "set": changing.set,
            "audit": past.audit,
            "help": self._help,
            "stop answer": answers.stop_one,
            "retry answer": answers.retry,
            "continue answer": answers.go_on,
            "edit": changing.edit,
            "save": changing.save,
            "draft save": changing.save_draft,
            "draft drop": changing.drop_draft,
            "draft edit": changing.edit_draft,
            "try run": trying.run,
            "triage": triage.run,
            "triage correct": triage.correct,
            "triage agree": triage.agree,
        }

    async def run(
        self, command: Command, place: Scope, person: Person
    ) -> CommandResult:
        """See `bot.ports.platform.Host.command`. Raises StorageError."""
        work = self._work.get(command.verb)
        if work is None:
            return Response(STALE)
        if command.verb in ASKING and not self._authority.admits(person, place):
            return Response(NOT_ADMITTED)
        return await _told(work(command, place, person), command.verb)

    async def triage(self, heard: Message, person: Person) -> Response:
        """See `bot.ports.platform.Host.triage`. Raises StorageError."""
        if not self._authority.admits(person, Scope.of(heard.thread)):
            return Response(NOT_ADMITTED)
        return await _told(self._triage.this(heard, person), "triage this")

    async def page(self, place: Scope, person: Person) -> Page:
        """See `bot.ports.platform.Host.page`. Raises StorageError."""
        policy = await self._authority.policy(place)
        prompt = await self._authority.prompt(policy)
        if not self._authority.may(person, policy):
            since = _month(self._now())
            own = await self._store.spending(since, place, person.id)
            # What applies in the workspace is not for guests.
            applies = await self._applies(policy, prompt, person)
            first = () if person.outsider else (Section("", applies),)
            return Page(
                (
                    *first,
                    Section("Your own usage", self._sums("You", own)),
                    Section("How to talk to me", HELP.rsplit("\n", 1)[0]),
                )
            )
        return Page(
            (
                Section(
                    "",
                    await self._applies(policy, prompt, person),
                    self._menus(policy, person, ScopeLevel.WORKSPACE.value),
                    _prompt_buttons("workspace"),
                ),
                Section("Usage", await self._spent(policy, person, admin=True)),
                *await self._channels(place),
                Section("", await self._latest(place)),
            )
        )

    # What everybody may.

    async def _help(self, command: Command, place: Scope, person: Person) -> Response:
        policy = await self._authority.policy(place)
        admin = self._authority.may(person, policy)
        verbs = [
            f"- **{verb.name}**: {verb.summary}"
            for verb in COMMANDS
            if not verb.hidden and (admin or not verb.admin)
        ]
        return Response("\n".join([HELP, *verbs]))

    async def _settings(
        self, command: Command, place: Scope, person: Person
    ) -> Response:
        here = place
        policy, person = await self._authority.about(command, here, person, PROMPT)
        place = policy.place
        prompt = await self._authority.prompt(policy)
        menus: list[Menu] = []
        for around in place.around:
            if around.level is ScopeLevel.OPERATOR or self._authority.is_nowhere(
                around
            ):
                continue
            there = await self._authority.policy(around)
            menus += self._menus(there, person, where_from(here, around))
        applies = await self._applies(policy, prompt, person)
        if person.outsider:
            return Response(applies)
        show = command_for_scope("prompt show", scope_argument(command, place))
        buttons = (Button("Whole prompt", show),)
        return Response(applies, menus=tuple(menus), buttons=buttons)

    async def _show_prompt(
        self, command: Command, place: Scope, person: Person
    ) -> Response:
        await self._authority.require_insider(person, place)
        policy, person = await self._authority.about(command, place, person, PROMPT)
        return await self._changing.shown_prompt(policy, person, command)

    async def _usage(self, command: Command, place: Scope, person: Person) -> Response:
        policy, person = await self._authority.about(command, place, person, None)
        admin = self._authority.may(person, policy)
        lines = [await self._spent(policy, person, admin=admin)]
        if not admin:
            since = _month(self._now())
            own = await self._store.spending(since, policy.place, person.id)
            lines.append(self._sums("You", own))
        return Response("\n".join(lines))

    # What shows or changes, by who asks.

    async def _model(
        self, command: Command, place: Scope, person: Person
    ) -> CommandResult:
        if "value" in command.arguments:
            named = command.having({"option": "model"})
            return await self._changing.set(named, place, person)
        model = BY_NAME["model"]
        policy, known = await self._authority.about(command, place, person, model)
        if self._authority.may(known, policy):
            edit = command.having({"option": "model"})
            return await self._changing.edit(edit, place, person)
        return Response(describe.one(policy, model))

    async def _budget(
        self, command: Command, place: Scope, person: Person
    ) -> CommandResult:
        period, value = (command.arguments.get(n) for n in ("period", "value"))
        if value is not None and period is None:
            return Response("Please say whether that is a day's or a month's budget.")
        if period is not None and value is not None:
            named = command.having({"option": f"budget_{period}"})
            return await self._changing.set(named, place, person)
        option = BY_NAME["budget_day"]
        policy, known = await self._authority.about(command, place, person, option)
        if self._authority.may(known, policy):
            return await self._changing.budgets(command, place, person)
        return Response(await self._budgets(policy, known) or NO_BUDGET)

    async def _prompt(
        self, command: Command, place: Scope, person: Person
    ) -> CommandResult:
        policy, known = await self._authority.about(command, place, person, PROMPT)
        if not self._authority.may(known, policy):
            return await self._show_prompt(command, place, person)
        return await self._set_prompt(command, place, person)

    async def _set_prompt(
        self, command: Command, place: Scope, person: Person
    ) -> CommandResult:
        named = command.having({"option": PROMPT.name})
        if (text := command.arguments.get("file")) is not None:
            named = named.having({"value": text})
        return await self._changing.set(named, place, person)

    # What was spent.

    async def _spent(
        self, policy: EffectiveSettings, person: Person, *, admin: bool
    ) -> str:
        """Today and this month at a place; for admins also by channel and person."""
        thread, lines = policy.place, []
        if thread.level is ScopeLevel.THREAD:
            policy = await self._authority.policy(thread.at(ScopeLevel.CHANNEL))
        rows = await self._store.spending(_month(self._now()), policy.place)
        if thread.level is ScopeLevel.THREAD:
            ours = [row for row in rows if row.place == thread]
            lines.append(summary.spent("This thread, this month", ours))
        where = formatting.here(policy.place.level).capitalize()
        lines.append(self._sums(where, rows))
        budgets = await self._budgets(policy, person)
        if budgets:
            lines += ["**Budgets**", budgets]
        if admin and policy.place.level is ScopeLevel.WORKSPACE:
            by_channel = grouped(
                rows, lambda row: visibility.account(self._authority, row.place)
            )
            lines += ["**By channel, this month**", *by_channel]
        if admin:
            by_person = grouped(rows, lambda row: formatting.person(row.person or "?"))
            lines += ["**By person, this month**", *by_person]
        return "\n".join(lines)

    def _sums(self, name: str, rows: list[Spending]) -> str:
        today = Period.DAY.name_at(self._now())
        return "\n".join(
            [
                summary.spent(f"{name}, today", (r for r in rows if r.day == today)),
                summary.spent(f"{name}, this month", rows),
            ]
        )

    async def _budgets(self, policy: EffectiveSettings, person: Person) -> str:
        """How the budgets stand that `person` may see the state of."""
        lines = []
        for cap in policy.caps.budgets:
            if not visibility.has_balance(self._authority, cap, person):
                continue
            balance = await self._store.balance(cap.place, cap.period, self._now())
            lines.append(summary.budget(cap, balance))
        return "\n".join(lines)

    # The bot's own page.

    async def _channels(self, place: Scope) -> list[Section]:
        """Channels with settings of their own, each with its menu."""
        by_channel: dict[Scope, list[Setting]] = {}
        for setting in await self._store.settings(place):
            direct = self._authority.is_direct(setting.place)
            if setting.place.level is ScopeLevel.CHANNEL and not direct:
                by_channel.setdefault(setting.place, []).append(setting)
        sections = []
        for channel, settings in list(by_channel.items())[:MOST_CHANNELS]:
            lines = [describe.own(setting) for setting in settings]
            menu = Menu(
                command_for_scope("edit", f"channel:{channel.channel}"),
                "option",
                "Change here …",
                _choices(channel),
            )
            name = f"channel:{channel.channel}"
            sections.append(Section(name, "\n".join(lines), (menu,)))
        if left := len(by_channel) - len(sections):
            text = f"{left} more channels have settings of their own."
            sections.append(Section("More channels", text))
        return sections

    async def _latest(self, place: Scope) -> str:
        entries = await self._store.audit(place, 0.0, MOST_LATEST)
        refused = await self._store.refusals(place, 0.0, MOST_REFUSED)
        seen = visibility.audit(self._authority, entries, place)
        denied = visibility.audit(self._authority, refused, place)
        parts = audit_lines.audit(seen, place), audit_lines.refusals(denied, place)
        return "\n".join(filter(None, parts))

    async def _applies(
        self, policy: EffectiveSettings, prompt: Version, person: Person
    ) -> str:
        """What applies, as far as `person` may know it."""
        seen = await visibility.policy(self._authority, policy, person)
        known = self._authority.known(policy.place)
        told = describe.settings(seen, visibility.prompt(prompt, person), known)
        limited = not self._authority.admits_all(policy.place)
        return f"{told}\n{ceilings.AUDIENCE}" if limited else told

    def _menus(
        self, policy: EffectiveSettings, person: Person, where: str
    ) -> tuple[Menu, ...]:
        """A menu of what `person` may change at the place of `policy`, which its
        controls call `where`."""
        offered = self._authority.offered(policy, person)
        if not offered:
            return ()
        choices = tuple(Choice(o.name, o.label, o.about[:75]) for o in offered)
        label = f"Change for {formatting.here(policy.place.level)} …"
        return (Menu(command_for_scope("edit", where), "option", label, choices),)


async def _told(work: Awaitable[R], verb: str) -> R | Response:
    """What `work` leads to, or what people are told when it cannot be done."""
    try:
        return await work
    except Unacceptable as error:
        return Response(error.user_text)
    except ThreadGone as error:
        log.info("command.nowhere verb=%s %s", verb, error)
        return Response(CHANNEL_GONE)
    except DeliveryError as error:
        log.warning("command.unsure verb=%s %s", verb, error)
        return Response(UNSURE)


def _choices(place: Scope) -> tuple[Choice, ...]:
    return tuple(
        Choice(option.name, option.label, option.about[:75])
        for option in BY_NAME.values()
        if place.level in option.levels
    )


def _prompt_buttons(where: str) -> tuple[Button, ...]:
    return (
        Button("Prompt", Command("prompt set", {"where": where})),
        Button("History", command_for_scope("prompt history", where)),
        Button("Try a prompt", command_for_scope("prompt try", where)),
        Button("Budgets", command_for_scope("budget", where)),
        Button("Audit", command_for_scope("audit", where)),
    )


def _month(now: float) -> float:
    """When the month of `now` began (UTC)."""
    return summary.beginning(Period.MONTH.name_at(now))
