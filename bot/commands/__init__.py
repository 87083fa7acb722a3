"""Chat commands: settings, prompts, usage, and the controls of answers.

In: a `Command`, its scope and the person who gave it. Out: a `CommandResult` (a
response or a form), which the adapter renders. Every call checks the person's
permission here. Reads and writes the store; asks Claude only to try a prompt.
"""
