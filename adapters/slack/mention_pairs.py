"""The two events of one mention, `app_mention` and `message`.

Either may come first, and the first may lack files and attachments (platform facts
A1.1, A1.2): a turn that begins with it would be answered without them. So an
`app_mention` waits a moment for its `message`, which has everything. Where the bot may
not read the channel, there is none.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from bot.runtime.flag import Flag
from bot.runtime.lru import LruDict

# How long an `app_mention` waits, in seconds. The two come within milliseconds; people
# do not notice this, and Slack waits three seconds for the acknowledgement (facts A2).
PATIENCE = 0.3
# How many messages are remembered, with both of the events or with one.
MOST = 2_000


class MentionPairs:
    """Holds an `app_mention` back until its `message` was stored."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        #: Whether the `message` event of a message was handled, by channel and ts.
        self._handled: LruDict[tuple[str, str], Flag] = LruDict(MOST)

    async def wait(self, event: Mapping[str, Any]) -> None:
        """Wait until the `message` of the `app_mention` `event` was handled, or it is
        late. Return at once for other events."""
        if event.get("type") != "app_mention":
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                await self._of(event).wait()

    def handled(self, event: Mapping[str, Any]) -> None:
        """Let the `app_mention` of the `message` `event` go on."""
        if event.get("type") == "message":
            self._of(event).set()

    def _of(self, event: Mapping[str, Any]) -> Flag:
        key = str(event.get("channel")), str(event.get("ts"))
        if key not in self._handled:
            self._handled[key] = Flag()
        return self._handled[key]
