"""Platform-independent responses, forms, menus and buttons; formatting for people.

In: values. Out: elements that an adapter renders on its platform. Pure.
"""
