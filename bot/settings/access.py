"""Says what applies where, and who may change it: the one place that both those who
answer and those who administer ask.

Rule 1: rights are looked at when something is done, on every path, also for a form
that was opened or a button that was shown while the person still had them.
Rule 2: nobody looks beyond their place. Where a command is about another channel than
the one it was given in, the platform is asked what the person may see there; a place in
another workspace is never reached.
"""

import logging
import time
from collections.abc import Callable, Mapping

from bot.domain.channel_access import ChannelAccess
from bot.domain.person import EVERYONE, Person, administers, listed
from bot.domain.scope import Scope, ScopeLevel, ThreadKey
from bot.domain.setting import AuditEntry, StoredSettings, Version
from bot.errors import DeliveryError, Denied, ThreadGone
from bot.ports.platform import Adapter
from bot.ports.store import Store
from bot.settings.effective import EffectiveSettings, Operator, resolve
from bot.settings.options import BY_NAME, DEFAULT_PROMPT, Option
from bot.settings.target import target
from bot.ui.elements import Command

log = logging.getLogger(__name__)

ELSEWHERE = (
    "Sorry, I tell about a channel only those who are in it. Please ask me there."
)
NOT_FOR_OUTSIDERS = (
    "Sorry, guests and people from other organisations see here what applies in their "
    "own channel and what it cost, and nothing else."
)


class SettingsAccess:
    """What was set, resolved; and whether somebody may set it."""

    def __init__(
        self,
        store: Store,
        adapters: Mapping[str, Adapter],
        operator: Operator,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._adapters = adapters
        self._operator = operator
        self._now = now
        #: With the ids of versions for the texts of what is kept in versions.
        self._defaults: Mapping[str, str] | None = None

    async def policy(self, place: Scope) -> EffectiveSettings:
        """What applies at `place`. One read. Raises StorageError."""
        return resolve(place, await self._store.rules(place), await self.defaults())

    async def found(
        self, thread: ThreadKey
    ) -> tuple[EffectiveSettings, StoredSettings]:
        """What applies in `thread`, and what that was made of. One read."""
        place = Scope.of(thread)
        rules = await self._store.rules(place)
        return resolve(place, rules, await self.defaults()), rules

    async def prompt(self, policy: EffectiveSettings) -> Version:
        """The version of the prompt that applies. Raises StorageError."""
        version = await self._store.version(int(policy["prompt"]))
        if version is None or version.text is None:
            # A database that was put together by hand. The operator's is always there.
            version = await self._store.version(int((await self.defaults())["prompt"]))
        assert version is not None
        return version

    def may(
        self, person: Person, policy: EffectiveSettings, place: Scope | None = None
    ) -> bool:
        """Whether `person` may change what applies at `place`, which is that of
        `policy` or around it."""
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
        """Whether the operator lets `person` have Claude asked at `place`. Whom
        admins let besides is for the policy of the place."""
        named = f"{place.platform}:{person.id}" in self._operator.admins
        return named or self._operator.audience.admits(person, place.platform)

    async def admits_user(self, user: str, place: Scope) -> bool:
        """The same of whom only the id is known. Who somebody is, is looked up only
        where that decides it; while it cannot be found out, they are not let."""
        if self.admits(Person(user), place):
            return True
        if not self._operator.audience.names_groups(place.platform):
            return False
        try:
            person = await self._adapters[place.platform].person(place, user)
        except DeliveryError as error:
            log.warning("person.unknown place=%s %s", place, error)
            return False
        return self.admits(person, place)

    def admits_all(self, place: Scope) -> bool:
        """Whether the operator lets everybody at `place`."""
        return not self._operator.audience.limits(place.platform)

    def may_set(
        self, person: Person, policy: EffectiveSettings, option: Option
    ) -> bool:
        """Whether `person` may change `option` at the place of `policy`."""
        place = policy.place
        return self.may(
            person,
            policy,
            place.at(ScopeLevel.WORKSPACE) if option.workspace_only else None,
        )

    def known(self, place: Scope) -> list[Option]:
        """The options that mean something on the platform of `place`."""
        creators = self._adapters[place.platform].limits.creators
        return [o for o in BY_NAME.values() if creators or not o.needs_creators]

    def offered(self, policy: EffectiveSettings, person: Person) -> list[Option]:
        """What `person` may change at the very place of `policy`."""
        return [
            option
            for option in self.known(policy.place)
            if policy.place.level in option.levels
            and self.may_set(person, policy, option)
        ]

    def may_ask(self, person: Person, policy: EffectiveSettings) -> bool:
        """Whether `person` may talk to the bot at the place of `policy`."""
        asks = policy["who"] == EVERYONE or listed(person, policy["who"])
        return asks or self.may(person, policy)

    def is_direct(self, place: Scope) -> bool:
        """Whether `place` is direct messages, which are nobody else's."""
        return self._adapters[place.platform].is_direct(place)

    def is_nowhere(self, place: Scope) -> bool:
        """Whether `place` stands for the workspace of direct messages that belong to
        none: nobody is there, and nobody administers it in a chat."""
        return place.level is ScopeLevel.WORKSPACE and self.is_direct(place)

    def naming(self, place: Scope) -> str:
        """How people name a channel on the platform of `place`, in sentences."""
        return self._adapters[place.platform].limits.naming

    async def access(self, place: Scope, user: str) -> ChannelAccess:
        """What `user` may in the channel of `place`. Raises DeliveryError when that
        cannot be found out now."""
        return await self._adapters[place.platform].access(place, user)

    async def about(
        self, command: Command, here: Scope, person: Person, option: Option | None
    ) -> tuple[EffectiveSettings, Person]:
        """Return what applies where `command` is about, which `person` gave `here`;
        and `person` as they are there.

        `option` decides where that is, if `command` does not say
        (`bot.settings.target`). Raises Unacceptable, Denied where that is not theirs to
        see, and DeliveryError when that cannot be found out now.
        """
        there = target(command, here, option)
        if self.is_nowhere(there):
            # Direct messages that belong to no workspace are a place of their own.
            there = here.at(ScopeLevel.CHANNEL)
        if there.level is ScopeLevel.WORKSPACE:
            await self.require_insider(person, here)
        known = await self.reach(person, here, there)
        return await self.policy(there), known

    async def reach(self, person: Person, here: Scope, there: Scope) -> Person:
        """Return `person`, known at `here`, as they are at `there`.

        Raises Denied where `there` is not theirs to see, and DeliveryError when that
        cannot be found out now.
        """
        home, around = (place.at(ScopeLevel.WORKSPACE) for place in (here, there))
        if home != around or there.level is ScopeLevel.OPERATOR:
            raise await self.deny(
                person, home, "look into another workspace", ELSEWHERE
            )
        if there.level is ScopeLevel.WORKSPACE or (
            _same_channel(here, there) and there.thread in ("", here.thread)
        ):
            return person
        access = await self.access(there, person.id)
        if access.reads:
            return await self._adapters[there.platform].person(there, person.id)
        # Those who administer the workspace administer what is set in all of it, and
        # see what it costs; but direct messages are nobody else's.
        policy = await self.policy(there)
        if self.is_direct(there) or not self.may(person, policy, home):
            what = "look into another channel"
            raise await self.deny(person, home, what, ELSEWHERE)
        if not access.exists:
            raise ThreadGone(f"{there} is not there")
        return await self._adapters[there.platform].person(there, person.id)

    async def require_insider(self, person: Person, here: Scope) -> None:
        """Raise Denied to guests and people of other organisations."""
        if person.outsider:
            what = "look beyond their channel"
            raise await self.deny(person, here, what, NOT_FOR_OUTSIDERS)

    async def require(
        self, person: Person, here: Scope, policy: EffectiveSettings, option: Option
    ) -> None:
        """Raise Denied unless `person`, who acts `here`, may change `option` at the
        place of `policy`; and DeliveryError when that cannot be found out now."""
        there = await self.reach(person, here, policy.place)
        if not self.may_set(there, policy, option):
            raise await self.deny(person, policy.place, f"set {option.name}")

    async def deny(
        self, person: Person, place: Scope, what: str, text: str = ""
    ) -> Denied:
        """Note that `person` wanted to do `what`; return what they are told: `text`,
        or that they may not change settings."""
        entry = AuditEntry(0, self._now(), place, person.id, "denied", what)
        await self._store.note(entry)
        log.info("command.denied place=%s person=%s what=%s", place, person.id, what)
        return Denied(text or _refusal(person, place))

    async def defaults(self) -> Mapping[str, str]:
        """The operator's values, of the prompt the id of its version."""
        if self._defaults is None:
            values = dict(self._operator.values)
            text = values.get("prompt", DEFAULT_PROMPT)
            version = await self._store.adopt("prompt", text, self._now())
            self._defaults = {**values, "prompt": str(version)}
        return self._defaults


def _same_channel(here: Scope, there: Scope) -> bool:
    return here.at(ScopeLevel.CHANNEL) == there.at(ScopeLevel.CHANNEL)


def _refusal(person: Person, place: Scope) -> str:
    if person.outsider:
        return (
            "Sorry, guests and people from other organisations cannot change "
            "settings here."
        )
    where = {
        ScopeLevel.WORKSPACE: "for the whole workspace",
        ScopeLevel.CHANNEL: "in this channel",
        ScopeLevel.THREAD: "in this channel",
    }.get(place.level, "here")
    return (
        f"Sorry, you may not change settings {where}. Those who administer it may, "
        "and can name others; `settings` shows everybody what applies."
    )
