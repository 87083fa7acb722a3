"""Sentences that more than one command answers with."""

STALE = (
    "This is left over from an earlier version and does nothing any more. "
    "`help` says what there is now."
)
CHANNEL_GONE = "That channel is no longer there, or I am no longer in it."
UNSURE = (
    "I cannot find out right now what you may do here. Please try again in a minute."
)

#: How to talk to the bot, for everybody.
HOW_TO_ASK = """\
**Ask** by mentioning me, or with the command for asking: I answer in a thread, and \
there you go on. In direct messages just write.
I read what is said in our threads, and remember it. If you edit or delete a \
message, I read it so, or no more."""
#: Introduces the list of commands.
HOW_TO_COMMAND = (
    "A command is a whole message of its own, or one of the platform's commands:"
)

#: What a change of a setting means for threads that are under way.
THREADS_KEEP = "Running threads go on as they began."
THREADS_CHANGE = "Running threads change with it, and say so."
