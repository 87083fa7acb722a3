"""Commands in the chat: settings, prompts, usage, and controls of answers.

In: a `Command`, its scope and the person who gave it. Out: a `CommandResult` (a
response or a form), which the adapter draws. Permission is checked here, on every call.
Reads and writes the store; asks Claude only to try a prompt.
"""
