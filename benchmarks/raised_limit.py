"""`python -m benchmarks.raised_limit ARGUMENTS` is `threadkeep ARGUMENTS` for a bot
that Discord allows `RAISED` times as many calls a second as others, as it does on
request for bots in very many servers.
"""

import runpy

from adapters.discord import global_rate_limit

RAISED = 20

if __name__ == "__main__":
    # Before the adapter, which takes the number over, is imported.
    global_rate_limit.MOST *= RAISED
    runpy.run_module("bot", run_name="__main__", alter_sys=True)
