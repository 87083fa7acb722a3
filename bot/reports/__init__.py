"""The operator's reports, for the command line and for the console.

In: the store, names, and the connected platforms if there are any. Out: the values of
`bot.domain.reports`, and the same as plain values for programs.
"""
