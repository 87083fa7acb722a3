"""The store in SQLite: threads, turns, settings, the ledger, cases; runs of triage.

Implements `bot.ports.store` and `bot.ports.archive`. One thread writes and commits what
waits as a group, others read. Only `bot.cli` imports this package.
"""
