"""Responses, forms, menus and buttons without a platform, and formatting for people.

In: values. Out: elements that an adapter draws in its platform's terms. Pure.
"""
