"""Frozen values that all packages share: scopes, people, messages, turns, settings,
budgets.

No I/O and no clock; functions are pure. Imports only `bot.text`, `bot.messages` and
`bot.errors`.
"""
