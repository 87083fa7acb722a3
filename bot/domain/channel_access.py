"""The access of one person and of the bot to a channel. Pure.

Rule: an adapter states these facts. They are checked when a setting names a channel,
each time that setting is used, and when somebody asks about another channel.
"""

from dataclasses import dataclass

from bot.messages import settings as messages
from bot.text import references


@dataclass(frozen=True, slots=True)
class ChannelAccess:
    """The access of one person to one channel, as the platform states it.

    A channel that does not exist, is in another workspace or is hidden from the bot is
    `NOWHERE`.
    """

    #: It exists in the given workspace and the bot can see it.
    exists: bool = False
    #: The person may read it: a member of a private channel, or a full member of the
    #: workspace for a public one.
    reads: bool = False
    #: The person may write there, and it is neither archived nor frozen.
    writes: bool = False
    #: The bot may write there.
    bot_writes: bool = False
    #: Everybody in the workspace may read it, guests aside.
    is_public: bool = False


NOWHERE = ChannelAccess()


def refusal(access: ChannelAccess, channel: str, *, of_operator: bool = False) -> str:
    """Return the sentence that refuses a person with `access` a post in `channel`, or
    "" if they may post there.

    A hidden channel reads like one that does not exist. The bot's operator is not a
    person of the workspace and needs no access of their own.
    """
    if not access.exists or not (access.reads or of_operator):
        return messages.NO_SUCH_CHANNEL
    if not (access.writes or of_operator):
        return messages.closed_to_you(channel=references.channel(channel))
    if access.bot_writes:
        return ""
    return messages.closed_to_us(channel=references.channel(channel))
