"""The only user of Anthropic's SDK for answers: requests, usage, errors, models,
prices.

In: a `Request`. Out: text as it arrives, and `Report`s of what it used.
"""
