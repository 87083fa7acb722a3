"""Triage in channels: on command, or of every new message.

In: commands, and top-level messages of a channel. Out: cases in the store, responses
with menus to correct them, signs and announcements. Asks Claude within the budgets of
the place.
"""
