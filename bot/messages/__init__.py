"""The sentences that people read in the chat, each under a name, in English.

A constant is a sentence, or a template with named values for `str.format`. One module
for each subject; docs/messages.md lists all of them (`make docs`). Imports nothing.
"""
