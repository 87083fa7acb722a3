"""States what Discord says about people: who they are, and what they hold where.

Rule: facts only; whether somebody may is decided in the core. In direct messages
nobody runs anything.
"""

import time
from collections.abc import Callable

import discord

from adapters.discord import drawing, events, ids
from adapters.discord.client import Link, translated
from bot.dialogue import Told
from bot.errors import DeliveryError
from bot.lru import LruDict
from bot.people import Person
from bot.rules import Place

# How long, in seconds, we go by what Discord said of somebody's roles: who loses one
# does not keep what it gave for longer than that, and a lively thread does not ask
# for the same people all the time.
FRESH = 300.0

# How many people are remembered; the one not needed for longest goes first.
MOST = 10_000


class People:
    """The members of the guilds of one bot."""

    def __init__(self, link: Link, now: Callable[[], float] = time.monotonic) -> None:
        self._link = link
        self._now = now
        #: Members, or None for who is none, and when we were told; by guild and user.
        self._known: LruDict[tuple[int, int], tuple[float, discord.Member | None]] = (
            LruDict(MOST)
        )

    async def person(self, place: Place, user: str) -> Person:
        """See `bot.ports.Adapter`."""
        if place.workspace == events.NO_GUILD or not ids.is_id(user):
            return Person(user)
        guild = await self._link.guild(ids.number(place.workspace, "guild"))
        if guild is None:
            raise DeliveryError(f"look up a person: guild {place.workspace} is unknown")
        member = await self._member(guild, int(user))
        if member is None:
            # They left, and are a stranger here.
            return Person(user, outsider=True)
        channel = None
        if place.channel:
            channel = guild.get_channel(ids.number(place.channel, "channel"))
        held = (channel.permissions_for if channel else _in_all)(member)
        return _person(member, held, in_channel=channel is not None)

    async def tell(self, user: str, text: str) -> None:
        """See `bot.ports.Adapter`."""
        number = ids.number(user, "tell a person")
        drawn = drawing.told(Told(text))
        async with translated("tell a person"):
            direct = await self._link.client.create_dm(discord.Object(number))
            await direct.send(
                drawn.text,
                files=drawn.attachments(),
                allowed_mentions=discord.AllowedMentions.none(),
                suppress_embeds=True,
            )

    async def _member(self, guild: discord.Guild, user: int) -> discord.Member | None:
        key, now = (guild.id, user), self._now()
        at, member = self._known.get(key, (float("-inf"), None))
        if now - at >= FRESH:
            async with translated("look up a person"):
                try:
                    member = await guild.fetch_member(user)
                except discord.NotFound:
                    member = None
            self._known[key] = now, member
        return member


def of(interaction: discord.Interaction[discord.Client]) -> Person:
    """Who gave a command or used a control; Discord says with each what they hold in
    that very channel (facts B2)."""
    user = interaction.user
    if not isinstance(user, discord.Member):
        return Person(str(user.id), user.display_name)
    return _person(user, interaction.permissions, in_channel=True)


def _person(
    member: discord.Member, held: discord.Permissions, *, in_channel: bool
) -> Person:
    everything = held.administrator or member.guild.owner_id == member.id
    return Person(
        str(member.id),
        member.display_name,
        runs_workspace=everything or held.manage_guild,
        runs_channel=in_channel and (everything or held.manage_channels),
        # Not `roles`: those of a guild that we were not told of yet are missing there.
        groups=frozenset(str(role) for role in member._roles),
    )


def _in_all(member: discord.Member) -> discord.Permissions:
    """What `member` holds in the guild as a whole."""
    return member.guild_permissions
