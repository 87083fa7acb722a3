"""Protocols between the core and the outside: platforms, the model, the store.

Adapters and storage implement them; the core calls them.
"""
