"""Triage schemes: the fields and values into which tickets are classified.

In: YAML. Out: a `Scheme` with its prompt, its JSON schema and a parser for answers.
Reads scheme files; otherwise pure.
"""
