"""The store in SQLite: threads, turns, settings, the ledger, cases and triage runs.

Implements `bot.ports.store` and `bot.ports.archive`. One thread writes and commits
pending writes as a group; other threads read. Only `bot.cli` imports this package.
"""
