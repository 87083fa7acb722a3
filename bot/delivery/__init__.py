"""Writes replies within a platform's rate limits.

In: the text of an answer as it grows. Out: posts and edits on a `Surface`, each stored
before and after it is made. This package decides when to write; `bot.rendering` decides
the text of each message.
"""
