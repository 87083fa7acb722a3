"""Pure functions on strings: parse, compare, redact and escape.

In: text of people, models and operators. Out: text or values, in bounded time.
Imports `bot.errors` only; PyYAML parses documents.
"""
