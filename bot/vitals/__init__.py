"""The state of the running process.

In: reports of adapters (`bot.ports.host.Health`), records of the log, writes and
answers. Out: a `bot.domain.vitals.Vitals`, for the console, for health checks, and for
other processes in a file beside the database.
"""
