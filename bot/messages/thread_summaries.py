"""Messages about the summaries of long threads."""

from bot.messages import plurals

#: The headings of every summary, in order. The prompt tells Claude to use them.
DECISIONS = "Decisions"
PEOPLE = "People"
OPEN_QUESTIONS = "Open questions"
FACTS = "Facts and numbers"
FILES = "Files seen"

NOT_HERE = "Please use this in a thread."
NONE = (
    "This thread has no summary: Claude still reads all of it. To get one for "
    "yourself, ask me to summarise the thread."
)
GONE = (
    "This summary no longer exists: a message that it covered was changed or deleted, "
    "or the thread was started over. It is made again when needed."
)
TOO_LONG = (
    "This thread has become too long for me, by a setting of its admins. Send `new` to "
    "start over here, or ask in a new thread."
)


def told(*, messages: int) -> str:
    return (
        "This thread is long: I now read a summary of its first "
        f"{plurals.MESSAGES(messages)} instead."
    )


def head(*, messages: int, model: str) -> str:
    return (
        f"**Summary of the first {plurals.MESSAGES(messages)} of this thread**, by "
        f"`{model}`:"
    )
