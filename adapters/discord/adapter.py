"""The Discord adapter: receives events from the gateway and opens surfaces for
replies."""

import contextlib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import discord

from adapters.discord import events, gateway, markup
from adapters.discord.app_commands import Commands, Tree, register
from adapters.discord.attaching import AttachRights
from adapters.discord.catching_up import CatchingUp
from adapters.discord.channels import Channels
from adapters.discord.client import Link, open_link
from adapters.discord.config import DiscordConfig
from adapters.discord.directory import DiscordDirectory
from adapters.discord.file_source import DiscordFiles
from adapters.discord.global_rate_limit import MOST, SECONDS
from adapters.discord.history import MessageHistory
from adapters.discord.members import People
from adapters.discord.message_listener import MessageListener
from adapters.discord.messages import DiscordMessenger
from adapters.discord.name_cache import NameCache
from adapters.discord.probes import DiscordProber
from adapters.discord.servers import Servers
from adapters.discord.surface import DiscordSurface, open_surface
from adapters.discord.threads import ThreadResolver
from bot.domain.message import Message
from bot.domain.platform import EditInterval, Limits, Rate, RateLimitScope, WriteKind
from bot.domain.reply import MORE
from bot.domain.scope import ThreadKey
from bot.domain.turn import Turn
from bot.errors import AccessRevoked, ConfigError, DeliveryError
from bot.messages import config as messages
from bot.messages.controls import HINT, NAME_CHANNEL_DISCORD
from bot.ports.host import Host
from bot.ports.wakeups import PeriodicTask
from bot.runtime.background import Background

log = logging.getLogger(__name__)

# Discord allows five writes in five seconds per channel (facts B4), and a thread is a
# channel. The period here is longer, so that no sixth write falls within five seconds:
# discord.py would delay it, and its text would be out of date. If the headers allow
# fewer writes, discord.py returns from the call that exhausts them only when the next
# is allowed, so the next write carries the newest text.
_PER_THREAD = Rate(5, 5.25, RateLimitScope.THREAD, burst=5, slides=True)

# All calls of a bot pass through `GlobalRateLimiter`, which would delay a write whose
# text is already fixed. The same limit is applied here first, so that a delayed write
# carries the newest text.
_ALL = Rate(MOST, SECONDS[0], RateLimitScope.BOT, burst=MOST, slides=True)

LIMITS = Limits(
    # Discord takes 2,000 characters (facts B5); some are reserved for the marker of a
    # text that continues.
    part_chars=2_000 - len(MORE),
    # An answer of one word that ends within this time takes one write.
    settle=0.25,
    rates={
        WriteKind.POST: (_ALL, _PER_THREAD),
        WriteKind.EDIT: (_ALL, _PER_THREAD),
    },
    # If there are so many answers that each gets fewer edits, the answers take turns.
    # The first edit may come sooner, since posts are counted apart.
    paces={WriteKind.EDIT: EditInterval(first=0.5, last=1.05, grown=300, fewest=8)},
    # About as many as a phone shows at once. Discord documents no number; with fewer
    # lines, answers are split into too many messages.
    part_lines=30,
    tables=False,
    images=False,
    naming=NAME_CHANNEL_DISCORD,
)


class DiscordAdapter:
    """The adapter of one Discord bot, in all its guilds."""

    name = events.NAME

    def __init__(self, link: Link) -> None:
        self._link = link
        self._names = NameCache(link)
        self._threads = ThreadResolver(link, self._names)
        self._rights = AttachRights()
        self._people = People(link)
        self.directory = DiscordDirectory(
            link, self._people, Channels(link, self._people), self._names
        )
        self.history = MessageHistory(link, self._names)
        self.files = DiscordFiles(link)
        self.messenger = DiscordMessenger(link, self._names)
        self.prober = DiscordProber(link)
        self.periodic_tasks: Sequence[PeriodicTask] = ()
        self.limits = LIMITS
        self._listened = False
        self._hint()

    async def run(self, host: Host) -> None:
        """Receive events until cancelled. An adapter that does not listen only waits.
        Raises ConfigError if Discord rejects the bot."""
        if self._listened:
            # A client that failed cannot be used again.
            await self._link.log_in()
            self._hint()
        self._listened = True
        if host.gateways is not None:
            self._link.share_calls(host.gateways)
        if not self._link.listens:
            host.health.local(self.name)
            await self._link.ended()
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

    async def resolve_thread(self, turn: Turn) -> ThreadKey:
        """Return the key of the thread of `turn`. A question asked by command is posted
        first if no message shows it yet. Raises DeliveryError or AccessRevoked."""
        return await self._threads.resolve(turn)

    def surface(self, turn: Turn) -> AbstractAsyncContextManager[DiscordSurface]:
        """Open the reply to `turn`."""
        return open_surface(self._link, self._threads, self._rights, turn)

    async def readable(self, messages: Sequence[Message]) -> list[tuple[str, str]]:
        """Return (author's name, text) of each message, with names for ids."""
        return await self._names.readable_all(messages)

    def typed(self, message: Message) -> str:
        """Return the text of `message` without the bot's mention, and other mentions in
        the form of settings ("user:1")."""
        ours = [str(self._link.us)]
        guild = events.guild_of(message.thread)
        home = self._link.client.get_guild(guild) if guild else None
        if home is not None and home.self_role is not None:
            ours.append(str(home.self_role.id))
        return markup.tokens(markup.without_mention(message.text, *ours))

    async def tell(self, workspace: str, user: str, text: str) -> None:
        """Send `text` to one person as a direct message. Raises DeliveryError."""
        await self._people.tell(user, text)

    async def _listen(self, host: Host) -> None:
        """Receive events until cancelled. Raises ConfigError if Discord rejects the
        bot."""
        client = self._link.client
        servers = Servers(self._link, host)
        refused = servers.require_permissions
        listener = MessageListener(
            self._link, self._threads, self._names, host, refused
        )
        commands = Commands(
            *(self._link, self._threads, self._names, self._people, host)
        )
        tree = commands.tree()
        async with Background() as background:
            catching_up = CatchingUp(self._link, listener, host, background)
            gateway.attach(
                *(client, listener, catching_up, commands, servers, host.health)
            )
            servers.begin()
            try:
                await self._receive(host, tree)
            finally:
                background.cancel()

    async def _receive(self, host: Host, tree: Tree) -> None:
        client = self._link.client
        try:
            await register(tree)
        except DeliveryError as error:
            # The commands registered earlier still work.
            log.error("discord.not_registered %s", error)
        starts = await gateway.identify_in_time(client)
        await gateway.take_turns(self._link, starts, host.gateways)
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
            raise _refusal(error) from error

    def _hint(self) -> None:
        hint = "" if self._link.content else HINT
        self.limits = replace(self.limits, hint=hint)


@contextlib.asynccontextmanager
async def connect(
    env: Mapping[str, str], *, listens: bool = True
) -> AsyncIterator[DiscordAdapter]:
    """Yield an adapter that is signed in to Discord. If `listens` is False, the adapter
    opens no gateway session and uses REST only.

    Raises ConfigError if the token is missing or rejected, or Discord cannot be
    reached.
    """
    async with open_link(DiscordConfig.from_env(env), listens=listens) as link:
        yield DiscordAdapter(link)


def _refusal(error: discord.ConnectionClosed) -> ConfigError:
    """Return the error for a gateway that closed for good (facts B1)."""
    if error.code == 4004:
        return AccessRevoked(messages.DISCORD_TOKEN_REVOKED)
    if error.code in (4010, 4011):
        return ConfigError(messages.DISCORD_SHARDS)
    return ConfigError(messages.discord_closed(code=error.code))
