"""Looks up people on Discord, and the permissions that they hold.

Rule 1: facts only; the core decides. In direct messages nobody is an admin.
Rule 2: guild permissions are computed from roles and ownership only. In a channel's
overwrites, and so in the permissions that Discord reports for a channel, any bit may be
set, including those that mean nothing there (facts B2).
"""

import time
from collections.abc import Callable

import discord

from adapters.discord import components, events, ids, outgoing
from adapters.discord.client import Link, translated
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.errors import DeliveryError
from bot.runtime.lru import LruDict
from bot.ui.elements import Response

# How long a member is cached, in seconds. A removed role still counts for at most this
# time; a shorter time would take too many calls in a busy thread.
FRESH = 300.0

# How many members are cached.
MOST = 10_000


class People:
    """The members of the guilds of one bot."""

    def __init__(self, link: Link, now: Callable[[], float] = time.monotonic) -> None:
        self._link = link
        self._now = now
        #: The time of the lookup, and the member or None for a non-member, by guild and
        #: user.
        self._known: LruDict[tuple[int, int], tuple[float, discord.Member | None]] = (
            LruDict(MOST)
        )

    async def person(self, place: Scope, user: str) -> Person:
        """Return the person `user` at `place`. Raises DeliveryError."""
        if place.workspace == events.NO_GUILD or not ids.is_id(user):
            return Person(user)
        guild = await self._link.guild(ids.number(place.workspace, "guild"))
        if guild is None:
            raise DeliveryError(f"look up a person: guild {place.workspace} is unknown")
        member = await self.member(guild, int(user))
        if member is None:
            # They left the guild.
            return Person(user, outsider=True)
        channel = guild.get_channel(ids.parse_id(place.channel))
        held = channel.permissions_for(member) if channel else None
        return _person(guild, member, held)

    async def tell(self, user: str, text: str) -> None:
        """Send `text` to `user` as a direct message. Raises DeliveryError."""
        number = ids.number(user, "tell a person")
        drawn = components.draw(Response(text))
        async with translated("tell a person"):
            direct = await self._link.client.create_dm(discord.Object(number))
            await outgoing.post(direct, drawn.text, files=drawn.attachments())

    async def of(self, interaction: discord.Interaction[discord.Client]) -> Person:
        """Return the person who issued `interaction`. The interaction carries their
        permissions in its channel (facts B2).

        Raises DeliveryError if the guild cannot be looked up, which is necessary only
        for one whose events this process does not receive.
        """
        user = interaction.user
        if not isinstance(user, discord.Member):
            return Person(str(user.id), user.display_name)
        # Before the gateway has sent the guild, the guild of an interaction has no
        # roles.
        guild = await self._link.guild(user.guild.id) or user.guild
        return _person(guild, user, interaction.permissions)

    async def member(self, guild: discord.Guild, user: int) -> discord.Member | None:
        """Return a member, looked up at most FRESH seconds ago, or None for a
        non-member.

        Raises DeliveryError if the lookup fails.
        """
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
    """Return `member` of `guild` as a Person; `held` are their permissions in the
    channel in question, if there is one."""
    in_all = _in_all(guild, member)
    return Person(
        str(member.id),
        member.display_name,
        runs_workspace=in_all.administrator or in_all.manage_guild,
        runs_channel=held is not None
        and (in_all.administrator or held.manage_channels),
        # Not `roles`, which is empty until the gateway has sent the guild.
        groups=frozenset(str(role) for role in member._roles),
    )


def _in_all(guild: discord.Guild, member: discord.Member) -> discord.Permissions:
    """Return the guild permissions of `member`, from roles and ownership."""
    if guild.owner_id == member.id:
        return discord.Permissions.all()
    held = discord.Permissions()
    # The @everyone role has the id of the guild.
    for each in (guild.id, *member._roles):
        if role := guild.get_role(each):
            held |= role.permissions
    if member.is_timed_out() and not held.administrator:
        return discord.Permissions()
    return held
