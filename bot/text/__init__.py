"""Pure functions on strings: parse, compare, redact and escape.

In: text of people, models and operators. Out: text or values, in bounded time.
Imports only `bot.errors` and `bot.messages`; PyYAML parses documents.
"""
