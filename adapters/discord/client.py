"""The SDK's client, configured for the bot, and its errors mapped to ours.

discord.py waits for rate limits inside a call and retries server errors (platform facts
B4). `translated` turns the failures that remain into our errors.
"""

import asyncio
import contextlib
import logging
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket

from adapters.discord.config import PUBLIC_API, DiscordConfig
from adapters.discord.errors import Archived, BlockedByAutoMod, Forbidden, Hidden
from adapters.discord.global_rate_limit import (
    BURST,
    EACH,
    GlobalRateLimiter,
    trace_config,
)
from adapters.discord.parsing import State
from adapters.discord.rest_guilds import FRESH, RestGuilds
from bot.domain.call_lease import CallLease
from bot.domain.shard_range import ShardRange
from bot.errors import (
    AccessRevoked,
    ConfigError,
    DeliveryError,
    MessageGone,
    ThreadGone,
    ThreadkeepError,
    Throttled,
    Unfit,
)
from bot.messages import config as messages
from bot.ports.processes import Gateways
from bot.runtime.background import report

log = logging.getLogger(__name__)

# Error codes by meaning (platform facts B4).
UNFIT = {40005, 50006, 50035}
# The token of an interaction has expired, not the bot's: it lasts for 15 minutes.
EXPIRED = 50027
# Error codes of AutoMod, for a text that it blocks.
BLOCKED = {200000, 200001}
# A missing permission, or a locked thread.
FORBIDDEN = {50013, 160005}
LIMITED = {20028, 20029, 30046}
ARCHIVED = 50083
# A place that the bot cannot see.
HIDDEN = 50001
# An unknown message.
DELETED = 10008

NEW_TOKEN = messages.DISCORD_NEW_TOKEN

# Seconds to wait for a rate limit if Discord does not say how long.
DEFAULT_PAUSE = 60.0

# Time-out of one call in seconds, including the rate limits that discord.py waits for.
PATIENCE = 60.0

# How long Discord may take to send all guilds when a session starts, and how often the
# cache is checked meanwhile; both in seconds.
GREETING = 15.0
LOOK_AGAIN = 0.05

# The shortest and longest pause between a session that cannot be resumed and the next
# one, in seconds (facts B1).
PAUSE = (1.0, 5.0)

# The permissions that the bot uses (facts B7).
PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    read_message_history=True,
    attach_files=True,
    # For triage only.
    add_reactions=True,
)


class Gateway(discord.AutoShardedClient):
    """A client that caches guilds and channels, and no messages or members."""

    def __init__(
        self,
        config: DiscordConfig,
        limiter: GlobalRateLimiter,
        on_revoked: Callable[[], None],
    ) -> None:
        #: The intents that are sent when a session starts; may be changed until then.
        self.asked = discord.Intents.none()
        self.asked.guilds = True
        self.asked.guild_messages = self.asked.dm_messages = True
        super().__init__(
            intents=self.asked,
            # Messages are in the store; a cache would only cost memory.
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=PATIENCE / 2,
            shard_count=config.shards.count if config.shards else None,
            http_trace=trace_config(limiter, on_revoked),
        )
        if config.shards:
            self.shard_ids = config.shards.ids
        #: Waits until a shard may start a session; None to wait as the SDK does.
        self.before_session: Callable[[int], Awaitable[None]] | None = None
        self._begun: set[int] = set()

    def _get_state(self, **options: Any) -> Any:
        """Return the SDK's state, which parses every message."""
        return State(
            dispatch=self.dispatch,
            handlers=self._handlers,
            hooks=self._hooks,
            http=self.http,
            **options,
        )

    async def before_identify_hook(
        self, shard_id: int | None, *, initial: bool = False
    ) -> None:
        """Wait until the shard may start a session."""
        shard = shard_id or 0
        if self.before_session is None:
            await super().before_identify_hook(shard_id, initial=initial)
            return
        if shard in self._begun:
            # Discord requires a pause after a session that ended (facts B1).
            await asyncio.sleep(random.uniform(*PAUSE))
        self._begun.add(shard)
        await self.before_session(shard)

    async def close(self) -> None:
        """Close the client, and cancel the tasks that the SDK leaves behind. For some
        seconds after a session began, they wait for more guilds."""
        await super().close()
        state = self._connection
        for task in (state._ready_task, *state._ready_tasks.values()):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})

    async def on_error(self, event_method: str, /, *_: Any, **__: Any) -> None:
        """Log the failure of a listener, without its arguments, which contain
        messages."""
        error = sys.exception()
        assert isinstance(error, Exception)
        report(f"discord {event_method}", error)


class Link:
    """One bot's connection to Discord. Logging in again replaces its client."""

    def __init__(self, config: DiscordConfig, *, listens: bool = True) -> None:
        self._config = config
        #: Whether to open a gateway session.
        self.listens = listens
        self._client: Gateway | None = None
        self._guilds: RestGuilds | None = None
        self._limiter = GlobalRateLimiter()
        self._session: asyncio.Task[None] | None = None
        #: Set when Discord rejects the token.
        self._revoked = asyncio.Event()

    @property
    def client(self) -> Gateway:
        """The client, signed in."""
        assert self._client is not None, "sign in first"
        return self._client

    @property
    def us(self) -> int:
        """The id of the bot's user."""
        assert self.client.user is not None
        return self.client.user.id

    @property
    def files_url(self) -> yarl.URL | None:
        """A further address from which files may be downloaded: DISCORD_API_URL, or
        None if that is Discord's own."""
        url = self._config.api_url
        return None if url == PUBLIC_API else yarl.URL(url)

    @property
    def shards(self) -> ShardRange | None:
        """The shards of this process; None to run all shards that Discord
        recommends."""
        return self._config.shards

    @property
    def content(self) -> bool:
        """True if messages that do not address the bot arrive with their content."""
        return self.client.asked.message_content

    async def sign_in(self, content: str | None = None) -> None:
        """Replace the current client by a new one that is logged in.

        `content` overrides the configuration of the Message Content intent. Raises
        ConfigError if Discord cannot be reached or rejects the token.
        """
        try:
            await self.log_in(content)
        except AccessRevoked as error:
            raise ConfigError(
                messages.token_refused(variable="DISCORD_TOKEN", error=error)
            ) from error
        except DeliveryError as error:
            raise ConfigError(messages.discord_unreachable(error=error)) from error

    async def log_in(self, content: str | None = None) -> None:
        """Log in with a new client. Raises AccessRevoked if Discord rejects the token,
        or DeliveryError if Discord cannot be reached."""
        await self.close()
        self._client = client = Gateway(self._config, self._limiter, self._revoked.set)
        self._guilds = RestGuilds(client)
        async with translated("sign in"):
            await client.login(self._config.token)
        wish = content or self._config.message_content
        client.asked.message_content = wish == "on" or (
            wish == "auto" and may_read(client.application_flags)
        )

    async def guild(self, guild: int, fresh: float = FRESH) -> discord.Guild | None:
        """Return a guild from the cache; while a session is starting, wait up to
        GREETING seconds for the guild. A guild whose events do not arrive in this
        process is read by REST, unless that was done in the last `fresh` seconds.

        Returns None if the bot is not in the guild, or before the first session. Raises
        DeliveryError.
        """
        if not self.hears(guild):
            assert self._guilds is not None, "sign in first"
            async with translated("look up a server"):
                return await self._guilds.find(guild, fresh)
        left = GREETING if self._session is not None else 0.0
        while left > 0 and not self.client.is_ready():
            known = self.client.get_guild(guild)
            if known is not None and not known.unavailable:
                break
            # The SDK signals when it has all guilds, which is seconds later.
            left -= LOOK_AGAIN
            await asyncio.sleep(LOOK_AGAIN)
        return self.client.get_guild(guild)

    def share_calls(self, gateways: Gateways) -> None:
        """Share the global rate limit with all processes of `gateways`."""

        async def lease(want: int) -> CallLease:
            return await gateways.lease_calls(
                f"discord_calls:{self.us}", want, EACH, BURST
            )

        self._limiter.lease = lease

    async def ended(self) -> None:
        """Wait until Discord rejects the token in some call, then raise AccessRevoked.
        This is for a process without a gateway session."""
        await self._revoked.wait()
        raise AccessRevoked(NEW_TOKEN)

    def hears(self, guild: int) -> bool:
        """Return whether events of `guild` arrive in this process."""
        shards = self.shards
        if not self.listens or shards is None:
            return self.listens
        return shards.first <= (guild >> 22) % shards.count <= shards.last

    async def connect(self) -> None:
        """Receive events from the gateway until it closes.

        When cancelled, this leaves the gateway open until `close`, because events that
        arrive meanwhile are stored and Discord does not send them twice. Besides, the
        SDK may swallow the cancellation. Raises the SDK's errors, and AccessRevoked as
        soon as Discord rejects the token in any call.
        """
        self._session = asyncio.create_task(self.client.connect())
        revoked = asyncio.ensure_future(self._revoked.wait())
        try:
            await asyncio.wait(
                {self._session, revoked}, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            revoked.cancel()
        if self._revoked.is_set() and not self._session.done():
            raise AccessRevoked(NEW_TOKEN)
        await self._session

    async def close(self) -> None:
        """Close the client, if one is open."""
        await self._limiter.close()
        if self._client is not None:
            await self._client.close()
        if self._session is not None:
            # The session may be waiting to reconnect. Its error was raised by
            # `connect`.
            self._session.cancel()
            await asyncio.wait({self._session})
            self._session = None


def may_read(flags: discord.ApplicationFlags) -> bool:
    """Return whether the app's page grants the Message Content intent (facts B1)."""
    return flags.gateway_message_content or flags.gateway_message_content_limited


def invite(application: int) -> str:
    """Return the address at which an admin can add the bot with the permissions it
    needs."""
    return discord.utils.oauth_url(
        application,
        permissions=PERMISSIONS,
        scopes=("bot", "applications.commands"),
    )


@contextlib.asynccontextmanager
async def open_link(
    config: DiscordConfig, *, listens: bool = True
) -> AsyncIterator[Link]:
    """Yield a link that is signed in, and close it on exit. Raises ConfigError."""
    # The SDK stores its addresses in its classes, so they are global to the process.
    discord.http.Route.BASE = config.api_url
    if config.gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(config.gateway_url)
    link = Link(config, listens=listens)
    try:
        await link.sign_in()
        yield link
    finally:
        await link.close()


@contextlib.asynccontextmanager
async def translated(what: str) -> AsyncIterator[None]:
    """Map the SDK's errors to ours: Throttled, ThreadGone, Forbidden, Hidden, Archived,
    Unfit, Blocked, AccessRevoked, or another DeliveryError. After another
    DeliveryError, the operation `what` may have taken effect."""
    try:
        async with asyncio.timeout(PATIENCE):
            yield
    except discord.LoginFailure as error:
        raise AccessRevoked(NEW_TOKEN) from error
    except discord.RateLimited as error:
        raise Throttled(f"{what}: rate limited", error.retry_after) from error
    except discord.HTTPException as error:
        raise _meaning(what, error) from error
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise DeliveryError(f"{what}: {type(error).__name__}") from error
    except RuntimeError as error:
        # aiohttp raises RuntimeError for a session that was closed.
        raise DeliveryError(f"{what}: the connection is closed") from error
    except (KeyError, TypeError, ValueError) as error:
        # The SDK raises these if a proxy returns a page instead of the response.
        raise DeliveryError(f"{what}: the answer cannot be read") from error


def _meaning(what: str, error: discord.HTTPException) -> ThreadkeepError:
    # The error's own text is left out: it may quote the message that was sent.
    text = f"{what}: HTTP {error.status}, code {error.code}"
    if error.status == 401 and error.code != EXPIRED:
        return AccessRevoked(NEW_TOKEN)
    if error.code == DELETED:
        return MessageGone(text)
    if error.code == ARCHIVED:
        return Archived(text)
    if error.status == 429 or error.code in LIMITED:
        return Throttled(text, DEFAULT_PAUSE)
    if error.code in UNFIT:
        return Unfit(text)
    if error.code in BLOCKED:
        return BlockedByAutoMod(text)
    if error.code in FORBIDDEN:
        return Forbidden(text)
    if error.code == HIDDEN:
        return Hidden(text)
    # All other client errors are about permissions, or about something deleted.
    return ThreadGone(text) if 400 <= error.status < 500 else DeliveryError(text)
