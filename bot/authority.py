"""Says what applies where, and who may change it: the one place that both those who
answer and those who administer ask.

Rule: rights are looked at when something is done, on every path, also for a form
that was opened or a button that was shown while the person still had them.
"""

import logging
import time
from collections.abc import Callable, Mapping

from bot.errors import DeliveryError, Denied
from bot.options import BY_NAME, DEFAULT_PROMPT, Option
from bot.people import Person, administers
from bot.policy import Operator, Policy, resolve
from bot.ports import Adapter
from bot.rules import Entry, Level, Place, Rules, Version
from bot.stores import Store
from bot.values import ThreadKey

log = logging.getLogger(__name__)


class Authority:
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

    async def policy(self, place: Place) -> Policy:
        """What applies at `place`. One read. Raises StorageError."""
        return resolve(place, await self._store.rules(place), await self.defaults())

    async def found(self, thread: ThreadKey) -> tuple[Policy, Rules]:
        """What applies in `thread`, and what that was made of. One read."""
        place = Place.of(thread)
        rules = await self._store.rules(place)
        return resolve(place, rules, await self.defaults()), rules

    async def prompt(self, policy: Policy) -> Version:
        """The version of the prompt that applies. Raises StorageError."""
        version = await self._store.version(int(policy["prompt"]))
        if version is None or version.text is None:
            # A database that was put together by hand. The operator's is always there.
            version = await self._store.version(int((await self.defaults())["prompt"]))
        assert version is not None
        return version

    def may(self, person: Person, policy: Policy, place: Place | None = None) -> bool:
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

    def admits(self, person: Person, place: Place) -> bool:
        """Whether the operator lets `person` have Claude asked at `place`. Whom
        admins let besides is for the policy of the place."""
        named = f"{place.platform}:{person.id}" in self._operator.admins
        return named or self._operator.audience.admits(person, place.platform)

    async def admits_user(self, user: str, place: Place) -> bool:
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

    def admits_all(self, place: Place) -> bool:
        """Whether the operator lets everybody at `place`."""
        return not self._operator.audience.limits(place.platform)

    def may_set(self, person: Person, policy: Policy, option: Option) -> bool:
        """Whether `person` may change `option` at the place of `policy`."""
        place = policy.place
        return self.may(
            person, policy, place.at(Level.WORKSPACE) if option.workspace_only else None
        )

    def known(self, place: Place) -> list[Option]:
        """The options that mean something on the platform of `place`."""
        creators = self._adapters[place.platform].limits.creators
        return [o for o in BY_NAME.values() if creators or not o.needs_creators]

    def offered(self, policy: Policy, person: Person) -> list[Option]:
        """What `person` may change at the very place of `policy`."""
        return [
            option
            for option in self.known(policy.place)
            if policy.place.level in option.levels
            and self.may_set(person, policy, option)
        ]

    async def at(self, place: Place, person: Person, here: Place) -> Person:
        """`person`, known at `here`, as they are at `place`.

        Raises DeliveryError when that cannot be found out now.
        """
        if place.channel in ("", here.channel):
            return person
        return await self._adapters[place.platform].person(place, person.id)

    async def require(
        self, person: Person, here: Place, policy: Policy, option: Option
    ) -> None:
        """Raise Denied unless `person`, who acts `here`, may change `option` at the
        place of `policy`; and DeliveryError when that cannot be found out now."""
        there = await self.at(policy.place, person, here)
        if not self.may_set(there, policy, option):
            raise await self.deny(person, policy.place, f"set {option.name}")

    async def deny(self, person: Person, place: Place, what: str) -> Denied:
        """Note that `person` wanted to do `what`; return what they are told."""
        entry = Entry(0, self._now(), place, person.id, "denied", what)
        await self._store.note(entry)
        log.info("command.denied place=%s person=%s what=%s", place, person.id, what)
        return Denied(_refusal(person, place))

    async def defaults(self) -> Mapping[str, str]:
        """The operator's values, of the prompt the id of its version."""
        if self._defaults is None:
            values = dict(self._operator.values)
            text = values.get("prompt", DEFAULT_PROMPT)
            version = await self._store.adopt("prompt", text, self._now())
            self._defaults = {**values, "prompt": str(version)}
        return self._defaults


def _refusal(person: Person, place: Place) -> str:
    if person.outsider:
        return (
            "Sorry, guests and people from other organisations cannot change "
            "settings here."
        )
    where = {
        Level.WORKSPACE: "for the whole workspace",
        Level.CHANNEL: "in this channel",
        Level.THREAD: "in this channel",
    }.get(place.level, "here")
    return (
        f"Sorry, you may not change settings {where}. Those who administer it may, "
        "and can name others; `settings` shows everybody what applies."
    )
