"""The SDK's client, opened our way, and its errors in our words.

discord.py waits out rate limits inside a call and repeats what failed on Discord's
side (platform facts B4). What still fails comes up as one of our errors; above
this nobody names the SDK's.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket

from adapters.discord.config import DiscordConfig
from adapters.discord.global_rate_limit import traced
from bot.errors import (
    AccessRevoked,
    ConfigError,
    DeliveryError,
    ThreadGone,
    ThreadkeepError,
    Throttled,
)
from bot.runtime.background import report

log = logging.getLogger(__name__)

# Codes by what they mean for us (platform facts B4).
UNFIT = {40005, 50006, 50035}
# The token of an interaction is over, which is not ours: it lasts for 15 minutes.
EXPIRED = 50027
LIMITED = {20028, 20029, 30046}
ARCHIVED = 50083

NEW_TOKEN = (
    "Reset the token on your app's page on discord.com/developers/applications, "
    "under Bot, and set DISCORD_TOKEN to the new one."
)

# When Discord limits us and does not say for how long.
DEFAULT_PAUSE = 60.0

# How long one call may take, rate limits that discord.py waits out included.
PATIENCE = 60.0

# How long Discord takes to tell of all guilds when a session begins, in seconds.
GREETING = 15.0
LOOK_AGAIN = 0.05

# What the bot has use for, and nothing more (facts B7).
PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    read_message_history=True,
    # For triage alone.
    add_reactions=True,
)


class Unfit(DeliveryError):
    """Discord does not take this content, today or tomorrow."""


class Archived(DeliveryError):
    """The thread is archived: nothing in it can be edited (facts B6)."""


class Gateway(discord.AutoShardedClient):
    """A client that remembers who and where, and nothing of what is said."""

    def __init__(self, config: DiscordConfig, on_revoked: Callable[[], None]) -> None:
        #: Read when we identify; may be changed until then.
        self.asked = discord.Intents.none()
        self.asked.guilds = True
        self.asked.guild_messages = self.asked.dm_messages = True
        super().__init__(
            intents=self.asked,
            # What was said is in the store; a cache of it would only cost memory.
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=PATIENCE / 2,
            shard_count=config.shards,
            http_trace=traced(on_revoked),
        )

    async def on_error(self, event_method: str, /, *_: Any, **__: Any) -> None:
        """Say where a listener failed, and not with what: people said that."""
        error = sys.exception()
        assert isinstance(error, Exception)
        report(f"discord {event_method}", error)


class Link:
    """Discord as one bot reaches it: the client that is in use now."""

    def __init__(self, config: DiscordConfig) -> None:
        self._config = config
        self._client: Gateway | None = None
        self._hearing: asyncio.Task[None] | None = None
        #: Set when Discord does not accept our token any more.
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
    def content(self) -> bool:
        """Whether we are shown what people say without addressing us."""
        return self.client.asked.message_content

    async def sign_in(self, content: str | None = None) -> None:
        """Open a client in place of the one before.

        `content` goes before what the configuration says about the Message Content
        intent. Raises ConfigError when Discord cannot be reached or does not accept
        us.
        """
        try:
            await self.log_in(content)
        except AccessRevoked as error:
            raise ConfigError(f"DISCORD_TOKEN is not accepted. {error}") from error
        except DeliveryError as error:
            raise ConfigError(
                f"Discord cannot be reached ({error}): check the network and "
                "DISCORD_API_URL."
            ) from error

    async def log_in(self, content: str | None = None) -> None:
        """The same, raising AccessRevoked, or another error of ours when Discord cannot
        be reached now."""
        await self.close()
        self._client = client = Gateway(self._config, self._revoked.set)
        async with translated("sign in"):
            await client.login(self._config.token)
        wish = content or self._config.message_content
        client.asked.message_content = wish == "on" or (
            wish == "auto" and may_read(client.application_flags)
        )

    async def guild(self, guild: int) -> discord.Guild | None:
        """What we know of a guild; waits a little if we are only just being told.

        None where we are not, and before we listen at all.
        """
        left = GREETING if self._hearing is not None else 0.0
        while left > 0 and not self.client.is_ready():
            known = self.client.get_guild(guild)
            if known is not None and not known.unavailable:
                break
            # The SDK says when it was told of all guilds, and that takes it seconds.
            left -= LOOK_AGAIN
            await asyncio.sleep(LOOK_AGAIN)
        return self.client.get_guild(guild)

    async def connect(self) -> None:
        """Hear what comes over the gateway until it is over.

        When cancelled, this leaves the gateway open until `close`: what is said
        meanwhile is remembered, and Discord says nothing twice. And the SDK may
        swallow being cancelled. Raises the SDK's errors; and AccessRevoked as soon as
        any call meets that Discord does not accept our token.
        """
        self._hearing = asyncio.create_task(self.client.connect())
        revoked = asyncio.ensure_future(self._revoked.wait())
        try:
            await asyncio.wait(
                {self._hearing, revoked}, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            revoked.cancel()
        if self._revoked.is_set() and not self._hearing.done():
            raise AccessRevoked(NEW_TOKEN)
        await self._hearing

    async def close(self) -> None:
        """Close the client, if one is open."""
        if self._client is not None:
            await self._client.close()
        if self._hearing is not None:
            # It may be waiting to connect again. What ended it was said to whoever
            # waited for it.
            self._hearing.cancel()
            await asyncio.wait({self._hearing})
            self._hearing = None


def may_read(flags: discord.ApplicationFlags) -> bool:
    """Whether the app's page grants the Message Content intent (facts B1)."""
    return flags.gateway_message_content or flags.gateway_message_content_limited


def invite(application: int) -> str:
    """The address at which an admin adds the bot, with the least permissions."""
    return discord.utils.oauth_url(
        application,
        permissions=PERMISSIONS,
        scopes=("bot", "applications.commands"),
    )


@contextlib.asynccontextmanager
async def open_link(config: DiscordConfig) -> AsyncIterator[Link]:
    """A link that is signed in, and closed on leaving. Raises ConfigError."""
    # The SDK keeps its addresses in its classes, so they are one for the process.
    discord.http.Route.BASE = config.api_url
    if config.gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(config.gateway_url)
    link = Link(config)
    try:
        await link.sign_in()
        yield link
    finally:
        await link.close()


@contextlib.asynccontextmanager
async def translated(what: str) -> AsyncIterator[None]:
    """Turn the SDK's errors into ours: Throttled, ThreadGone, Archived, Unfit,
    AccessRevoked, or another DeliveryError; after the last it is not known whether
    `what` took effect."""
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
        # What aiohttp says of a session that was closed.
        raise DeliveryError(f"{what}: the connection is closed") from error
    except (KeyError, TypeError, ValueError) as error:
        # What the SDK stumbles over where a proxy's page stands for the answer.
        raise DeliveryError(f"{what}: the answer cannot be read") from error


def _meaning(what: str, error: discord.HTTPException) -> ThreadkeepError:
    # Not the error's own text: it may quote what we sent.
    text = f"{what}: HTTP {error.status}, code {error.code}"
    if error.status == 401 and error.code != EXPIRED:
        return AccessRevoked(NEW_TOKEN)
    if error.code == ARCHIVED:
        return Archived(text)
    if error.status == 429 or error.code in LIMITED:
        return Throttled(text, DEFAULT_PAUSE)
    if error.code in UNFIT:
        return Unfit(text)
    # All others that are our fault are about rights, or about what is no more.
    return ThreadGone(text) if 400 <= error.status < 500 else DeliveryError(text)
