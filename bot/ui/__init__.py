"""Responses to people, without a platform: elements, buttons, formatting.

Adapters draw them as messages, menus and forms.
"""
