"""The only user of Anthropic's SDK: requests, batches, usage, errors, models, prices.

In: a `Request`. Out: text as it is generated and `Report`s of its usage, or a whole
`MessageResponse`.
"""
