"""The command line of operators: serve, check, reports, settings, backup, triage.

In: arguments and the environment. Out: text, files, exit statuses. The only package
that imports `storage` and names the adapters; it connects them to `bot.app`.
"""
