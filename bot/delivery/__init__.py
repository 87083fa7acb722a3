"""Write replies within a platform's rate limits.

In: the text of an answer as it grows. Out: posts and edits on a `Surface`, each stored
before and after it is made. Decides when to write; `bot.rendering` decides what a
message reads.
"""
