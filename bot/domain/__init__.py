"""Frozen values that every room shares: scopes, people, messages, turns, settings,
budgets.

No I/O and no clock; functions are pure. Imports `bot.text` and `bot.errors` only.
"""
