"""Makes the bot leave or ignore the servers that are not served.

Rule: if a server that is not served adds the bot while the bot runs, the bot leaves at
once. If the bot is in such a server at the start, the server is ignored and logged, but
not left: a mistake in THREADKEEP_WORKSPACES must not remove the bot from every server.
"""

import logging

import discord

from adapters.discord import events
from adapters.discord.bot_permissions import lacking_everywhere
from adapters.discord.client import Link, invite, translated
from bot.domain.scope import Scope
from bot.domain.served_workspaces import Served
from bot.errors import AccessRevoked, DeliveryError
from bot.messages import operator
from bot.messages.check import PUBLIC_BOT, and_more
from bot.ports.host import Host

log = logging.getLogger(__name__)

# How many servers one line of the log names, and how many one message to the operator
# names.
MOST_NAMED = 20
MOST_TOLD = 5


class Servers:
    """Restricts the bot to the servers that are served, and reports permissions that it
    lacks there."""

    def __init__(self, link: Link, host: Host) -> None:
        self._link = link
        self._served = host.served
        self._alert = host.alert
        self._first_contact = host.first_contact
        #: Servers that are not served, but that the bot was in when a session started.
        self._ignored: set[int] = set()

    def begin(self) -> None:
        """Log a warning if anybody may add the bot to a server, and every server is
        served."""
        application = self._link.client.application
        if application and application.bot_public and not self._limited:
            log.warning("discord.public %s", PUBLIC_BOT)

    def look(self) -> None:
        """Log the servers of the bot that are not served, each once. Report the servers
        where the bot lacks permissions."""
        self.require_permissions()
        guilds = {guild.id for guild in self._link.client.guilds}
        found = {each for each in guilds if not self._holds(each)} - self._ignored
        if not found:
            return
        self._ignored |= found
        named = ",".join(map(str, sorted(found)[:MOST_NAMED]))
        log.warning(
            "discord.not_served servers=%d guilds=%s They are not in "
            "THREADKEEP_WORKSPACES: remove the bot there, or add them.",
            len(found),
            named,
        )

    def require_permissions(self) -> None:
        """Report the servers where no role gives the bot the permissions that it needs:
        whoever added the bot left them out. Permissions that only one channel denies
        are reported to people who ask there."""
        us = self._link.us
        found = [
            operator.server_lacks(
                # The name of a server may be any text, so it is left out.
                server=f"discord:{each.id}",
                permissions=missing,
            )
            for each in self._link.client.guilds
            if self._holds(each.id) and (missing := lacking_everywhere(each, us))
        ]
        application = self._link.client.application_id
        if not found or application is None:
            return
        more = len(found) - MOST_TOLD
        tail = and_more(count=more) if more > 0 else ""
        servers = "; ".join(found[:MOST_TOLD]) + tail
        problem = operator.permissions_missing(
            servers=servers, address=invite(application)
        )
        self._alert("discord permissions", problem)

    async def joined(self, guild: discord.Guild) -> None:
        """Leave a server that just added the bot, if it is not served; otherwise tell
        its owner. Only the audit log says who added the bot, and reading it takes a
        permission that nothing else needs."""
        if self._holds(guild.id):
            self.require_permissions()
            place = Scope(events.NAME, str(guild.id))
            owner = str(guild.owner_id)
            await self._first_contact.joined(place, owner, guild.name)
            return
        if guild.id in self._ignored:
            return
        try:
            async with translated("leave a server"):
                await guild.leave()
        except (DeliveryError, AccessRevoked) as error:
            log.warning("discord.not_left guild=%s %s", guild.id, error)
            return
        log.warning(
            "discord.left guild=%s It added the bot and is not in "
            "THREADKEEP_WORKSPACES.",
            guild.id,
        )

    def removed(self, guild: discord.Guild) -> None:
        """Forget a server that removed the bot."""
        self._ignored.discard(guild.id)
        log.info("discord.removed guild=%s", guild.id)

    @property
    def _limited(self) -> bool:
        return self._served.limits(events.NAME)

    def _holds(self, guild: int) -> bool:
        return self._served.holds(events.NAME, str(guild))


def refusal(served: Served, interaction: discord.Interaction[discord.Client]) -> str:
    """Return the message for people in a server that is not served, or "" if it is
    served."""
    return served.refusal(events.NAME, events.workspace(interaction.guild_id))
