"""The effective settings of a scope, and the permission to change them.

Rule 1: permissions are checked at the time of the action, on every path. This includes
forms and buttons that were shown while the person still had the permission.
Rule 2: nobody sees beyond their scope. If a command is about another channel, the
platform is asked what the person may see there. A scope in another workspace is never
reached.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from bot.domain.channel_access import ChannelAccess
from bot.domain.mcp import McpServer
from bot.domain.names import PlaceNames
from bot.domain.person import EVERYONE, Person, administers, is_listed
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import AuditEntry, StoredSettings, Version
from bot.errors import DeliveryError, Denied, ThreadGone
from bot.messages import mcp as mcp_messages
from bot.messages import settings as messages
from bot.messages.settings import ELSEWHERE, NOT_FOR_OUTSIDERS, UNSURE
from bot.ports.platform import Adapter
from bot.ports.settings import AccessStore
from bot.settings import mcp_choices, shared_channels
from bot.settings.effective import EffectiveSettings, Operator, resolve
from bot.settings.options import BY_NAME, DEFAULT_PROMPT, Option
from bot.settings.target import target
from bot.text import references
from bot.ui.elements import Choice, Command
from bot.ui.formatting import here

log = logging.getLogger(__name__)


class SettingsAccess:
    """Resolves the effective settings of a scope, and checks permissions to change
    them."""

    def __init__(
        self,
        store: AccessStore,
        adapters: Mapping[str, Adapter],
        operator: Operator,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._adapters = adapters
        self._operator = operator
        self._now = now
        #: The operator's values, with version ids instead of texts for versioned
        #: options.
        self._defaults: Mapping[str, str] | None = None

    async def policy(self, place: Scope) -> EffectiveSettings:
        """Return the settings that apply in `place`, with one read. Raises
        StorageError."""
        stored = await self._store.stored_settings(place)
        return (await self.resolver(place))(stored)

    async def resolver(
        self, place: Scope
    ) -> Callable[[StoredSettings], EffectiveSettings]:
        """Return a pure function from the settings stored for `place` to the settings
        that apply there. Only the first call reads the store. Raises StorageError."""
        defaults, servers = await self.defaults(), self._operator.servers
        return lambda stored: _judge(resolve(place, stored, defaults), servers)

    async def prompt(
        self, policy: EffectiveSettings, read: Version | None = None
    ) -> Version:
        """Return the version of the prompt that applies; `read` is that version if it
        is already known. Raises StorageError."""
        version = read or await self._store.version(int(policy["prompt"]))
        if version is None or version.text is None:
            # This happens only in a database that was edited by hand. The operator's
            # version always exists.
            version = await self._store.version(int((await self.defaults())["prompt"]))
        assert version is not None
        return version

    def may(
        self, person: Person, policy: EffectiveSettings, place: Scope | None = None
    ) -> bool:
        """Return True if `person` may change the settings of `place`, which is the
        scope of `policy` or encloses it."""
        place = place or policy.place
        limits = self._adapters[place.platform].limits
        return administers(
            person,
            place,
            operators=self._operator.admins,
            admins=policy.admins,
            creators=limits.creators and policy.on("creators"),
        )

    def admits(self, person: Person, place: Scope) -> bool:
        """Return True if the operator allows `person` to ask Claude in `place`. The
        settings of the scope decide whether admins allow it."""
        named = f"{place.platform}:{person.id}" in self._operator.admins
        return named or self._operator.audience.admits(person, place.platform)

    async def admits_user(self, user: str, place: Scope) -> bool:
        """Return True if the operator allows the person with the id `user` to ask
        Claude in `place`. The person is looked up only if that decides the result; if
        the look-up fails, they are not admitted."""
        if self.admits(Person(user), place):
            return True
        if not self._operator.audience.names_groups(place.platform):
            return False
        try:
            person = await self._adapters[place.platform].directory.person(place, user)
        except DeliveryError as error:
            log.warning("person.unknown place=%s %s", place, error)
            return False
        return self.admits(person, place)

    def admits_all(self, place: Scope) -> bool:
        """Return True if the operator admits everybody in `place`."""
        return not self._operator.audience.limits(place.platform)

    def may_set(
        self, person: Person, policy: EffectiveSettings, option: Option
    ) -> bool:
        """Return True if `person` may change `option` in the scope of `policy`."""
        place = policy.place
        return self.may(
            person,
            policy,
            place.at(ScopeLevel.WORKSPACE) if option.workspace_only else None,
        )

    def known(self, place: Scope) -> list[Option]:
        """Return the options that apply on the platform of `place`; the MCP option only
        if the operator offers servers there."""
        creators = self._adapters[place.platform].limits.creators
        servers = mcp_choices.offered_servers(self._operator.servers, place)
        return [
            o
            for o in BY_NAME.values()
            if (creators or not o.needs_creators)
            and (servers or o.name != mcp_choices.OPTION)
        ]

    def choices(self, option: Option, place: Scope, today: date) -> tuple[Choice, ...]:
        """Return the choices for `option` in the scope `place`."""
        if option.name != mcp_choices.OPTION:
            return option.choices(today)
        return mcp_choices.choices(self._operator.servers, place)

    def require_offered(self, option: Option, place: Scope, value: str) -> None:
        """Raise Unacceptable if `value` of `option` names a server that the operator
        does not offer in `place`."""
        if option.name == mcp_choices.OPTION:
            mcp_choices.require_offered(self._operator.servers, place, value)

    def servers(self, policy: EffectiveSettings) -> tuple[McpServer, ...]:
        """Return the MCP servers that may be used in the scope of `policy`. A thread
        keeps the servers that it began with, as long as the settings around it still
        name them."""
        applied = policy.applied[mcp_choices.OPTION]
        values = [applied.value, *([applied.around] if applied.kept else [])]
        return mcp_choices.active(self._operator.servers, policy.place, values)

    def offered(self, policy: EffectiveSettings, person: Person) -> list[Option]:
        """Return the options that `person` may change at exactly the scope of
        `policy`."""
        return [
            option
            for option in self.known(policy.place)
            if policy.place.level in option.levels
            and self.may_set(person, policy, option)
        ]

    def may_ask(self, person: Person, policy: EffectiveSettings) -> bool:
        """Return True if `person` may ask the bot in the scope of `policy`."""
        if shared_channels.turns_away(person, policy):
            return False
        asks = policy["who"] == EVERYONE or is_listed(person, policy["who"])
        return asks or self.may(person, policy)

    def is_direct(self, place: Scope) -> bool:
        """Return True if `place` is a direct-message channel, which is private to its
        members."""
        return self._adapters[place.platform].directory.is_direct(place)

    def name(self, place: Scope) -> str:
        """Return the name of `place` for texts; a channel is a reference."""
        if place.level is ScopeLevel.CHANNEL and not self.is_direct(place):
            return references.channel(place.channel)
        return here(place.level, place.platform)

    def is_nowhere(self, place: Scope) -> bool:
        """Return True if `place` is the pseudo-workspace of direct messages that belong
        to no workspace. Nobody can administer it in a chat."""
        return place.level is ScopeLevel.WORKSPACE and self.is_direct(place)

    def naming(self, place: Scope) -> str:
        """Return the sentence that explains how to name a channel on this platform."""
        return self._adapters[place.platform].limits.naming

    async def channel_access(self, place: Scope, user: str) -> ChannelAccess:
        """Return the access of `user` to the channel of `place`. Raises DeliveryError
        if it cannot be looked up now."""
        return await self._adapters[place.platform].directory.access(place, user)

    async def names(self, place: Scope, user: str = "") -> PlaceNames:
        """Return the names of `place` and of `user` there. Raises DeliveryError if they
        cannot be looked up now."""
        return await self._adapters[place.platform].directory.names(place, user)

    async def about(
        self, command: Command, here: Scope, person: Person, option: Option | None
    ) -> tuple[EffectiveSettings, Person]:
        """Return the settings of the place that `command` is about, and `person` with
        their rights there. `here` is where the command was given.

        `option` determines the scope if `command` does not (`bot.settings.target`).
        Raises Unacceptable, Denied if they may not see it, and DeliveryError if that
        cannot be looked up now.
        """
        there = target(command, here, option)
        if self.is_nowhere(there):
            # Direct messages that belong to no workspace have a scope of their own.
            there = here.at(ScopeLevel.CHANNEL)
        if there.level is ScopeLevel.WORKSPACE:
            await self.require_insider(person, here)
        known = await self.reach(person, here, there)
        return await self.policy(there), known

    async def reach(self, person: Person, here: Scope, there: Scope) -> Person:
        """Return `person`, known at `here`, with their rights at `there`.

        Raises Denied if they may not see `there`, and DeliveryError if that cannot be
        looked up now.
        """
        home, around = (place.at(ScopeLevel.WORKSPACE) for place in (here, there))
        if home != around or there.level is ScopeLevel.OPERATOR:
            raise await self.deny(person, home, messages.SEE_OTHER_WORKSPACE, ELSEWHERE)
        if there.level is ScopeLevel.WORKSPACE or (
            _same_channel(here, there) and there.thread in ("", here.thread)
        ):
            return person
        access = await self.channel_access(there, person.id)
        directory = self._adapters[there.platform].directory
        if access.reads:
            return await directory.person(there, person.id)
        # Admins of the workspace administer all its settings and see its costs, but
        # direct messages stay private.
        policy = await self.policy(there)
        if self.is_direct(there) or not self.may(person, policy, home):
            what = messages.SEE_OTHER_CHANNEL
            raise await self.deny(person, home, what, ELSEWHERE)
        if not access.exists:
            raise ThreadGone(f"{there} is not there")
        return await directory.person(there, person.id)

    async def require_insider(self, person: Person, here: Scope) -> None:
        """Raise Denied for guests and people of other organisations."""
        if person.outsider:
            what = messages.SEE_BEYOND_CHANNEL
            raise await self.deny(person, here, what, NOT_FOR_OUTSIDERS)

    async def require(
        self, person: Person, here: Scope, policy: EffectiveSettings, option: Option
    ) -> None:
        """Raise Denied unless `person`, who gave the command `here`, may change
        `option` in the scope of `policy`. Raises DeliveryError if that cannot be looked
        up now."""
        there = await self.reach(person, here, policy.place)
        if not self.may_set(there, policy, option):
            raise await self.deny(
                person, policy.place, messages.set_option(name=option.name)
            )

    async def deny(
        self, person: Person, place: Scope, what: str, text: str = ""
    ) -> Denied:
        """Record that `person` was refused `what`, and return the error to raise. Its
        text is `text`, or that they may not change settings. If the platform could not
        look up the person completely, the text asks them to try again, and nothing is
        recorded."""
        if person.incomplete and not person.outsider:
            log.warning(
                "command.unsure place=%s person=%s what=%s", place, person.id, what
            )
            return Denied(UNSURE)
        entry = AuditEntry(0, self._now(), place, person.id, "denied", what)
        await self._store.record_refusal(entry)
        log.info("command.denied place=%s person=%s what=%s", place, person.id, what)
        return Denied(text or _refusal(person, place))

    async def defaults(self) -> Mapping[str, str]:
        """Return the operator's values; for the prompt, the id of its version."""
        if self._defaults is None:
            values = dict(self._operator.values)
            text = values.get("prompt", DEFAULT_PROMPT)
            version = await self._store.ensure_operator_version(
                "prompt", text, self._now()
            )
            self._defaults = {**values, "prompt": str(version)}
        return self._defaults


def _same_channel(here: Scope, there: Scope) -> bool:
    return here.at(ScopeLevel.CHANNEL) == there.at(ScopeLevel.CHANNEL)


def _refusal(person: Person, place: Scope) -> str:
    if person.outsider:
        return messages.OUTSIDERS_SET_NOTHING
    workspace = here(ScopeLevel.WORKSPACE, place.platform)
    where = {
        ScopeLevel.WORKSPACE: messages.for_all_of(place=workspace),
        ScopeLevel.CHANNEL: messages.IN_CHANNEL,
        ScopeLevel.THREAD: messages.IN_CHANNEL,
    }.get(place.level, messages.HERE)
    return messages.admins_only(where=where)


def _judge(
    settings: EffectiveSettings, servers: Sequence[McpServer]
) -> EffectiveSettings:
    """Return `settings`, marked if they name servers that the operator does not offer
    there, as after a change of the file or an import."""
    applied = settings.applied[mcp_choices.OPTION]
    known = {each.name for each in mcp_choices.offered_servers(servers, settings.place)}
    wrong = [each for each in mcp_choices.names(applied.value) if each not in known]
    if not wrong:
        return settings
    why = mcp_messages.not_offered(names=", ".join(wrong))
    marked = {**settings.applied, mcp_choices.OPTION: replace(applied, unused=why)}
    return replace(settings, applied=marked)
