"""Links to messages, as the platforms write them. Pure."""

import re

# Slack writes the id of a message, its time, without the dot (platform facts A1.3,
# `from_url`); Discord's ids are snowflakes: 17 digits in its first years, at most 20 in
# 64 bits.
_SLACK = re.compile(r"/archives/[A-Za-z0-9]+/p([0-9]{10})([0-9]{6})(?:[?#|>]|$)")
_DISCORD = re.compile(r"/channels/(?:@me|[0-9]+)/[0-9]+/([0-9]{17,20})(?:[?#|>/]|$)")
_ID = re.compile(r"[0-9]{17,20}|[0-9]{10}[.][0-9]{6}")

# A longer number is no number of answers.
_NUMBER_CHARS = 4


def reference(word: str) -> str | None:
    """Return `word` as a short number, or as the id of the message that it is or links
    to; None if it is neither. What this returned, it returns again."""
    if len(word) <= _NUMBER_CHARS and word.isascii() and word.isdecimal():
        return word
    if found := _SLACK.search(word):
        return f"{found[1]}.{found[2]}"
    if found := _DISCORD.search(word):
        return found[1]
    return word if _ID.fullmatch(word) else None
