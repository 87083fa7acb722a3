"""Protocols between the core and the outside: platforms, the model and the store.

Adapters, `storage` and `bot.claude` implement these protocols, and the core calls them.
Adapters call the `Host`. Each implementation passes the tests in `tests/contracts/`.
"""
