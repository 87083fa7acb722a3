"""The Slack adapter: receives events, opens surfaces for replies.

A process that only answers does not listen for events; it only calls the Web API.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from adapters.slack import mrkdwn
from adapters.slack.catching_up import CatchingUp
from adapters.slack.check import scopes
from adapters.slack.client import SlackClient, open_client
from adapters.slack.config import PLATFORM, SlackConfig
from adapters.slack.http_events import HttpEvents, serving
from adapters.slack.installed_workspaces import InstalledWorkspaces
from adapters.slack.intake import Intake
from adapters.slack.late_threads import LateThreads
from adapters.slack.name_cache import MOST_NAMES
from adapters.slack.one_workspace import OneWorkspace
from adapters.slack.probes import SlackProber
from adapters.slack.routed import (
    RoutedDirectory,
    RoutedFiles,
    RoutedHistory,
    RoutedMessenger,
    Workspaces,
)
from adapters.slack.signing_in import sign_in, try_socket
from adapters.slack.sockets import Sockets
from adapters.slack.surface import SlackSurface, open_surface
from adapters.slack.uploads import UPLOADING
from adapters.slack.workspace import Workspace
from bot.domain.finding import Grade
from bot.domain.message import Message
from bot.domain.platform import EditInterval, Limits, Rate, RateLimitScope, WriteKind
from bot.domain.scope import ThreadKey
from bot.domain.turn import Turn
from bot.errors import AccessRevoked, ConfigError
from bot.messages import config as messages
from bot.messages.controls import NAME_CHANNEL_SLACK
from bot.ports.host import Host
from bot.ports.installations import InstallationStore, Sealer
from bot.runtime.background import Background, finish
from bot.runtime.offload import offload

log = logging.getLogger(__name__)

# Every rate keeps a margin, since calls arrive closer together than they were sent, and
# Slack does not document bursts ("bursts are tolerated", facts A5.1).
_STARTS = (Rate(count=19, seconds=60.0, scope=RateLimitScope.WORKSPACE, burst=9),)

LIMITS = Limits(
    # A markdown block may have 12,000 characters (facts A5.4). The rest is room for
    # added marks, and for the difference between Slack's count of characters and ours.
    part_chars=11_000,
    # A word that arrives in several deltas within this time is shown by one write.
    settle=0.25,
    rates={
        # Several hundred posts a minute, and 1 a second in each channel.
        WriteKind.POST: (
            Rate(count=290, seconds=60.0, scope=RateLimitScope.WORKSPACE, burst=50),
            Rate(count=59, seconds=60.0, scope=RateLimitScope.CHANNEL, burst=4),
        ),
        # Edits are tier 3: 50 a minute. Opening and closing a stream is tier 2, 20 a
        # minute; appending to one is tier 4, 100 a minute.
        WriteKind.EDIT: (
            Rate(count=49, seconds=60.0, scope=RateLimitScope.WORKSPACE, burst=9),
        ),
        WriteKind.OPEN: _STARTS,
        WriteKind.APPEND: (
            Rate(count=97, seconds=60.0, scope=RateLimitScope.WORKSPACE, burst=19),
        ),
        WriteKind.CLOSE: _STARTS,
    },
    paces={
        # Slack advises one edit every 3 s (facts A5.1). Long answers follow that. The
        # beginning is edited more often, because people watch it.
        WriteKind.EDIT: EditInterval(first=0.4, last=3.0, grown=9_000, fewest=8),
        WriteKind.APPEND: EditInterval(first=0.3, last=1.5, grown=6_000, fewest=8),
    },
    pings=mrkdwn.PINGS,
    creators=True,
    naming=NAME_CHANNEL_SLACK,
)


class SlackAdapter:
    """The Slack workspaces that the app is installed in."""

    name = PLATFORM

    def __init__(
        self,
        client: SlackClient,
        config: SlackConfig,
        workspaces: Workspaces,
        address: str | None,
        *,
        prober: SlackProber | None = None,
        listens: bool = True,
    ) -> None:
        self.limits = replace(LIMITS, apart=config.is_distributed)
        self._client = client
        self._socket_address = address
        self._listens = listens
        #: The base address of the server that receives Slack's requests and serves the
        #: pages for installing the app; "" until the server runs.
        self.address = ""
        self._config = config
        self._workspaces = workspaces
        self.directory = RoutedDirectory(workspaces)
        self.history = RoutedHistory(workspaces)
        self.files = RoutedFiles(workspaces)
        self.messenger = RoutedMessenger(workspaces)
        self.prober = prober
        self.periodic_tasks = workspaces.periodic_tasks
        #: Fails when Slack rejects a token.
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, host: Host) -> None:
        """Receive events until cancelled. A process that does not listen only waits to
        be cancelled. Raises ConfigError if Slack rejects a token."""
        self._workspaces.begin(host, self._fail)
        try:
            if self._listens:
                await self._receive(host)
            else:
                host.health.local(self.name)
                await asyncio.shield(self._failed)
        finally:
            await finish(self._workspaces.close())

    async def _receive(self, host: Host) -> None:
        def refused(platform: str, error: AccessRevoked) -> None:
            if error.workspace:
                host.access.suspend(platform, error.workspace, error)
            else:
                self._fail(error)

        async with Background(refused) as background:
            catching_up = CatchingUp(host, self._workspaces, background)
            late = LateThreads(host, background)
            intake = Intake(
                *(host, self._workspaces, background),
                *(catching_up.missed, catching_up.left_out, late.follow),
            )
            try:
                await catching_up.start()
                await self._listen(host, intake, catching_up)
            finally:
                # Work that outlasts an acknowledgement only updates modals.
                background.cancel()

    async def _listen(
        self, host: Host, intake: Intake, catching_up: CatchingUp
    ) -> None:
        config = self._config
        sockets = config.connections if config.app_token else 0
        ways = sockets + bool(config.signing_secret)
        async with contextlib.AsyncExitStack() as stack:
            secret = config.signing_secret
            if secret or config.is_distributed:
                app = intake.app(self._client)
                events = HttpEvents(app, secret) if secret else None
                served = serving(events, config.http, self._workspaces.routes(host))
                self.address = await stack.enter_async_context(served)
                if events is not None:
                    host.health.connected(self.name, "http", ways)
            if sockets:
                connected = self._connect(host, intake, ways, catching_up)
                await stack.enter_async_context(connected)
            if not self._failed.done():
                self._workspaces.listening(host)
            # Shielded, so that cancelling this call does not cancel the future, which
            # other calls may await, too.
            await asyncio.shield(self._failed)

    @contextlib.asynccontextmanager
    async def _connect(
        self, host: Host, intake: Intake, ways: int, catching_up: CatchingUp
    ) -> AsyncIterator[None]:
        """Open the connections of Socket Mode, unless Slack rejects the token. Close
        them on exit."""
        address, self._socket_address = self._socket_address, None
        sockets = Sockets(
            *(intake.take, self._client, self._config.app_token),
            *(host.health, self._fail),
            count=self._config.connections,
            of=ways,
            address=address,
            absent=catching_up.missed,
        )
        connecting = asyncio.ensure_future(sockets.connect())
        try:
            # `connect` does not return while Slack cannot be reached.
            await asyncio.wait(
                {connecting, self._failed}, return_when=asyncio.FIRST_COMPLETED
            )
            if not self._failed.done():
                await connecting
            yield
        finally:
            connecting.cancel()
            # A shutdown may cancel this task while the connections are being closed.
            await finish(_close(sockets, connecting))

    async def resolve_thread(self, turn: Turn) -> ThreadKey:
        """Return the thread of `turn`, which always exists on Slack."""
        return turn.thread

    @contextlib.asynccontextmanager
    async def surface(self, turn: Turn) -> AsyncIterator[SlackSurface]:
        """Open the reply to `turn`. Raises DeliveryError or AccessRevoked."""
        there = await self._workspaces.get(turn.thread.workspace)
        # Slack's answers may lack the header that lists the scopes. Unknown scopes
        # count as granted.
        uploads = UPLOADING in (there.us.scopes or {UPLOADING})
        parts = (there.client, there.status, there.streams, turn)
        async with open_surface(*parts, uploads=uploads) as surface:
            yield surface

    async def readable(self, messages: Sequence[Message]) -> list[tuple[str, str]]:
        """Return (author's name, text) of each message, with ids replaced by names."""
        if not messages:
            return []
        there = await self._workspaces.get(messages[0].thread.workspace)
        texts = [each.text for each in messages]
        size = sum(map(len, texts))
        authors = [each.author for each in messages]
        named = partial(mrkdwn.named, texts, authors, MOST_NAMES)
        users, channels = await offload(named, size)
        there.names.introduce({each.author: each.name for each in messages})
        names = await there.names.find(users, channels)
        read = partial(mrkdwn.read, texts, there.us.user, names)
        said = await offload(read, size)
        # A program may post under several names with one id.
        authors = [names.get(e.author) or e.name or e.author for e in messages]
        return list(zip(authors, said, strict=True))

    def typed(self, message: Message) -> str:
        """Return the text of `message` without the bot's mention. Other mentions have
        the form that settings use ("user:U1")."""
        us = self._workspaces.user(message.thread.workspace)
        return mrkdwn.tokens(mrkdwn.without_mention(message.text, us))

    async def tell(self, workspace: str, user: str, text: str) -> None:
        """Send `text` to one person as a direct message. Raises DeliveryError."""
        workspaces = self._workspaces
        there = await (
            workspaces.get(workspace) if workspace else workspaces.home(user)
        )
        opened = await there.client.call("conversations.open", users=user)
        await there.client.call_when_allowed(
            "chat.postMessage",
            channel=str(opened["channel"]["id"]),
            text=mrkdwn.format_text(text, await there.display_names.find(text)),
        )

    def _fail(self, error: ConfigError) -> None:
        if not self._failed.done():
            self._failed.set_exception(error)
            # Mark the exception as retrieved, in case nothing awaits the future.
            self._failed.exception()


@contextlib.asynccontextmanager
async def connect(
    env: Mapping[str, str],
    *,
    installations: InstallationStore | None = None,
    sealer: Sealer | None = None,
    listens: bool = True,
) -> AsyncIterator[SlackAdapter]:
    """Yield an adapter for the workspace of the bot token in `env`, or for all
    workspaces in `installations` if workspaces install the app. An adapter that does
    not listen needs only the bot token.

    Raises ConfigError if a token is missing or not accepted, Socket Mode is off, or
    Slack cannot be reached.
    """
    config = SlackConfig.from_env(env, listens=listens)
    async with open_client(config) as client:
        sockets = listens and config.app_token
        if config.is_distributed:
            if installations is None or sealer is None:
                raise ConfigError(messages.NO_KEYS)
            session = client.web.session
            assert session is not None
            address = await try_socket(client, config) if sockets else None
            many = InstalledWorkspaces(config, session, installations, sealer)
            yield SlackAdapter(client, config, many, address, listens=listens)
            return
        identity = await sign_in(client)
        address = await try_socket(client, config) if sockets else None
        for finding in scopes(identity):
            # A missing required scope is reported once the adapter listens.
            if finding.grade is Grade.NOTE:
                log.warning("slack.scopes %s", finding.text)
        workspaces = OneWorkspace(Workspace(client, identity, config.streams))
        prober = SlackProber(client)
        yield SlackAdapter(
            *(client, config, workspaces, address), prober=prober, listens=listens
        )


async def _close(sockets: Sockets, connecting: asyncio.Future[None]) -> None:
    await asyncio.wait({connecting})
    await sockets.close()
