"""All sentences that people read, in English, each under a name.

A constant is a sentence; a function inserts values into a sentence. `labels`, `phrases`
and `plurals` have words and parts of sentences. Each subject has a module;
docs/messages.md lists all messages (`make docs`). Imports no other package.
"""
