"""Evaluates triage on labelled tickets.

In: labelled rows, and the schemes and models to compare. Out: accuracy, precision and
recall, costs and times, as tables, JSON or a plot. Classifies with `bot.triage.bulk`.
"""
