"""What one person and the bot may do in a channel, and what follows from it. Pure.

Rule: an adapter states these facts (`bot.ports.platform.Adapter.access`). They are
looked at when a setting names a channel, each time when such a setting is used, and
whenever somebody asks about another channel than the one that they are in.
"""

from dataclasses import dataclass

NO_SUCH = (
    "I find no such channel here that you can see. If it is a private one, please add "
    "me to it first."
)
CLOSED_TO_YOU = (
    "You may not write in channel:{} yourself, so I cannot be told to do so."
)
CLOSED_TO_US = (
    "I may not write in channel:{}. Please add me to it, or have me allowed to write "
    "there, and try again."
)


@dataclass(frozen=True, slots=True)
class ChannelAccess:
    """Facts about one channel, for one person, by the platform's own word.

    What is not there, is in another workspace or is hidden from the bot is `NOWHERE`.
    """

    #: It is there, in the workspace that was named, and the bot can see it.
    exists: bool = False
    #: The person may read what is said there: a member of a private channel, or a
    #: full member of the workspace in a public one.
    reads: bool = False
    #: The person may write there, and the channel is open (not archived or frozen).
    writes: bool = False
    #: The bot may write there.
    bot_writes: bool = False


NOWHERE = ChannelAccess()


def refusal(access: ChannelAccess, channel: str, *, of_operator: bool = False) -> str:
    """Return why nothing may be posted in `channel` for a person with `access`, as one
    sentence for that person; "" if it may.

    A channel that the person does not see is told from one that is not there by
    nothing. The operator of the bot is no person of the workspace, and is asked for
    no rights of their own there.
    """
    if not access.exists or not (access.reads or of_operator):
        return NO_SUCH
    if not (access.writes or of_operator):
        return CLOSED_TO_YOU.format(channel)
    return "" if access.bot_writes else CLOSED_TO_US.format(channel)
