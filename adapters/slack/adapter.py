"""The Slack adapter: receives events over Socket Mode, opens surfaces for replies.

Rule: persist, then acknowledge. Bolt acknowledges an event before its listener runs,
so events are handled in a middleware in front of everything: one that raises there is
not acknowledged, and Slack sends it again (platform facts A4). For the same reason,
events beyond a limit are refused there at once.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.response import BoltResponse

from adapters.slack import events, mentions, mrkdwn, organisations
from adapters.slack.channels import Channels
from adapters.slack.check import SCOPES, lacking, scopes
from adapters.slack.client import Identity, SlackClient, open_client
from adapters.slack.config import SlackConfig
from adapters.slack.directory import SlackDirectory
from adapters.slack.display_names import DisplayNames
from adapters.slack.file_source import SlackFiles
from adapters.slack.greeting import Greeting
from adapters.slack.history import MessageHistory
from adapters.slack.interactions import Interactions
from adapters.slack.members import People
from adapters.slack.mention_pairs import MentionPairs
from adapters.slack.messages import SlackMessenger
from adapters.slack.name_cache import MOST_NAMES, NameCache
from adapters.slack.native_streams import Streams
from adapters.slack.probes import SlackProber
from adapters.slack.signing_in import sign_in, try_socket
from adapters.slack.surface import SlackSurface, open_surface
from adapters.slack.thinking_status import Status
from adapters.slack.uploads import UPLOADING
from bot.domain.finding import Grade
from bot.domain.message import Message
from bot.domain.platform import EditInterval, Limits, Rate, RateLimitScope, WriteKind
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import Turn
from bot.errors import AccessRevoked, ConfigError, DeliveryError, StorageError
from bot.messages import operator
from bot.messages.controls import NAME_CHANNEL_SLACK
from bot.ports.host import Health, Host
from bot.runtime.allowance import Allowance
from bot.runtime.background import Background, finish, report
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

# How often the SDK checks the socket, in seconds. After a loss, events wait for the
# next check; with more frequent ones, a slow pong would count as a loss.
PING = 5.0

# How many events are handled at once: the SDK starts a task for each (platform facts
# A4), and one may hold 40,000 characters. Further events are not acknowledged.
MOST_EVENTS = 2_000

# Seconds between attempts to reconnect; they double.
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0


class _Crowded(Exception):
    """Too many events are being handled; Slack is to send this one again."""


class SlackAdapter:
    """One Slack workspace."""

    name = "slack"

    def __init__(
        self,
        client: SlackClient,
        config: SlackConfig,
        identity: Identity,
        address: str | None,
    ) -> None:
        self.limits = LIMITS
        self._client = client
        self._address = address
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
        self._pause = FIRST_PAUSE
        self._events = Allowance(MOST_EVENTS)
        #: How many events in a row the store refused.
        self._unkept = 0

    async def run(self, host: Host) -> None:
        """Receive events until cancelled. Raises ConfigError if Slack rejects a
        token."""
        self._require_scopes(host)
        async with Background(lambda _, error: self._fail(error)) as background:
            interactions = Interactions(
                *(self._client, self._people, self._display_names, self._channels),
                *(self._us, host, background),
            )
            try:
                await self._listen(host, interactions)
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

    async def _listen(self, host: Host, interactions: Interactions) -> None:
        async def spool(body: dict[str, Any]) -> BoltResponse:
            # Commands that outlast their acknowledgement are bounded, too.
            if len(interactions.going_on) >= MOST_EVENTS:
                self._events.refused += 1
                raise _Crowded
            if not self._events.take():
                raise _Crowded
            try:
                response = await take(body)
            finally:
                if refused := self._events.give():
                    log.info("slack.events_taken_again refused=%d", refused)
            if self._unkept:
                log.info("slack.acknowledging_again refused=%d", self._unkept)
                self._unkept = 0
            return response

        async def take(body: dict[str, Any]) -> BoltResponse:
            host.health.heard(self.name, events.own(body, self._us))
            if (answer := await interactions.take(body)) is not None:
                return BoltResponse(status=200, body=answer or "")
            if not events.is_ours(body, self._us):
                return BoltResponse(status=200, body="")
            inbox = host.inbox
            event = body.get("event") or {}
            added = mentions.is_added(event, self._us)
            message = await self._converted(events.read, body)
            edited = await self._converted(events.edited, body) if added else None
            if new := message or edited:
                # What its other event has beside the text may make it a question.
                await self._pairs.wait(event)
                self._names.introduce({new.author: new.name})
                self._streams.introduce(new.author, organisations.team(event))
                if added:
                    await inbox.amend(new, newly_addressed=True)
                else:
                    await inbox.receive(new)
                self._pairs.handled(event)
            elif previewed := await self._converted(events.previewed, body):
                await inbox.supplement(previewed)
            elif edited := await self._converted(events.edited, body):
                await inbox.amend(edited)
            elif gone := events.deleted(body):
                channel, ts = gone
                await inbox.erase(self.name, self._us.team, [ts], channel)
            elif deleted := events.closed(body):
                await inbox.forget(Scope(self.name, self._us.team, deleted))
            # Other events are acknowledged, too, or Slack repeats them.
            return BoltResponse(status=200, body="")

        # Without a name, Bolt searches the source of every loaded module for one, which
        # takes half a second at every start.
        app = AsyncApp(
            name="threadkeep",
            client=self._client.web,
            before_authorize=spool,
            # Its own loggers would inherit the root's level, and at DEBUG they log
            # messages.
            logger=logging.getLogger("slack_bolt"),
        )
        app.error(self._not_acknowledged)
        handler = AsyncSocketModeHandler(
            app, self._config.app_token, ping_interval=PING
        )
        # The SDK's queue is unbounded. It is emptied in every iteration of the loop, so
        # waiting for room here is brief.
        handler.client.message_queue = asyncio.Queue(MOST_EVENTS)
        # The SDK reconnects by itself without pauses or end, and logs the raw error;
        # this way it backs off, and the log says what to do.
        opened = partial(self._open_socket, host.health)
        handler.client.issue_new_wss_url = opened  # type: ignore[method-assign]
        handler.client.on_message_listeners.append(Greeting(host.health).take)
        connecting = asyncio.ensure_future(_connect(handler))
        try:
            # Connecting lasts as long as Slack cannot be reached.
            await asyncio.wait(
                {connecting, self._failed}, return_when=asyncio.FIRST_COMPLETED
            )
            if not self._failed.done():
                await connecting
                self._log_listening(host)
            # Shielded: other calls may wait for it, too.
            await asyncio.shield(self._failed)
        finally:
            connecting.cancel()
            # A shutdown may cancel this while it ends by itself.
            await finish(_close(handler, connecting))

    async def _converted(
        self,
        convert: Callable[[Mapping[str, Any], Identity], Message | None],
        body: Mapping[str, Any],
    ) -> Message | None:
        # Long attachments are read in some milliseconds; `repr` is much faster.
        return await offload(partial(convert, body, self._us), len(repr(body)))

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

    async def _open_socket(self, health: Health) -> str:
        """Return a new address for the SDK to connect to, retrying without limit.

        Ends the adapter if Slack rejects the token.
        """
        # The SDK asks for one when it has none, or its connection is broken.
        health.lost(self.name)
        if address := self._address:
            # The one opened at sign-in to test the token.
            self._address = None
            return address
        while True:
            try:
                address = await self._client.open_socket(self._config.app_token)
            except AccessRevoked as error:
                self._fail(error)
                # The SDK would log any other error and retry.
                raise asyncio.CancelledError from error
            except DeliveryError as error:
                log.warning("slack.unreachable again_in=%.0f %s", self._pause, error)
                await asyncio.sleep(self._pause)
                self._pause = min(LONGEST_PAUSE, self._pause * 2)
            else:
                self._pause = FIRST_PAUSE
                return address

    async def _not_acknowledged(self, error: Exception) -> None:
        if isinstance(error, _Crowded):
            if self._events.refused == 1:
                log.error("slack.events_refused under_way=%d", self._events.used)
            return
        if not isinstance(error, StorageError):
            report("take in an event", error)
            return
        # Once: while a disk is full, every event fails in the same way.
        self._unkept += 1
        if self._unkept == 1:
            log.error("slack.not_acknowledged %s", error)

    def _fail(self, error: ConfigError) -> None:
        if not self._failed.done():
            self._failed.set_exception(error)
            # Mark the exception as retrieved: perhaps nothing awaits the future.
            self._failed.exception()


@contextlib.asynccontextmanager
async def connect(env: Mapping[str, str]) -> AsyncIterator[SlackAdapter]:
    """The Slack workspace that `env` names, signed in to.

    Raises ConfigError when a token is missing or not accepted, Socket Mode is
    off, or Slack cannot be reached.
    """
    config = SlackConfig.from_env(env)
    async with open_client(config) as client:
        identity = await sign_in(client)
        address = await try_socket(client, config)
        for finding in scopes(identity):
            # A missing required scope is reported once somebody listens.
            if finding.grade is Grade.NOTE:
                log.warning("slack.scopes %s", finding.text)
        yield SlackAdapter(client, config, identity, address)


async def _connect(handler: AsyncSocketModeHandler) -> None:
    await handler.connect_async()  # type: ignore[no-untyped-call]


async def _close(
    handler: AsyncSocketModeHandler, connecting: asyncio.Future[None]
) -> None:
    await asyncio.wait({connecting})
    await handler.close_async()  # type: ignore[no-untyped-call]
