"""The operator's reports, for the command line and for the console alike.

In: the store, names, and where there are any, the connected platforms. Out: the values
of `bot.domain.reports`, and the same as plain values for programs.
"""
