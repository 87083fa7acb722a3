"""Claude: requests to Anthropic's API, its usage, errors, models and prices.

In: a `Request`. Out: text as it arrives, and `Report`s of what it used; errors are
`ModelError`s. Also the most that a request can cost, calls that are booked in the
ledger, the choice of a model, and the offline model that answers without a key.
"""
