"""The platforms where people talk, a package each. None imports another.

In: a platform's events and interactions, handed to the `Host` as messages and commands.
Out: what the core asks through `bot.ports.platform`, in the platform's terms. Adapters
state facts and draw; the core decides. They never touch the store or Claude.
"""
