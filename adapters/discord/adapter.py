"""Listens to Discord's gateway, and hands out surfaces to answer on."""

import contextlib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import discord

from adapters.discord import events, gateway, ids, messages
from adapters.discord.app_commands import Commands, register
from adapters.discord.channels import Channels
from adapters.discord.client import Link, open_link, translated
from adapters.discord.config import DiscordConfig
from adapters.discord.history import MessageHistory
from adapters.discord.members import People
from adapters.discord.message_listener import MessageListener
from adapters.discord.name_cache import NameCache
from adapters.discord.servers import Servers
from adapters.discord.surface import DiscordSurface, open_surface
from adapters.discord.threads import ThreadResolver
from bot.domain.channel_access import ChannelAccess
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.platform import EditInterval, Limits, Rate, RateLimitScope, WriteKind
from bot.domain.reply import MORE
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import Turn
from bot.errors import AccessRevoked, ConfigError, DeliveryError
from bot.ports.platform import Host
from bot.ui.elements import Response

log = logging.getLogger(__name__)

LIMITS = Limits(
    # Discord takes 2,000 characters (facts B5); some of them are for what is added
    # to a text that goes on.
    part_chars=2_000 - len(MORE),
    # A few words of Claude's.
    settle=0.25,
    # Five writes in five seconds and channel (facts B4); a thread is a channel. Evenly
    # spread, six never come within five seconds: discord.py would hold the sixth
    # back, and the newest text behind it. Where the headers tell of less, it does not
    # return from the call that spends it before the next is taken, so that the next is
    # asked for then, with the newest text.
    rates={
        way: (Rate(count=19, seconds=20.0, scope=RateLimitScope.THREAD),)
        for way in (WriteKind.POST, WriteKind.EDIT)
    },
    # All of a bot's answers share 50 calls a second, so long ones are shown less often.
    paces={WriteKind.EDIT: EditInterval(first=1.05, last=2.0, grown=1_500, fewest=8)},
    # About what a phone shows of one message at once. Discord says nothing of a
    # number; bots that keep to fewer are told that their answers fall apart.
    part_lines=30,
    tables=False,
    images=False,
    naming="Type # and choose the channel from the list, or paste its ID.",
)

HINT = "I only see messages here that mention me or reply to me: do either to go on."

# How long, in seconds, people see what matters only for a moment.
NOTICED = 20.0


class DiscordAdapter:
    """One bot, in all the guilds that it was added to."""

    name = events.NAME

    def __init__(self, link: Link) -> None:
        self._link = link
        self._names = NameCache(link)
        self._places = ThreadResolver(link, self._names)
        self._past = MessageHistory(link, self._names)
        self._people = People(link)
        self._channels = Channels(link, self._people)
        self.limits = LIMITS
        self._listened = False
        self._hint()

    async def run(self, host: Host) -> None:
        """See `bot.ports.platform.Adapter`."""
        if self._listened:
            # The client that failed is of no use any more.
            await self._link.log_in()
            self._hint()
        self._listened = True
        try:
            await self._listen(host)
        except discord.PrivilegedIntentsRequired:
            log.warning(
                "discord.no_message_content The app's page does not grant the Message "
                "Content intent: people must mention the bot or reply to it."
            )
            await self._link.sign_in(content="off")
            self._hint()
            await self._listen(host)

    async def settle(self, turn: Turn) -> ThreadKey:
        """See `bot.ports.platform.Adapter`."""
        return await self._places.settle(turn)

    def surface(self, turn: Turn) -> AbstractAsyncContextManager[DiscordSurface]:
        """See `bot.ports.platform.Adapter`."""
        return open_surface(self._link, self._places, turn)

    async def readable(self, heard: Sequence[Message]) -> list[tuple[str, str]]:
        """See `bot.ports.platform.Adapter`."""
        return await self._names.readable_all(heard)

    async def person(self, place: Scope, user: str) -> Person:
        """See `bot.ports.platform.Adapter`."""
        return await self._people.person(place, user)

    async def access(self, place: Scope, user: str) -> ChannelAccess:
        """See `bot.ports.platform.Adapter`."""
        return await self._channels.access(place, user)

    def is_direct(self, place: Scope) -> bool:
        """See `bot.ports.platform.Adapter`."""
        return place.workspace == events.NO_GUILD

    async def tell(self, workspace: str, user: str, text: str) -> None:
        """See `bot.ports.platform.Adapter`."""
        await self._people.tell(user, text)

    async def notice(self, heard: Message, text: str) -> None:
        """See `bot.ports.platform.Adapter`. There is nothing here that only one person
        sees, so it is said quietly, and taken away again."""
        here = ids.number(heard.thread.thread, "notice")
        message = ids.number(heard.message, "notice")
        channel = self._link.client.get_partial_messageable(here)
        async with translated("notice"):
            await channel.send(
                text,
                reference=channel.get_partial_message(message),
                allowed_mentions=discord.AllowedMentions.none(),
                silent=True,
                delete_after=NOTICED,
            )

    async def history(self, thread: ThreadKey, before: str) -> list[Message]:
        """See `bot.ports.platform.Adapter`."""
        return await self._past.history(thread, before)

    async def recent(
        self, place: Scope, most: int, since: float | None = None
    ) -> list[Message]:
        """See `bot.ports.platform.Adapter`."""
        return await self._past.recent(place, most, since)

    async def mark(self, place: Scope, message: str, sign: str) -> None:
        """See `bot.ports.platform.Adapter`."""
        await messages.mark(self._link, place, message, sign)

    async def post(self, place: Scope, told: Response, about: str = "") -> None:
        """See `bot.ports.platform.Adapter`."""
        await messages.post(self._link, place, told, about)

    async def link(self, place: Scope, message: str) -> str:
        """See `bot.ports.platform.Adapter`."""
        return messages.address(place, message)

    async def _listen(self, host: Host) -> None:
        """Hear until cancelled. Raises ConfigError when Discord turns us away."""
        client = self._link.client
        ears = MessageListener(self._link, self._places, self._names, host)
        commands = Commands(
            *(self._link, self._places, self._names, self._people, host)
        )
        tree = commands.tree()
        servers = Servers(self._link, host.served)
        gateway.attach(client, ears, commands, servers)
        servers.begin()
        try:
            await register(tree)
        except DeliveryError as error:
            # What was registered before still works.
            log.error("discord.not_registered %s", error)
        await gateway.identify_in_time(client)
        log.info(
            "discord.listening user=%s message_content=%s",
            self._link.us,
            "yes" if self._link.content else "no",
        )
        try:
            await self._link.connect()
        except discord.PrivilegedIntentsRequired:
            raise
        except discord.ConnectionClosed as error:
            raise _refused(error) from error

    def _hint(self) -> None:
        hint = "" if self._link.content else HINT
        self.limits = replace(self.limits, hint=hint)


@contextlib.asynccontextmanager
async def connect(env: Mapping[str, str]) -> AsyncIterator[DiscordAdapter]:
    """The bot that `env` names, signed in to Discord.

    Raises ConfigError when the token is missing or not accepted, or Discord cannot be
    reached.
    """
    async with open_link(DiscordConfig.from_env(env)) as link:
        yield DiscordAdapter(link)


def _refused(error: discord.ConnectionClosed) -> ConfigError:
    """Why the gateway does not take us, and never will (facts B1)."""
    if error.code == 4004:
        return AccessRevoked("Discord no longer accepts DISCORD_TOKEN: set a new one.")
    if error.code in (4010, 4011):
        return ConfigError(
            "Discord wants more connections for so many servers: set DISCORD_SHARDS "
            "higher, or leave it out."
        )
    return ConfigError(f"Discord closed the connection for good (code {error.code}).")
