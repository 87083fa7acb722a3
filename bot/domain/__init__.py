"""Frozen values that every room shares: scopes, messages, turns, settings, budgets.

Nothing here has behaviour that needs the outside. Imports `bot.text.characters` only.
"""
