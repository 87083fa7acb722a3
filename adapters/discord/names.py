"""Finds the names that people see for the ids in what they say.

Without the intent for members nobody tells us who is in a guild, so names are
taken from the messages that come by, and asked for one by one where that is not
enough.
"""

import logging
from collections import OrderedDict
from collections.abc import Iterable

import discord

from adapters.discord import events, ids, markup
from adapters.discord.client import Link, translated
from bot.errors import AccessRevoked, DeliveryError
from bot.values import Heard

log = logging.getLogger(__name__)

# How many names are remembered; the one not needed for longest goes first.
MOST = 10_000


class Names:
    """Display names by guild and user; those of direct messages under None."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._known: OrderedDict[tuple[int | None, int], str] = OrderedDict()

    def note(self, guild: int | None, people: Iterable[discord.abc.User]) -> None:
        """Remember what `people`, of whom a message told us, are called."""
        for each in people:
            self._keep((guild, each.id), each.display_name)

    async def find(self, guild: int | None, users: Iterable[str]) -> dict[str, str]:
        """The names of `users`, by id. Those that nobody knows are left out."""
        found = {}
        for user in users:
            if ids.is_id(user) and (name := await self._find(guild, int(user))):
                found[user] = name
        return found

    async def readable(self, heard: Heard) -> tuple[str, str]:
        """Who said `heard`, and its text with names for ids and without our mention."""
        guild = events.guild_of(heard.thread)
        home = await self._link.guild(guild) if guild else None
        names = await self.find(guild, {heard.author} | markup.users(heard.text))
        ours = [str(self._link.us)]
        if home is not None and home.self_role is not None:
            ours.append(str(home.self_role.id))
        places = [*home.channels, *home.threads] if home else []
        text = markup.readable(
            markup.without_mention(heard.text, *ours),
            users=names,
            roles={str(each.id): each.name for each in home.roles} if home else {},
            channels={str(each.id): each.name for each in places},
        )
        return names.get(heard.author, heard.author), text

    async def _find(self, guild: int | None, user: int) -> str:
        key = (guild, user)
        if key not in self._known:
            self._keep(key, await self._ask(guild, user))
        self._known.move_to_end(key)
        return self._known[key]

    async def _ask(self, guild: int | None, user: int) -> str:
        client = self._link.client
        home = client.get_guild(guild) if guild else None
        try:
            async with translated("find a name"):
                if home is not None:
                    try:
                        return (await home.fetch_member(user)).display_name
                    except discord.NotFound:
                        # They left; who they are is still known.
                        pass
                return (await client.fetch_user(user)).display_name
        except (DeliveryError, AccessRevoked) as error:
            log.info("discord.unnamed user=%s %s", user, error)
            return ""

    def _keep(self, key: tuple[int | None, int], name: str) -> None:
        self._known[key] = name
        self._known.move_to_end(key)
        if len(self._known) > MOST:
            self._known.popitem(last=False)
