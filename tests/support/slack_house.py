"""Runs Threadkeep as an app that Slack workspaces install with OAuth, on the
emulators."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Protocol

import aiohttp
from slack_sdk.oauth import OAuthStateUtils
from yarl import URL

from adapters.slack.adapter import SlackAdapter, connect
from adapters.slack.installed_workspaces import InstalledWorkspaces
from adapters.slack.installing import INSTALL
from bot.app import App
from bot.domain.platform import EditInterval, WriteKind
from bot.domain.scope import Scope
from bot.ports.model import Model
from bot.ports.store import Store
from bot.settings.effective import Operator
from storage.encryption import KeyRing
from tests.emulators.changes import PATIENCE
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.oauth import Org
from tests.support.process import OPERATOR

KEY = b"k" * 32
#: Seconds between two checks of a state that no emulator sees.
LOOK = 0.01
#: Seconds between two edits of a reply.
SOON = 0.05


def oauth_env(slack: SlackEmulator) -> dict[str, str]:
    """Return the environment of an app that is installed with OAuth."""
    return {
        "SLACK_API_URL": slack.api_url,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_CLIENT_ID": slack.oauth.client_id,
        "SLACK_CLIENT_SECRET": slack.oauth.client_secret,
        "THREADKEEP_SLACK_HTTP": "127.0.0.1:0",
        "THREADKEEP_KEYS": "set",
    }


class Site(Protocol):
    """The web pages where people install the app."""

    slack: SlackEmulator
    session: aiohttp.ClientSession

    @property
    def address(self) -> str: ...


class Browser:
    """A person's browser, which keeps the cookie of the last page."""

    def __init__(self, house: Site) -> None:
        self._house = house
        self.cookie = ""

    async def open(self, address: str = INSTALL) -> tuple[int, str]:
        """Open a page of Threadkeep. Return its status and text."""
        url = URL(self._house.address).join(URL(address))
        headers = {"Cookie": self.cookie} if self.cookie else {}
        async with self._house.session.get(url, headers=headers) as answer:
            if cookie := answer.headers.get("Set-Cookie"):
                self.cookie = cookie.partition(";")[0]
            return answer.status, await answer.text()

    async def start(self) -> str:
        """Open the installation page. Return the address of Slack's page."""
        status, page = await self.open()
        assert status == 200, page
        assert OAuthStateUtils.default_cookie_name in self.cookie
        return page.partition('href="')[2].partition('"')[0].replace("&amp;", "&")

    async def install(
        self, place: "SlackEmulator | Org", user: str = "", *, allow: bool = True
    ) -> tuple[int, str]:
        """Install the app in `place`. Return the status and text of the last page."""
        slack = self._house.slack
        address = await self.start()
        return await self.open(slack.oauth.consent(address, place, user, allow=allow))


class House:
    """Threadkeep and its workspaces. The emulator's own workspace has not installed the
    app."""

    def __init__(
        self,
        slack: SlackEmulator,
        store: Store,
        adapter: SlackAdapter,
        app: App,
        session: aiohttp.ClientSession,
    ) -> None:
        self.slack = slack
        self.store = store
        self.adapter = adapter
        self.app = app
        self.session = session

    @property
    def address(self) -> str:
        """The address of the pages."""
        return self.adapter.address

    def scope(self, team: SlackEmulator) -> Scope:
        """Return the scope of a workspace."""
        return Scope("slack", team.team)

    async def look(self) -> None:
        """Let this process read changes made by other processes."""
        workspaces = self.adapter._workspaces
        assert isinstance(workspaces, InstalledWorkspaces)
        await workspaces.look()

    async def ended(self, team: SlackEmulator) -> None:
        """Wait until the store says that the app was removed from `team`."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.store.installation_of("slack", team.team)
                if found is not None and found.ended_at is not None:
                    return
                await asyncio.sleep(LOOK)

    async def until(self, predicate: Callable[[], object]) -> None:
        """Wait until `predicate()` is true, for a state that no emulator sees."""
        async with asyncio.timeout(PATIENCE):
            while not predicate():  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(LOOK)

    async def idle(self) -> None:
        """Wait until no answer is running."""
        await self.until(lambda: self.app._dispatcher.load == (0, 0))

    async def backdate(self, team: SlackEmulator) -> None:
        """Make the installation in `team` an hour old."""
        found = await self.store.installation_of("slack", team.team)
        assert found is not None
        old = replace(found, installed_at=found.installed_at - 3600.0)
        await self.store.store_installation(old)
        await self.look()

    async def team(self, name: str) -> SlackEmulator:
        """Add a workspace, install the app in it, and return it."""
        team = self.slack.add_team(name)
        status, page = await Browser(self).install(team)
        assert status == 200, page
        return team


@contextlib.asynccontextmanager
async def house(
    slack: SlackEmulator,
    store: Store,
    model: Model,
    *,
    keys: tuple[bytes, ...] = (KEY,),
    operator: Operator = OPERATOR,
    grace: float = 5.0,
    at_once: int = 100,
    listens: bool = True,
    env: dict[str, str] | None = None,
) -> AsyncIterator[House]:
    """Run Threadkeep in this process until the block ends."""
    stopping = asyncio.Event()
    async with (
        connect(
            {**oauth_env(slack), **(env or {})},
            installations=store,
            sealer=KeyRing(keys),
            listens=listens,
        ) as adapter,
        aiohttp.ClientSession() as session,
    ):
        pace = EditInterval(first=SOON, last=SOON)
        paces = dict.fromkeys(WriteKind, pace)
        adapter.limits = replace(adapter.limits, paces=paces, settle=SOON)
        app = App(
            store=store,
            model=model,
            adapters=[adapter],
            operator=operator,
            grace=grace,
            at_once=at_once,
        )
        before = slack.socket.opened
        task = asyncio.create_task(app.run(stopping))
        try:
            if listens:
                await slack.until(lambda: slack.socket.opened > before or task.done())
                slack.oauth.redirect = f"{adapter.address}/slack/oauth_redirect"
            yield House(slack, store, adapter, app, session)
        finally:
            stopping.set()
            await task
