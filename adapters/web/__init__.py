"""A local workspace in the browser, an API for programs and a console for operators.

In: HTTP requests. Out: pages, streams of events, JSON. The one platform whose messages
no other server keeps: they are in the store, behind `bot.ports.posts`.
"""
