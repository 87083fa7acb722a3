"""Sets the "is thinking" status line of a thread, if the app may set it.

The line is optional. No answer waits for it, it is not set again in channels that
refused it, and its calls stay within Slack's rate limit.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from adapters.slack.client import SlackClient
from bot.domain.completion import Activity
from bot.domain.turn import Turn
from bot.errors import AccessRevoked, DeliveryError, Throttled
from bot.messages import controls as messages
from bot.runtime.lru import LruDict

log = logging.getLogger(__name__)

# Seconds per call. Slack allows 600 calls a minute (platform facts A5.1), and a tenth
# of them is left for other uses of the app. The size of bursts is not documented.
SPACING = 60 / 540
BURST = 30
# The status is skipped if a call would have to wait longer than this, in seconds.
PATIENCE = 5.0

# The most channels whose refusals are remembered.
MOST_REFUSED = 10_000


def line(activity: Activity) -> str:
    """Return the text of the line for `activity`."""
    if activity.kind == "search":
        return messages.SEARCHING_STATUS
    if activity.kind == "ask":
        server = activity.host
        return messages.asking_status(server=server) if server else messages.ASKING
    if activity.host:
        return messages.reading_status(host=activity.host)
    return messages.READING_STATUS


class Status:
    """Sets the status line in the threads of a workspace."""

    def __init__(
        self, client: SlackClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._clock = clock
        #: Channels that refused the line. Without the scope, all of them do.
        self._refused: LruDict[str, None] = LruDict(MOST_REFUSED)
        #: The time until which the calls so far use up the rate.
        self._used = float("-inf")

    @property
    def size(self) -> int:
        """The number of remembered refusals."""
        return len(self._refused)

    async def set(self, turn: Turn, text: str) -> bool:
        """Set the line to `text`, or clear it with "". Return whether Slack accepted
        the call."""
        # A line is cleared even if the channel has refused another one since.
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
            # Ignored: the next write fails in the same way, and its caller handles the
            # error.
            pass
        except DeliveryError as error:
            self._refused[turn.thread.channel] = None
            log.info("slack.status_off channel=%s %s", turn.thread.channel, error)
        else:
            return True
        return False

    def _wait(self) -> float:
        """Return the wait for a call, in seconds. Reserve the call unless the wait is
        too long."""
        now = self._clock()
        used = max(self._used, now)
        wait = max(0.0, used - now - BURST * SPACING)
        if wait <= PATIENCE:
            self._used = used + SPACING
        return wait
