"""Gateway sessions: the events they deliver, and how often one may be started.

Discord allows a bot 1,000 session starts a day and then resets its token (platform
facts B1), so a process that crashes and restarts in a loop must wait.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import discord

from adapters.discord import events
from adapters.discord.app_commands import Commands
from adapters.discord.client import Gateway, translated
from adapters.discord.message_listener import MessageListener
from adapters.discord.servers import Servers
from bot.errors import DeliveryError
from bot.ports.host import Health

log = logging.getLogger(__name__)

# With more session starts left than this, there is no wait. Restarts by an operator
# never use that many in a day.
PLENTY = 500


# What the gateway sends when a session begins or resumes, and says nothing of whether
# the intents of the bot let events through.
GREETINGS = {"READY", "RESUMED", "GUILD_CREATE"}


def attach(
    client: Gateway,
    listener: MessageListener,
    commands: Commands,
    servers: Servers,
    health: Health,
) -> None:
    """Register `listener`, `commands`, `servers` and `health` for the events of
    `client`."""

    async def on_message(message: discord.Message) -> None:
        if client.user is not None and message.author.id == client.user.id:
            health.heard(events.NAME, echo=str(message.id))
        await listener.received(message)

    async def on_socket_event_type(event: str) -> None:
        if event not in GREETINGS:
            health.heard(events.NAME)

    async def on_shard_disconnect(shard: int) -> None:
        health.lost(events.NAME, str(shard))

    async def on_shard_resumed(shard: int) -> None:
        health.connected(events.NAME, str(shard), of=client.shard_count or 1)

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

    async def on_shard_ready(shard: int) -> None:
        log.info("discord.session shard=%d", shard)
        health.connected(events.NAME, str(shard), of=client.shard_count or 1)
        await listener.catch_up(shard)

    async def on_ready() -> None:
        servers.look()

    async def on_guild_join(guild: discord.Guild) -> None:
        await servers.joined(guild)

    async def on_guild_remove(guild: discord.Guild) -> None:
        servers.removed(guild)

    for handler in (
        *(on_message, on_raw_message_edit, on_raw_message_delete),
        *(on_raw_bulk_message_delete, on_interaction, on_shard_ready),
        *(on_ready, on_guild_join, on_guild_remove),
        *(on_raw_thread_delete, on_guild_channel_delete, on_socket_event_type),
        *(on_shard_disconnect, on_shard_resumed),
    ):
        client.event(handler)


async def identify_in_time(
    client: Gateway, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Wait until a session may be started, so that the starts last the whole day."""
    while True:
        try:
            async with translated("ask for a session"):
                limits = await client.fetch_session_start_limits()
        except DeliveryError as error:
            # Connecting fails in the same way, and retries by itself.
            log.warning("discord.unlimited %s", error)
            return
        if limits.remaining > PLENTY:
            return
        left = limits.reset_after / 1000
        wait = left / max(1, limits.remaining)
        log.warning(
            "discord.too_many_starts remaining=%d waiting=%.0f Something starts this "
            "bot again and again.",
            limits.remaining,
            wait,
        )
        await sleep(wait)
        if limits.remaining:
            return
