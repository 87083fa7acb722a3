"""Everything that Claude reads: system prompt, labelled messages, files, time. Pure.

In: messages and names. Out: texts for a `Request`, which are stored so that
later requests repeat them exactly.
"""
