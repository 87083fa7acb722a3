"""Shows the spending, and how much of the budgets is used."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from bot.budgets import summary
from bot.budgets.summary import group_lines
from bot.commands import visibility
from bot.commands.catalog import DETAILS, INHERIT, clears
from bot.commands.edit_settings import SettingsEditor
from bot.commands.router import Handler
from bot.domain.budget import Period, Spending
from bot.domain.person import Person
from bot.domain.scope import Scope, ScopeLevel
from bot.messages import budgets as messages
from bot.messages import labels, phrases
from bot.ports.ledger import Accounts
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings
from bot.settings.options import BY_NAME
from bot.settings.target import scope_argument
from bot.ui import formatting
from bot.ui.elements import Button, Command, CommandResult, Response


def details_button(where: str) -> Button:
    """Return the button that shows usage with tokens; `where` has the format of a
    command argument."""
    command = Command("usage", {"view": DETAILS, "where": where})
    return Button(labels.DETAILS, command)


class UsageScreen:
    """Handlers of the commands about money."""

    def __init__(
        self,
        store: Accounts,
        access: SettingsAccess,
        editor: SettingsEditor,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._access = access
        self._editor = editor
        self._now = now

    def handlers(self) -> Mapping[str, Handler]:
        return {"usage": self.usage, "budget": self.budget}

    async def usage(self, command: Command, place: Scope, person: Person) -> Response:
        """Show the spending in a scope, with tokens only if asked for. People who are
        not admins also see their own spending."""
        policy, person = await self._access.about(command, place, person, None)
        admin = self._access.may(person, policy)
        details = command.arguments.get("view") == DETAILS
        lines = [
            await self._describe_spending(policy, person, admin=admin, details=details)
        ]
        if not admin:
            lines.append(await self.own(policy.place, person, details=details))
        where = scope_argument(command, policy.place)
        buttons = () if details else (details_button(where),)
        return Response("\n".join(lines), buttons=buttons)

    async def budget(
        self, command: Command, place: Scope, person: Person
    ) -> CommandResult:
        """Set one budget, or show both; people who may change them get the form."""
        period, value = (command.arguments.get(n) for n in ("period", "value"))
        clearing = value is not None and clears(BY_NAME["budget_day"], value)
        if period in INHERIT or (period is None and clearing):
            return Response(messages.PER_DAY_OR_MONTH)
        if value is not None:
            named = command.having({"option": f"budget_{period or Period.DAY.value}"})
            reply = await self._editor.set(named, place, person)
            if period is None and isinstance(reply, Response) and reply.settles:
                return replace(reply, text=f"{reply.text}\n{messages.TAKEN_AS_DAILY}")
            return reply
        option = BY_NAME["budget_day"]
        policy, known = await self._access.about(command, place, person, option)
        if self._access.may(known, policy):
            return await self._editor.forms.budgets(command, place, person)
        return Response(await self.budgets(policy, known) or messages.NO_BUDGET)

    async def _describe_spending(
        self,
        policy: EffectiveSettings,
        person: Person,
        *,
        admin: bool,
        details: bool,
    ) -> str:
        """Describe the spending of today and this month at the place of `policy`; for
        admins also by channel and by person."""
        thread, lines = policy.place, []
        if thread.level is ScopeLevel.THREAD:
            policy = await self._access.policy(thread.at(ScopeLevel.CHANNEL))
        rows = await self._store.spending(self._month(), policy.place)
        if thread.level is ScopeLevel.THREAD:
            ours = [row for row in rows if row.place == thread]
            lines.append(
                summary.spending_line(
                    phrases.on_day(
                        scope=formatting.here(
                            ScopeLevel.THREAD, thread.platform
                        ).capitalize(),
                        day=phrases.THIS_MONTH,
                    ),
                    ours,
                    details=details,
                )
            )
        where = formatting.here(policy.place.level, policy.place.platform).capitalize()
        lines.append(self._sums(where, rows, details=details))
        budgets = await self.budgets(policy, person)
        if budgets:
            lines += [messages.ABOVE_ALL, budgets]
        if admin:
            lines += self._accounts(policy.place, rows, details=details)
        return "\n".join(lines)

    async def by_account(self, policy: EffectiveSettings) -> str:
        """Describe for admins the spending in the workspace of `policy`, without
        budgets."""
        rows = await self._store.spending(self._month(), policy.place)
        where = formatting.here(policy.place.level, policy.place.platform).capitalize()
        lines = [self._sums(where, rows), *self._accounts(policy.place, rows)]
        return "\n".join(lines)

    def _accounts(
        self, place: Scope, rows: list[Spending], *, details: bool = False
    ) -> list[str]:
        """Return `rows` by channel, for a workspace, and by person."""
        lines = []
        if place.level is ScopeLevel.WORKSPACE:
            by_channel = group_lines(
                rows,
                lambda row: visibility.account(self._access, row.place),
                details=details,
            )
            lines += [messages.BY_CHANNEL, *by_channel]
        by_person = group_lines(
            rows, lambda row: formatting.person(row.person or "?"), details=details
        )
        return [*lines, messages.BY_PERSON, *by_person]

    async def own(self, place: Scope, person: Person, *, details: bool = False) -> str:
        """Describe the spending of `person` at `place` today and this month."""
        rows = await self._store.spending(self._month(), place, person.id)
        return self._sums(phrases.YOU, rows, details=details)

    def _sums(self, name: str, rows: list[Spending], *, details: bool = False) -> str:
        today = Period.DAY.name_at(self._now())
        return "\n".join(
            [
                summary.spending_line(
                    phrases.on_day(scope=name, day=phrases.TODAY),
                    (r for r in rows if r.day == today),
                    details=details,
                ),
                summary.spending_line(
                    phrases.on_day(scope=name, day=phrases.THIS_MONTH),
                    rows,
                    details=details,
                ),
            ]
        )

    async def budgets(self, policy: EffectiveSettings, person: Person) -> str:
        """Describe the budgets whose balance `person` may see."""
        lines = []
        for budget in policy.caps.budgets:
            if not visibility.has_balance(self._access, budget, person):
                continue
            balance = await self._store.balance(
                budget.place, budget.period, self._now()
            )
            lines.append(summary.budget(budget, balance))
        return "\n".join(lines)

    def _month(self) -> float:
        """Return the beginning of this month (UTC), in seconds since 1970."""
        return summary.beginning(Period.MONTH.name_at(self._now()))
