"""Messages about access: to the bot, to settings, to channels."""

UNSURE = "I couldn't check your permissions. Please try again in a minute."
ELSEWHERE = "Sorry, only people in that channel can see this. Please ask me there."
NOT_FOR_OUTSIDERS = (
    "Sorry, guests and people from other organisations can see only the settings and "
    "the cost of their own channel."
)

NO_SUCH_CHANNEL = (
    "I can't find that channel, or you can't see it. If it is private, please add me "
    "to it first."
)
#: The value is a channel.
CLOSED_TO_YOU = "You can't post in {}, so you can't have me post there."
CLOSED_TO_US = (
    "I can't post in {}. Please add me to it, or allow me to post there, and try again."
)

#: The answer to a command in a workspace that is not served.
NOT_SERVED = (
    "Sorry, I'm not available here: the operator of this bot chooses the workspaces "
    "and servers in which it answers."
)
