"""The core of Threadkeep, in rooms.

It knows no platform, no SQL and no HTTP, except that `bot.claude` calls Anthropic's SDK
and `bot.cli` chooses the adapters and the store. Which room may import which is the
table in `tests/test_architecture.py`.
"""
