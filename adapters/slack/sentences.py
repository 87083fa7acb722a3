"""Messages about commands and controls, in the words of Slack."""

STALE = (
    "This is left over from an earlier version and does nothing any more. "
    "`/claude help` says what there is now."
)
NOT_THERE = (
    "I cannot see that you are in the channel that this is about, so nothing was done. "
    "If it is a private one, please add me to it."
)
UNKNOWN = "I do not know that command."
UNSURE = (
    "I cannot find out right now what you may do here. Please try again in a minute."
)
NOT_SAID = "Nobody wrote this, so there is nothing to sort."
WORKING = "Working on it …"
THANKS = "Thank you! That helps whoever looks after this bot."
NO_ANSWER = "I no longer have that answer, so I could not note that. Thank you anyway!"
