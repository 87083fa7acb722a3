"""The state of the running process.

In: reports of adapters (`bot.ports.host.Health`), log records, writes and answers. Out:
a `bot.domain.vitals.Vitals`, for the console, for health checks, and in a file beside
the database for other processes.
"""
