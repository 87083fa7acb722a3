"""The access of one person and of the bot to a channel. Pure.

Rule: adapters supply these facts. They are checked when a setting names a channel,
each time that setting is used, and when somebody asks about another channel.
"""

from dataclasses import dataclass

from bot.messages import settings as messages
from bot.text import references


@dataclass(frozen=True, slots=True)
class ChannelAccess:
    """The access of one person to one channel, as the platform reports it.

    A channel that does not exist, is in another workspace or is hidden from the bot is
    `NOWHERE`.
    """

    #: The channel exists in the given workspace and the bot can see it.
    exists: bool = False
    #: The person may read the channel: as a member of a private channel, or as a full
    #: member of the workspace for a public channel.
    reads: bool = False
    #: The person may write there, and the channel is neither archived nor frozen.
    writes: bool = False
    #: The bot may write there.
    bot_writes: bool = False
    #: Everybody in the workspace except guests may read the channel.
    is_public: bool = False


NOWHERE = ChannelAccess()


def refusal(access: ChannelAccess, channel: str, *, of_operator: bool = False) -> str:
    """Return why a person with `access` may not post in `channel`, or "" if they may.

    The sentence for a hidden channel is the same as for a missing one. The operator is
    not a member of the workspace and needs no access of their own.
    """
    if not access.exists or not (access.reads or of_operator):
        return messages.NO_SUCH_CHANNEL
    if not (access.writes or of_operator):
        return messages.closed_to_you(channel=references.channel(channel))
    if access.bot_writes:
        return ""
    return messages.closed_to_us(channel=references.channel(channel))
