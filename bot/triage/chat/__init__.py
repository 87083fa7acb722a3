"""Triage in channels: on command, or of every new message.

In: commands, and messages at the top of a channel. Out: cases in the store, responses
with menus to correct them, signs and announcements. Asks Claude within the budgets of
the place.
"""
