"""Messages of the search over threads."""

from bot.messages import plurals

NO_WORDS = "Write the words to search for, such as `search invoice Acme`."
NOTHING = (
    "I found nothing with all of these words in the threads that you can read. A word "
    "also finds longer ones: `pay` finds `payment`."
)
NOTHING_MORE = "I found nothing older."
#: Shown if a search ended early.
LOOK_FURTHER = "I haven't looked through everything yet. `Older` goes on from there."
UNSURE = "I couldn't check some channels now. Please try again in a minute."
#: Names the bot as the author of an answer.
ME = "My answer"
OLDER = "Older"


def not_all_channels(*, count: int) -> str:
    return f"I looked only in {plurals.CHANNELS(count)}. More words narrow it down."


def hit(*, day: str, author: str, place: str, link: str, excerpt: str) -> str:
    head = " · ".join(filter(None, (day, author, place, link)))
    return f"{head}\n> {excerpt}"
