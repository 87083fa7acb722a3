"""A conversation in the terminal, without an account.

In: lines from standard input. Out: answers on standard output.
"""
