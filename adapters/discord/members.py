"""States what Discord says about people: who they are, and what they hold where.

Rule 1: facts only; whether somebody may is decided in the core. In direct messages
nobody runs anything.
Rule 2: what somebody holds in the guild comes from its roles and its owner alone. In a
channel's overwrites, and so in what Discord says of somebody in a channel, any bit may
be set, also those that mean nothing there (facts B2).
"""

import time
from collections.abc import Callable

import discord

from adapters.discord import components, events, ids
from adapters.discord.client import Link, translated
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.errors import DeliveryError
from bot.runtime.lru import LruDict
from bot.ui.elements import Response

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

    async def person(self, place: Scope, user: str) -> Person:
        """See `bot.ports.platform.Adapter`."""
        if place.workspace == events.NO_GUILD or not ids.is_id(user):
            return Person(user)
        guild = await self._link.guild(ids.number(place.workspace, "guild"))
        if guild is None:
            raise DeliveryError(f"look up a person: guild {place.workspace} is unknown")
        member = await self._member(guild, int(user))
        if member is None:
            # They left, and are a stranger here.
            return Person(user, outsider=True)
        channel = guild.get_channel(ids.known(place.channel))
        held = channel.permissions_for(member) if channel else None
        return _person(guild, member, held)

    async def tell(self, user: str, text: str) -> None:
        """See `bot.ports.platform.Adapter`."""
        number = ids.number(user, "tell a person")
        drawn = components.told(Response(text))
        async with translated("tell a person"):
            direct = await self._link.client.create_dm(discord.Object(number))
            await direct.send(
                drawn.text,
                files=drawn.attachments(),
                allowed_mentions=discord.AllowedMentions.none(),
                suppress_embeds=True,
            )

    async def of(self, interaction: discord.Interaction[discord.Client]) -> Person:
        """Who gave a command or used a control; Discord says with each what they hold
        in that very channel (facts B2). Never raises."""
        user = interaction.user
        if not isinstance(user, discord.Member):
            return Person(str(user.id), user.display_name)
        # The guild of an interaction knows no roles where we were not told of it yet.
        guild = await self._link.guild(user.guild.id) or user.guild
        return _person(guild, user, interaction.permissions)

    async def member(self, guild: discord.Guild, user: int) -> discord.Member | None:
        """A member, as of some minutes ago at the most; None for who is none.

        Raises DeliveryError when that cannot be found out now.
        """
        return await self._member(guild, user)

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


def _person(
    guild: discord.Guild, member: discord.Member, held: discord.Permissions | None
) -> Person:
    """`member`, who holds `held` in a channel of `guild`, or is asked about in none."""
    in_all = _in_all(guild, member)
    return Person(
        str(member.id),
        member.display_name,
        runs_workspace=in_all.administrator or in_all.manage_guild,
        runs_channel=held is not None
        and (in_all.administrator or held.manage_channels),
        # Not `roles`: those of a guild that we were not told of yet are missing there.
        groups=frozenset(str(role) for role in member._roles),
    )


def _in_all(guild: discord.Guild, member: discord.Member) -> discord.Permissions:
    """What `member` holds in the guild as a whole, by its roles and its owner."""
    if guild.owner_id == member.id:
        return discord.Permissions.all()
    held = discord.Permissions()
    # The role that everybody has is called as the guild.
    for each in (guild.id, *member._roles):
        if role := guild.get_role(each):
            held |= role.permissions
    if member.is_timed_out() and not held.administrator:
        return discord.Permissions()
    return held
