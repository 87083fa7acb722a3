"""Pure functions on strings: parse, compare, mask and escape.

In: text of people, models, operators. Out: text or values. Imports `bot.errors` only;
PyYAML parses documents.
"""
