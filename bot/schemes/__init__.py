"""Schemes: the fields and values into which tickets are classified.

In: YAML. Out: a `Scheme`, its JSON schema and prompt.
"""
