"""The "is thinking" line under a thread, where the app may set it.

It is nice to have: no answer waits for it, it is never asked for again where it was
refused, and never so often that Slack would refuse.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from adapters.slack.client import SlackClient
from bot.domain.turn import Turn
from bot.errors import AccessRevoked, DeliveryError, Throttled
from bot.runtime.lru import LruDict

log = logging.getLogger(__name__)

THINKING = "is thinking…"

# 600 calls a minute (platform facts A5.1); a tenth of them is left for whatever
# else the app is used for. How many may come at once is not published.
SPACING = 60 / 540
BURST = 30
# Whoever would wait longer for a line, in seconds, does without.
PATIENCE = 5.0

# Of how many channels it is remembered that they refused it.
MOST_REFUSED = 10_000


class Status:
    """Sets the line in every thread of a workspace."""

    def __init__(
        self, client: SlackClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._clock = clock
        #: Channels that refused it once; a missing scope refuses in all of them.
        self._refused: LruDict[str, None] = LruDict(MOST_REFUSED)
        #: Until when the calls so far use the rate up.
        self._used = float("-inf")

    async def set(self, turn: Turn, text: str) -> bool:
        """Show `text`, or nothing; say whether that was to be had."""
        # What may show is taken away, whatever was refused since.
        if text and turn.thread.channel in self._refused:
            return False
        wait = self._wait()
        if wait > PATIENCE:
            return False
        await asyncio.sleep(wait)
        try:
            await self._client.call(
                "assistant.threads.setStatus",
                channel_id=turn.thread.channel,
                thread_ts=turn.thread.thread,
                status=text,
            )
        except Throttled as error:
            self._used = self._clock() + error.retry_after + BURST * SPACING
        except AccessRevoked:
            # The next write meets the same, and its caller knows what to do.
            pass
        except DeliveryError as error:
            self._refused[turn.thread.channel] = None
            log.info("slack.status_off channel=%s %s", turn.thread.channel, error)
        else:
            return True
        return False

    def _wait(self) -> float:
        """How long until one more call is allowed, which is then taken."""
        now = self._clock()
        used = max(self._used, now)
        wait = max(0.0, used - now - BURST * SPACING)
        if wait <= PATIENCE:
            self._used = used + SPACING
        return wait
