"""Protocols between the core and the outside: platforms, the model, the store.

Adapters, `storage` and `bot.claude` implement them; the core calls them, and adapters
call the `Host`. Each implementation passes the tests in `tests/contracts/`.
"""
