"""`python -m benchmarks.raised_limit ARGUMENTS` runs `threadkeep ARGUMENTS` with a
raised global rate limit.

Discord allows the bot `RAISED` times as many calls a second, as it does on request for
bots in very many servers.
"""

import runpy

from adapters.discord import global_rate_limit

RAISED = 20

if __name__ == "__main__":
    # Before the import of the adapter, which copies the number.
    global_rate_limit.MOST *= RAISED
    runpy.run_module("bot", run_name="__main__", alter_sys=True)
