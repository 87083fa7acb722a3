"""Finds the workspace of a person by the person's id alone."""

from collections.abc import Awaitable, Callable

from adapters.slack.config import PLATFORM
from adapters.slack.refusals import NoSuchPerson
from adapters.slack.workspace import Workspace
from bot.errors import AccessRevoked, DeliveryError, StorageError
from bot.messages import installations as messages
from bot.ports.installations import InstallationList
from bot.runtime.lru import LruDict

# The most workspaces that are asked, starting with those that installed the app first,
# which include the operator's own; and the most people who are remembered.
MOST_ASKED = 20
MOST_PEOPLE = 1_000


class Homes:
    """The workspaces of people, by their ids. `get` returns a workspace."""

    def __init__(
        self, store: InstallationList, get: Callable[[str], Awaitable[Workspace]]
    ) -> None:
        self._store = store
        self._get = get
        self._known: LruDict[str, str] = LruDict(MOST_PEOPLE)

    async def of(self, user: str) -> Workspace:
        """Return the workspace of `user`. Raises DeliveryError if it is not found, and
        says whether Slack could be asked."""
        if user in self._known:
            return await self._get(self._known[user])
        try:
            found = await self._store.installations(PLATFORM)
        except StorageError as error:
            text = messages.unknown_now(place=f"{PLATFORM}:{user}")
            raise DeliveryError(text) from error
        good = [e for e in found if e.ended_at is None and e.place.workspace]
        good.sort(key=lambda each: each.installed_at)
        unasked = False
        for each in good[:MOST_ASKED]:
            team = each.place.workspace
            try:
                there = await self._get(team)
                answer = await there.client.call("users.info", user=user)
            except (NoSuchPerson, AccessRevoked):
                continue
            except DeliveryError:
                # Another workspace may know the person.
                unasked = True
                continue
            if (answer.get("user") or {}).get("team_id") == team:
                self._known[user] = team
                return there
        if unasked:
            raise DeliveryError(messages.home_unknown_now(user=user))
        raise DeliveryError(messages.nobody(user=user))
