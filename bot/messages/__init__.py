"""Every sentence that people read, each under a name, in English.

A constant is a sentence; a function returns one with its named values. `labels`,
`phrases` and `plurals` hold words and parts of sentences. One module for each subject;
docs/messages.md lists all of them (`make docs`). Imports nothing.
"""
