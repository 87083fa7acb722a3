"""Budgets over time: describes them to people, and watches the operator's totals.

In: balances and spending from the ledger. Out: sentences, and alerts to admins. The
ledger itself decides in its transaction whether a call may be made.
"""
