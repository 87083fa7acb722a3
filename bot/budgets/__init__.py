"""Budgets: the operator's ceilings and totals, and how they are described."""
