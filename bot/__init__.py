"""The core of Threadkeep.

The core is independent of platforms, SQL and HTTP, except that `bot.claude` calls
Anthropic's SDK and `bot.cli` chooses the adapters and the store. A table in
`tests/test_architecture.py` lists the allowed imports between the packages.
"""
