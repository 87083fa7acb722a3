"""What Claude reads: the system prompt, labelled messages, the time. Pure.

In: messages and names. Out: texts for a `Request`, which are stored so that
later requests repeat them exactly.
"""
