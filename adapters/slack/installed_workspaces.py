"""Holds the workspaces that have installed the app themselves, each with its own token.

Rule 1: workspaces do not affect each other. If Slack refuses a token, the core suspends
that workspace, its client makes no more calls, and the other workspaces continue.
Rule 2: the store lists all installations; this module holds those in use, up to a
limit. Every process checks for changes by other processes every few seconds, so that a
workspace that installs the app again is served by all of them.
Rule 3: a refusal may be a mistake, or may concern a token that was replaced since, so
Slack is asked once more before an installation is ended.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import aiohttp
from aiohttp import web

from adapters.slack import oauth_calls, placing
from adapters.slack.check import SCOPES
from adapters.slack.client import Identity, SlackClient, web_client
from adapters.slack.config import PLATFORM, SlackConfig
from adapters.slack.credentials import Credentials
from adapters.slack.homes import Homes
from adapters.slack.installing import INSTALL, Installer
from adapters.slack.loaded_workspaces import MOST_WORKSPACES, LoadedWorkspaces
from adapters.slack.renewing import Renewal
from adapters.slack.uploads import UPLOADING
from adapters.slack.workspace import Workspace
from bot.domain.installation import Ending, Installation, Place
from bot.errors import (
    AccessRevoked,
    ConfigError,
    DeliveryError,
    KeyLost,
    StorageError,
)
from bot.messages import installations as messages
from bot.messages import operator
from bot.ports.host import Host
from bot.ports.installations import InstallationStore, Sealer
from bot.ports.wakeups import PeriodicTask
from bot.runtime.background import Background, report
from bot.runtime.lru import LruDict
from bot.runtime.retry import retry_until_success

log = logging.getLogger(__name__)

# The most workspaces that are remembered as having no installation, or as being part of
# an organisation.
MOST_KNOWN = 20_000
# How long a workspace without an installation is not looked up again, in seconds.
ABSENT = 10.0

# The interval at which the log names a workspace that sends events but has no
# installation, in seconds.
HOUR = 3_600.0

# The interval between checks for changes by other processes, in seconds.
EVERY = 5.0

# An event about the end of an installation that happened less than this many seconds
# after an installation may be about the previous installation, since Slack's clock may
# differ from ours.
RECENT = 600.0


class InstalledWorkspaces:
    """`adapters.slack.routed.Workspaces` of all installations in `store`, over one HTTP
    session."""

    def __init__(
        self,
        config: SlackConfig,
        session: aiohttp.ClientSession,
        store: InstallationStore,
        sealer: Sealer,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._session = session
        self._store = store
        self._sealer = sealer
        self._now = now
        self._loaded = LoadedWorkspaces()
        #: Credentials by the place of an installation, which may serve several
        #: workspaces.
        self._credentials: LruDict[Place, Credentials] = LruDict(MOST_WORKSPACES)
        #: The ids of the bot's users, by workspace.
        self._users: LruDict[str, str] = LruDict(MOST_KNOWN)
        #: The times at which workspaces were found to have no installation.
        self._absent: LruDict[str, float] = LruDict(MOST_KNOWN)
        #: The times at which the log last named such workspaces.
        self._named: LruDict[str, float] = LruDict(MOST_KNOWN)
        #: The organisations that workspaces are known to be part of.
        self._organisations: LruDict[str, str] = LruDict(MOST_KNOWN)
        #: The workspaces that were suspended because of an organisation's installation.
        self._suspended: LruDict[str, Place] = LruDict(MOST_KNOWN)
        self._homes = Homes(store, self.get)
        self._renewal = Renewal(
            *(store, self._any_credentials),
            partial(self._verify, ending=Ending.REVOKED),
            now,
        )
        self._seen = 0
        self._host: Host | None = None
        self._tasks = Background()
        self._looking = asyncio.Lock()

    @property
    def periodic_tasks(self) -> Sequence[PeriodicTask]:
        """The periodic renewal of tokens."""
        return [self._renewal.periodic_task]

    # Look-ups of workspaces.

    async def get(self, team: str) -> Workspace:
        """Return the workspace `team`. Raises AccessRevoked if the app is not installed
        there, or DeliveryError if the store cannot be read now."""
        try:
            return await self._find(team)
        except StorageError as error:
            text = messages.unknown_now(place=f"{PLATFORM}:{team}")
            raise DeliveryError(text) from error

    async def find(self, body: Mapping[str, Any]) -> Workspace | None:
        """Return the workspace that `body` is for. Return None if the app is not
        installed there, or if `body` reports the end of an installation, which is
        handled here. Raises StorageError."""
        team = placing.team(body)
        if organisation := placing.organisation(body):
            if placing.is_ending(body):
                await self._on_end(Place(PLATFORM, organisation, ""), body)
                return None
            await self._belongs(team, organisation)
        elif team and placing.is_ending(body):
            found = await self._store.installation_of(PLATFORM, team)
            if found and found.place.workspace == team:
                await self._on_end(found.place, body)
            return None
        if not team:
            return None
        try:
            return await self._find(team)
        except AccessRevoked as error:
            if self._now() - self._named.get(team, float("-inf")) >= HOUR:
                self._named[team] = self._now()
                log.warning("slack.event_without_installation %s", error)
            return None

    async def home(self, user: str) -> Workspace:
        """Return the workspace of `user`, searched for among those that installed the
        app first. Raises DeliveryError if it is not one of them."""
        return await self._homes.of(user)

    def user(self, team: str) -> str:
        """Return the id of the bot's user in `team`; "" if that is not known yet."""
        return self._users.get(team, "")

    # Changes of installations.

    def begin(self, host: Host, refused: Callable[[AccessRevoked], None]) -> None:
        """Begin to check for changes, and report Slack's refusals to `host`."""
        self._host = host
        # A new one, since an adapter that failed is run again.
        self._tasks = Background()
        self._tasks.start("watch installations", self._watch(), platform=PLATFORM)

    def routes(self, host: Host) -> list[web.RouteDef]:
        """Return the routes on which people install the app."""
        return Installer(
            *(self._config, self._session, self._store, self._sealer),
            *(self.install, host.served, host.alert),
        ).routes()

    def listening(self, host: Host) -> None:
        """Log that events of all workspaces are received."""
        log.info("slack.listening team=* install=%s%s", self._config.http, INSTALL)

    async def close(self) -> None:
        """Cancel all tasks and look-ups in progress."""
        self._tasks.cancel()
        async with self._tasks:
            for team in self._loaded:
                if there := self._loaded.get(team):
                    await there.people.close()

    async def install(self, installation: Installation) -> None:
        """Store a new installation, and resume the work that waits for its workspace.
        Raises StorageError."""
        await self._apply(await self._store.store_installation(installation))

    async def look(self) -> None:
        """Apply changes that other processes stored. Raises StorageError."""
        async with self._looking:
            lost = []
            for each in await self._store.installations(PLATFORM, self._seen):
                try:
                    await self._apply(each)
                except KeyLost as error:
                    self._suspend(each, error)
                    lost.append(f"{each.name} ({each.place})")
                self._seen = max(self._seen, each.version)
            if lost and self._host:
                text = messages.keys_lost(places=lost)
                self._host.alert("slack keys", text)

    async def _watch(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as error:
                # The next check may succeed.
                report("watch installations", error)
            await asyncio.sleep(EVERY)

    async def _apply(self, changed: Installation) -> None:
        """Apply the stored state of an installation to this process. Raises KeyLost."""
        place = changed.place
        self._absent.pop(place.workspace, None)
        known = self._credentials.get(place)
        if changed.ended_at is not None:
            text = messages.has_ended(place=str(place))
            self._suspend(changed, AccessRevoked(text, place.workspace))
            return
        if known and changed.version > known.installation.version:
            is_renewed = known.installation.installed_at == changed.installed_at
            known.adopt(changed)
            if not is_renewed:
                # The name and the scopes of a new installation may differ.
                self._loaded.forget(self._teams(place))
        elif known is None:
            self._sealer.open(changed.tokens.access, place)
        teams = {team for team, of in self._suspended.items() if of == place}
        for team in filter(None, {place.workspace, *teams}):
            self._suspended.pop(team, None)
            if self._host:
                self._host.access.resume(PLATFORM, team)

    def _suspend(self, ended: Installation, error: ConfigError) -> None:
        place = ended.place
        self._credentials.pop(place, None)
        teams = self._teams(place)
        for team in teams:
            refused = AccessRevoked(str(error), team)
            if there := self._loaded.get(team):
                there.client.ended = refused
        self._loaded.forget(teams)
        for team in filter(None, {place.workspace, *teams}):
            self._suspended[team] = place
            if self._host:
                refused = AccessRevoked(str(error), team)
                self._host.access.suspend(PLATFORM, team, refused)

    def _teams(self, place: Place) -> list[str]:
        """Return the workspaces in use that the installation in `place` serves."""
        of = place.organisation
        return [
            team
            for team in self._loaded
            if team == place.workspace
            or (not place.workspace and self._organisations.get(team) == of)
        ]

    async def _on_end(self, place: Place, body: Mapping[str, Any]) -> None:
        found = await self._store.installations(PLATFORM)
        here = next((each for each in found if each.place == place), None)
        if here is None or here.ended_at is not None:
            return
        if not placing.revokes(body, here.user):
            return
        happened = float(body.get("event_time") or 0.0)
        if happened < here.installed_at + RECENT:
            # The event may be about the previous installation.
            error = AccessRevoked(messages.has_ended(place=str(place)), place.workspace)
            await self._verify(here, error, Ending.UNINSTALLED)
            return
        await self._end(here, Ending.UNINSTALLED)

    async def _end(self, here: Installation, ending: Ending) -> None:
        ended = await self._store.end_installation(here.place, ending, self._now())
        if ended is not None:
            log.warning(
                "slack.installation_ended place=%s why=%s", here.place, ending.value
            )
            await self._apply(ended)

    async def _verify(
        self, here: Installation, error: AccessRevoked, ending: Ending
    ) -> None:
        """End the installation `here`, whose token Slack refused with `error`, unless
        the token was replaced since or is accepted now."""
        await self.look()
        known = self._credentials.get(here.place)
        if known and known.installation.version > here.version:
            return
        token = self._sealer.open(here.tokens.access, here.place)
        client = SlackClient(web_client(self._config, self._session, token), "-")
        try:
            await retry_until_success(client.identify)
        except AccessRevoked:
            await self._end(here, ending)
            if self._host and ending is Ending.REVOKED:
                text = messages.token_ended(place=f"{here.name} ({here.place})")
                self._host.alert(f"slack token {here.place}", text)
        else:
            await self._apply(here)

    # Loading of workspaces.

    async def _find(self, team: str) -> Workspace:
        return self._loaded.get(team) or await self._load(team)

    async def _load(self, team: str) -> Workspace:
        place = f"{PLATFORM}:{team}"
        absent = AccessRevoked(messages.not_installed(place=place), team)
        if self._now() - self._absent.get(team, float("-inf")) < ABSENT:
            raise absent
        here = await self._store.installation_of(PLATFORM, team)
        if here is None:
            self._absent[team] = self._now()
            raise absent
        if here.ended_at is not None:
            self._suspended[team] = here.place
            raise AccessRevoked(messages.has_ended(place=place), team)
        try:
            credentials = self._credentials_of(here)
        except KeyLost as error:
            self._suspended[team] = here.place
            raise AccessRevoked(str(error), team) from error
        if there := self._loaded.get(team):
            # Another task has loaded the workspace meanwhile.
            return there
        if not here.place.workspace:
            self._organisations[team] = here.place.organisation
        there = self._workspace(team, credentials)
        self._loaded.add(team, there)
        self._users[team] = here.user
        return there

    def _credentials_of(self, here: Installation) -> Credentials:
        known = self._any_credentials(here)
        self._credentials[here.place] = known
        return known

    def _any_credentials(self, here: Installation) -> Credentials:
        """Return the credentials of an installation, which need not be in use here."""
        return self._credentials.get(here.place) or Credentials(
            *(here, self._store, self._sealer, self._exchange, self._now)
        )

    def _workspace(self, team: str, credentials: Credentials) -> Workspace:
        here = credentials.installation
        meant = "" if here.place.workspace else team
        calls = web_client(self._config, self._session, team=meant)
        client = SlackClient(calls, team, credentials.current)
        client.on_revoked = partial(self._on_refusal, team, client, credentials)
        client.on_missing_scope = partial(self._lacks, team, here.name)
        us = Identity(team, here.name, here.user, "", here.bot, here.scopes)
        return Workspace(client, us, self._config.streams)

    async def _exchange(self, refresh_token: str) -> Mapping[str, Any]:
        client = web_client(self._config, self._session)
        return await oauth_calls.refresh(client, self._config, refresh_token)

    async def _belongs(self, team: str, organisation: str) -> None:
        """Store that a workspace is part of an organisation, unless that is known."""
        if team and self._organisations.get(team) != organisation:
            await self._store.store_workspace(PLATFORM, team, organisation)
            self._organisations[team] = organisation
            self._absent.pop(team, None)

    def _on_refusal(
        self,
        team: str,
        client: SlackClient,
        credentials: Credentials,
        error: AccessRevoked,
    ) -> None:
        if client.ended is not None:
            return
        client.ended = error
        here = credentials.installation
        if self._host:
            self._host.access.suspend(PLATFORM, team, error)
        self._suspended[team] = here.place
        self._loaded.forget([team])
        work = self._verify(here, error, Ending.REVOKED)
        self._tasks.start("verify a token", work, platform=PLATFORM)

    def _lacks(self, team: str, name: str, needed: frozenset[str]) -> None:
        missing = ", ".join(sorted((SCOPES | {UPLOADING}) & needed))
        if missing and self._host:
            place = f"{name} ({PLATFORM}:{team})"
            text = operator.scopes_missing_in(scopes=missing, place=place)
            self._host.alert(f"slack scopes {missing} {team}", text)
