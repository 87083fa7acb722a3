"""Gateway sessions: the events they deliver, and how often one may be started.

Discord allows a bot 1,000 session starts a day and then resets its token (platform
facts B1), so a process that crashes and restarts in a loop must wait.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import discord

from adapters.discord import events
from adapters.discord.app_commands import Commands
from adapters.discord.catching_up import CatchingUp
from adapters.discord.client import Gateway, Link, translated
from adapters.discord.message_listener import MessageListener
from adapters.discord.servers import Servers
from bot.domain.shard_range import ShardRange
from bot.errors import ConfigError, DeliveryError, StorageError
from bot.messages import config as messages
from bot.messages.check import PROBE
from bot.ports.host import Health
from bot.ports.processes import Gateways

log = logging.getLogger(__name__)

# With more session starts left than this, there is no wait. Restarts by an operator
# never use that many in a day.
PLENTY = 500

# Seconds between two session starts with the same rate limit key: the number of the
# shard modulo the number of starts that Discord allows at once (facts B1). A little
# more than Discord requires, because starts may arrive closer together than they were
# sent.
SPACE = 5.25


# Events that arrive when a session begins or resumes. They do not show whether the
# bot's intents let other events through.
GREETINGS = {"READY", "RESUMED", "GUILD_CREATE"}


def attach(
    client: Gateway,
    listener: MessageListener,
    catching_up: CatchingUp,
    commands: Commands,
    servers: Servers,
    health: Health,
) -> None:
    """Register `listener`, `catching_up`, `commands`, `servers` and `health` for the
    events of `client`."""

    async def on_message(message: discord.Message) -> None:
        is_ours = client.user is not None and message.author.id == client.user.id
        if is_ours and message.content == PROBE:
            health.heard(events.NAME, echo=str(message.id))
        await listener.received(message)

    async def on_socket_event_type(event: str) -> None:
        if event not in GREETINGS:
            health.heard(events.NAME)

    def sessions() -> int:
        return len(client.shard_ids or range(client.shard_count or 1))

    async def on_shard_disconnect(shard: int) -> None:
        health.lost(events.NAME, str(shard))

    async def on_shard_resumed(shard: int) -> None:
        health.connected(events.NAME, str(shard), of=sessions())

    async def on_raw_message_edit(payload: discord.RawMessageUpdateEvent) -> None:
        await listener.edited(payload.message)

    async def on_raw_message_delete(payload: discord.RawMessageDeleteEvent) -> None:
        await listener.deleted(payload.guild_id, [payload.message_id])

    async def on_raw_bulk_message_delete(
        payload: discord.RawBulkMessageDeleteEvent,
    ) -> None:
        await listener.deleted(payload.guild_id, sorted(payload.message_ids))

    async def on_raw_thread_delete(payload: discord.RawThreadDeleteEvent) -> None:
        await listener.thread_deleted(
            payload.guild_id, payload.parent_id, payload.thread_id
        )

    async def on_guild_channel_delete(channel: discord.abc.GuildChannel) -> None:
        await listener.channel_deleted(channel.guild.id, channel.id)

    async def on_interaction(interaction: discord.Interaction[Gateway]) -> None:
        controls = (
            discord.InteractionType.component,
            discord.InteractionType.modal_submit,
        )
        if interaction.type in controls:
            await commands.submitted(interaction)

    async def on_shard_connect(shard: int) -> None:
        await catching_up.connected(shard)

    async def on_shard_ready(shard: int) -> None:
        log.info("discord.session shard=%d", shard)
        health.connected(events.NAME, str(shard), of=sessions())
        await catching_up.began(shard)

    async def on_ready() -> None:
        servers.look()

    async def on_guild_join(guild: discord.Guild) -> None:
        await servers.joined(guild)

    async def on_guild_unavailable(guild: discord.Guild) -> None:
        catching_up.guild_lost(guild.id, time.time())

    async def on_guild_available(guild: discord.Guild) -> None:
        await catching_up.guild_found(guild)

    async def on_guild_remove(guild: discord.Guild) -> None:
        servers.removed(guild)

    for handler in (
        *(on_message, on_raw_message_edit, on_raw_message_delete),
        *(on_raw_bulk_message_delete, on_interaction, on_shard_ready),
        *(on_ready, on_guild_join, on_guild_remove),
        *(on_raw_thread_delete, on_guild_channel_delete, on_socket_event_type),
        *(on_shard_connect, on_shard_disconnect, on_shard_resumed),
        *(on_guild_unavailable, on_guild_available),
    ):
        client.event(handler)


@dataclass(frozen=True, slots=True)
class Starts:
    """Discord's limits on session starts."""

    #: The number of shards that Discord recommends; None if it is not known.
    recommended: int | None = None
    #: How many sessions may be started at once.
    at_once: int = 1


async def identify_in_time(
    client: Gateway, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Starts:
    """Wait until a session can be started without exhausting the starts of a day, and
    return the limits for starting it."""
    while True:
        try:
            async with translated("ask for a session"):
                shards, _, limits = await client.http.get_bot_gateway()
                starts = Starts(shards, max(1, limits["max_concurrency"]))
                remaining = limits["remaining"]
                left = limits["reset_after"] / 1000
        except (DeliveryError, discord.GatewayNotFound) as error:
            # Connecting fails in the same way, and retries by itself.
            log.warning("discord.unlimited %s", error)
            return Starts()
        if remaining > PLENTY:
            return starts
        wait = left / max(1, remaining)
        log.warning(
            "discord.too_many_starts remaining=%d waiting=%.0f Something starts this "
            "bot again and again.",
            remaining,
            wait,
        )
        await sleep(wait)
        if remaining:
            return starts


class SessionTurns:
    """Spaces the session starts of `bot`: those of all processes if `gateways` is
    given, else those of this process."""

    def __init__(
        self,
        gateways: Gateways | None,
        bot: str,
        at_once: int,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._gateways = gateways
        self._bot = bot
        self._at_once = at_once
        self._sleep = sleep
        #: When this process may start the next session, by rate limit key.
        self._next: dict[int, float] = {}

    async def wait(self, shard: int) -> None:
        """Wait until `shard` may start a session."""
        key = shard % self._at_once
        now = time.monotonic()
        wait = max(0.0, self._next.get(key, now) - now)
        if self._gateways is not None:
            try:
                turn = f"{events.NAME}:{self._bot}:{key}"
                wait = max(wait, await self._gateways.take_slot(turn, SPACE))
            except StorageError as error:
                # Discord ends a session that begins too soon, and the SDK then retries.
                log.warning("discord.no_turn shard=%d %s", shard, error)
                wait = SPACE
        self._next[key] = now + wait + SPACE
        if wait > 0:
            log.info("discord.turn shard=%d waiting=%.1f", shard, wait)
            await self._sleep(wait)


async def take_turns(link: Link, starts: Starts, gateways: Gateways | None) -> None:
    """Claim the shards of `link`, and space its session starts. Raises ConfigError if
    the shards partly overlap those of another process, or StorageError."""
    bot, shards = str(link.us), link.shards
    if shards is None and starts.recommended:
        shards = ShardRange(0, starts.recommended - 1, starts.recommended)
    if gateways is not None and shards is not None:
        await _claim(gateways, bot, shards)
    turns = SessionTurns(gateways, bot, starts.at_once)
    link.client.before_session = turns.wait


async def _claim(gateways: Gateways, bot: str, shards: ShardRange) -> None:
    others = await gateways.claim_shards(bot, shards)
    for other in others:
        if shards.crosses(other):
            raise ConfigError(messages.shards_cross(ours=shards, theirs=other))
    if shards in others:
        log.info("discord.second_gateway shards=%s", shards)
    if counts := {each.count for each in others} - {shards.count}:
        log.warning(
            "discord.shard_counts_differ ours=%d theirs=%s Until the others end, some "
            "events arrive twice.",
            shards.count,
            ",".join(map(str, sorted(counts))),
        )
