"""The Slack adapter: receives events, opens surfaces for replies.

A process that only answers needs no way in: it does not listen, and calls the Web API
alone.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

from slack_bolt.app.async_app import AsyncApp

from adapters.slack import mrkdwn
from adapters.slack.channels import Channels
from adapters.slack.check import SCOPES, lacking, scopes
from adapters.slack.client import Identity, SlackClient, open_client
from adapters.slack.config import SlackConfig
from adapters.slack.directory import SlackDirectory
from adapters.slack.display_names import DisplayNames
from adapters.slack.file_source import SlackFiles
from adapters.slack.history import MessageHistory
from adapters.slack.http_events import PATH, HttpEvents, serving
from adapters.slack.intake import Intake
from adapters.slack.interactions import Interactions
from adapters.slack.members import People
from adapters.slack.mention_pairs import MentionPairs
from adapters.slack.messages import SlackMessenger
from adapters.slack.name_cache import MOST_NAMES, NameCache
from adapters.slack.native_streams import Streams
from adapters.slack.probes import SlackProber
from adapters.slack.signing_in import sign_in, try_socket
from adapters.slack.sockets import Sockets
from adapters.slack.surface import SlackSurface, open_surface
from adapters.slack.thinking_status import Status
from adapters.slack.uploads import UPLOADING
from bot.domain.finding import Grade
from bot.domain.message import Message
from bot.domain.platform import EditInterval, Limits, Rate, RateLimitScope, WriteKind
from bot.domain.scope import ThreadKey
from bot.domain.turn import Turn
from bot.errors import ConfigError
from bot.messages import operator
from bot.messages.controls import NAME_CHANNEL_SLACK
from bot.ports.host import Host
from bot.runtime.background import Background, finish
from bot.runtime.offload import offload

log = logging.getLogger(__name__)

# Every rate keeps a margin, since calls arrive closer together than they were sent, and
# Slack does not document bursts ("bursts are tolerated", facts A5.1).
_STARTS = (Rate(count=19, seconds=60.0, scope=RateLimitScope.WORKSPACE, burst=9),)

LIMITS = Limits(
    # A markdown block holds 12,000 (facts A5.4); the rest is room for added marks, and
    # for counting characters differently from Slack.
    part_chars=11_000,
    # Claude sends a few words in this time; an answer that ends within it is one write.
    settle=0.25,
    rates={
        # Several hundred posts a minute, and 1 a second in each channel.
        WriteKind.POST: (
            Rate(count=290, seconds=60.0, scope=RateLimitScope.WORKSPACE, burst=50),
            Rate(count=59, seconds=60.0, scope=RateLimitScope.CHANNEL, burst=5),
        ),
        # Tier 3, 50 a minute, and tier 2 and 4 for streams, 20 and 100.
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
        # Slack advises one edit every 3 s (facts A5.1), which long answers follow; the
        # beginning, which people watch, is edited more often.
        WriteKind.EDIT: EditInterval(first=0.4, last=3.0, grown=9_000, fewest=8),
        WriteKind.APPEND: EditInterval(first=0.3, last=1.5, grown=6_000, fewest=8),
    },
    pings=mrkdwn.PINGS,
    creators=True,
    naming=NAME_CHANNEL_SLACK,
)


class SlackAdapter:
    """One Slack workspace."""

    name = "slack"

    def __init__(
        self,
        client: SlackClient,
        config: SlackConfig,
        identity: Identity,
        address: str | None,
        *,
        listens: bool = True,
    ) -> None:
        self.limits = LIMITS
        self._client = client
        self._address = address
        self._listens = listens
        #: Where Slack's requests are received; "" before that, or if none are.
        self.request_url = ""
        self._config = config
        self._us = identity
        self._names = NameCache(client)
        self._people = People(client, identity.team)
        self._display_names = DisplayNames(self._names, self._people)
        self._channels = Channels(client, self._people, identity.team)
        self.directory = SlackDirectory(
            self._people, self._channels, self._names, identity
        )
        self.history = MessageHistory(client, identity)
        self.files = SlackFiles(client)
        self.messenger = SlackMessenger(client, self._display_names)
        self.prober = SlackProber(client)
        self._status = Status(client)
        self._pairs = MentionPairs()
        self._streams = Streams(config.streams, identity.user)
        #: Fails when Slack rejects a token.
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        client.on_revoked = self._fail

    async def run(self, host: Host) -> None:
        """Receive events until cancelled, or wait for that if this process does not
        listen. Raises ConfigError if Slack rejects a token."""
        self._require_scopes(host)
        if not self._listens:
            host.health.local(self.name)
            await asyncio.shield(self._failed)
            return
        async with Background(lambda _, error: self._fail(error)) as background:
            interactions = Interactions(
                *(self._client, self._people, self._display_names, self._channels),
                *(self._us, host, background),
            )
            intake = Intake(
                *(host, self._us, interactions),
                *(self._names, self._streams, self._pairs),
            )
            try:
                await self._listen(host, intake)
            finally:
                # Work that outlasts an acknowledgement only updates modals.
                background.cancel()
                await finish(self._people.close())

    def _require_scopes(self, host: Host) -> None:
        """Report the scopes that the app lacks, now and when a call is refused. Those
        of what is optional are logged at the start alone, since some are left out on
        purpose, except for one that was taken from the app since then."""

        def report_missing(scopes: Iterable[str]) -> None:
            if missing := ", ".join(sorted((SCOPES | {UPLOADING}) & set(scopes))):
                problem = operator.scopes_missing(scopes=missing)
                host.alert(f"slack scopes {missing}", problem)

        report_missing(lacking(self._us))
        self._client.on_missing_scope = report_missing

    async def _listen(self, host: Host, intake: Intake) -> None:
        config = self._config
        app = intake.app(self._client, config.signing_secret)
        sockets = config.connections if config.app_token else 0
        ways = sockets + bool(config.signing_secret)
        async with contextlib.AsyncExitStack() as stack:
            if config.signing_secret:
                events = HttpEvents(app, config.signing_secret)
                served = serving(events, config.http)
                self.request_url = await stack.enter_async_context(served) + PATH
                host.health.connected(self.name, "http", ways)
            if sockets:
                await stack.enter_async_context(self._connected(host, app, ways))
            if not self._failed.done():
                self._log_listening(host)
            # Shielded: other calls may wait for it, too.
            await asyncio.shield(self._failed)

    @contextlib.asynccontextmanager
    async def _connected(
        self, host: Host, app: AsyncApp, ways: int
    ) -> AsyncIterator[None]:
        """Open the connections of Socket Mode, unless Slack rejects the token; close
        them in the end."""
        address, self._address = self._address, None
        sockets = Sockets(
            *(app, self._client, self._config.app_token, host.health, self._fail),
            count=self._config.connections,
            of=ways,
            address=address,
        )
        connecting = asyncio.ensure_future(sockets.connect())
        try:
            # Connecting lasts as long as Slack cannot be reached.
            await asyncio.wait(
                {connecting, self._failed}, return_when=asyncio.FIRST_COMPLETED
            )
            if not self._failed.done():
                await connecting
            yield
        finally:
            connecting.cancel()
            # A shutdown may cancel this while it ends by itself.
            await finish(_close(sockets, connecting))

    def _log_listening(self, host: Host) -> None:
        log.info("slack.listening team=%s user=%s", self._us.team, self._us.user)
        if not host.served.holds(self.name, self._us.team):
            log.warning(
                "slack.not_served team=%s It is not in THREADKEEP_WORKSPACES, so "
                "nobody there is answered.",
                self._us.team,
            )

    async def resolve_thread(self, turn: Turn) -> ThreadKey:
        """Return the thread of `turn`: on Slack it always exists."""
        return turn.thread

    def surface(self, turn: Turn) -> AbstractAsyncContextManager[SlackSurface]:
        """Open the reply to `turn`."""
        # Slack's answers may lack the header that lists the scopes.
        uploads = UPLOADING in (self._us.scopes or {UPLOADING})
        parts = (self._client, self._status, self._streams, turn)
        return open_surface(*parts, uploads=uploads)

    async def readable(self, messages: Sequence[Message]) -> list[tuple[str, str]]:
        """Return (author's name, text) of each message, with names for ids."""
        texts = [each.text for each in messages]
        size = sum(map(len, texts))
        authors = [each.author for each in messages]
        named = partial(mrkdwn.named, texts, authors, MOST_NAMES)
        users, channels = await offload(named, size)
        self._names.introduce({each.author: each.name for each in messages})
        names = await self._names.find(users, channels)
        read = partial(mrkdwn.read, texts, self._us.user, names)
        said = await offload(read, size)
        # Programs that post under several names have one id.
        authors = [names.get(e.author) or e.name or e.author for e in messages]
        return list(zip(authors, said, strict=True))

    def typed(self, message: Message) -> str:
        """Return the text of `message` without the bot's mention, and other mentions in
        the form of settings ("user:U1")."""
        return mrkdwn.tokens(mrkdwn.without_mention(message.text, self._us.user))

    async def tell(self, workspace: str, user: str, text: str) -> None:
        """Send `text` to one person as a direct message. Raises DeliveryError."""
        opened = await self._client.call("conversations.open", users=user)
        await self._client.call_when_allowed(
            "chat.postMessage",
            channel=str(opened["channel"]["id"]),
            text=mrkdwn.formatted(text, await self._display_names.find(text)),
        )

    def _fail(self, error: ConfigError) -> None:
        if not self._failed.done():
            self._failed.set_exception(error)
            # Mark the exception as retrieved: perhaps nothing awaits the future.
            self._failed.exception()


@contextlib.asynccontextmanager
async def connect(
    env: Mapping[str, str], *, listens: bool = True
) -> AsyncIterator[SlackAdapter]:
    """The Slack workspace that `env` names, signed in to. One that does not listen
    needs the bot token alone.

    Raises ConfigError when a token is missing or not accepted, Socket Mode is
    off, or Slack cannot be reached.
    """
    config = SlackConfig.from_env(env, listens=listens)
    async with open_client(config) as client:
        identity = await sign_in(client)
        sockets = listens and config.app_token
        address = await try_socket(client, config) if sockets else None
        for finding in scopes(identity):
            # A missing required scope is reported once somebody listens.
            if finding.grade is Grade.NOTE:
                log.warning("slack.scopes %s", finding.text)
        yield SlackAdapter(client, config, identity, address, listens=listens)


async def _close(sockets: Sockets, connecting: asyncio.Future[None]) -> None:
    await asyncio.wait({connecting})
    await sockets.close()
