"""Budgets over time: describe them to people, watch the operator's totals.

In: balances and spending from the ledger. Out: sentences, and alerts to admins. The
ledger itself decides in its transaction whether a call may be made.
"""
