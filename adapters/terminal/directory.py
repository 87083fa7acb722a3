"""The person at the keyboard, and the only channel."""

from bot.domain.channel_access import NOWHERE, ChannelAccess
from bot.domain.names import PlaceNames
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.messages import phrases

WORKSPACE = CHANNEL = "local"
AUTHOR = "you"

# Whoever can type here can also write the database file.
OWNER = Person(AUTHOR, phrases.YOU, runs_workspace=True)


class TerminalDirectory:
    """Implements `bot.ports.platform.Directory` for one person and one channel."""

    async def person(self, place: Scope, user: str) -> Person:
        """Return the person at the keyboard."""
        return OWNER

    async def access(self, place: Scope, user: str) -> ChannelAccess:
        """Return what `user` may do in the local channel, where the bot posts nothing
        unasked."""
        if (place.workspace, place.channel) != (WORKSPACE, CHANNEL):
            return NOWHERE
        # A person who can read reports has the database file, too.
        if not user:
            return ChannelAccess(exists=True, is_public=True)
        if user != AUTHOR:
            return NOWHERE
        return ChannelAccess(exists=True, reads=True, writes=True, is_public=True)

    async def names(self, place: Scope, user: str) -> PlaceNames:
        """Return no names, because the ids are readable words."""
        return PlaceNames()

    def is_direct(self, place: Scope) -> bool:
        """Return False: the channel has settings of its own, like a public channel."""
        return False
