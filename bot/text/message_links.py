"""Links to messages, as the platforms write them. Pure."""

import re

# In Slack's links, the id of a message (its time) has no dot (platform facts A1.3,
# `from_url`). Discord's ids are snowflakes of 64 bits: 17 digits in its first years,
# and at most 20.
_SLACK = re.compile(r"/archives/[A-Za-z0-9]+/p([0-9]{10})([0-9]{6})(?:[?#|>]|$)")
_DISCORD = re.compile(r"/channels/(?:@me|[0-9]+)/[0-9]+/([0-9]{17,20})(?:[?#|>/]|$)")
_ID = re.compile(r"[0-9]{17,20}|[0-9]{10}[.][0-9]{6}")

# A longer number cannot count answers.
_NUMBER_CHARS = 4


def reference(word: str) -> str | None:
    """Return a short number unchanged, and a message's id or link as the id.

    Return None for anything else. Applying this to its own result changes nothing.
    """
    if len(word) <= _NUMBER_CHARS and word.isascii() and word.isdecimal():
        return word
    if found := _SLACK.search(word):
        return f"{found[1]}.{found[2]}"
    if found := _DISCORD.search(word):
        return found[1]
    return word if _ID.fullmatch(word) else None
