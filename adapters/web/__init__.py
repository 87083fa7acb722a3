"""A local workspace in the browser, an API for programs and a console for operators.

In: HTTP requests. Out: pages, streams of events, JSON. Unlike on other platforms, the
messages are kept in the store, behind `bot.ports.posts`.
"""
