"""Listens to a platform until it rejects our credentials, whatever else fails."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from bot.errors import ConfigError, ThreadkeepError, leaves
from bot.messages import claude as messages
from bot.platforms import Platforms
from bot.ports.host import Host
from bot.ports.platform import Adapter
from bot.runtime.background import report
from bot.runtime.retry import Backoff

# An adapter is shut down after this many unexpected errors. The count is reset after it
# has listened for STEADY seconds.
MOST_STARTS = 5
BACKOFF = Backoff(first=1.0, longest=60.0)
STEADY = 600.0


async def listen_to(
    adapter: Adapter,
    host: Host,
    platforms: Platforms,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Run `adapter` until it ends or its platform rejects our credentials.

    After an unexpected error, the adapter is restarted a few times, then shut down.
    """
    failures = tries = 0
    while True:
        began = clock()
        try:
            await adapter.run(host)
            return
        except Exception as error:
            causes = leaves(error)
            refusal = next((e for e in causes if isinstance(e, ConfigError)), None)
            if refusal is not None:
                platforms.shut_down(adapter.name, refusal)
                return
            report(f"listen to {adapter.name}", error)
            if clock() - began >= STEADY:
                failures = tries = 0
            tries += 1
            # Our own errors mean outages, which pass, so they do not count.
            failures += not all(isinstance(e, ThreadkeepError) for e in causes)
        if failures >= MOST_STARTS:
            platforms.shut_down(adapter.name, _giving_up(adapter.name))
            return
        await sleep(BACKOFF.pause(tries))


def _giving_up(platform: str) -> ConfigError:
    return ConfigError(messages.listening_failed(platform=platform, times=MOST_STARTS))
