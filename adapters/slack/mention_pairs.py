"""Pairs the two events of one mention, `app_mention` and `message`.

Either may arrive first, and an `app_mention` may lack files and attachments (platform
facts A1.1, A1.2), so a turn that began with it could be answered without them. An
`app_mention` therefore waits a moment for its `message`, which is complete, and is
dropped if both convert to the same message. If the bot may not read the channel, no
`message` arrives.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.message import Message
from bot.runtime.flag import Flag
from bot.runtime.lru import LruDict

# How long an `app_mention` waits, in seconds. Both events arrive within milliseconds.
# People do not notice the wait, and Slack waits three seconds for the acknowledgement
# (facts A2).
PATIENCE = 0.3
# The most messages that are remembered, with one or both of their events.
MOST = 2_000


@dataclass(slots=True)
class _Pair:
    #: Set after the `message` event was handled.
    handled: Flag = field(default_factory=Flag)
    #: The hash of the message in that event.
    said: int = 0


class MentionPairs:
    """Holds an `app_mention` back until its `message` is stored."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        #: Pairs by channel and ts.
        self._pairs: LruDict[tuple[str, str], _Pair] = LruDict(MOST)

    async def is_known(self, event: Mapping[str, Any], message: Message) -> bool:
        """Return whether `event` is an `app_mention` whose `message` event was handled
        and converted to the same `message`. Wait up to `patience` seconds for the
        `message` event; return at once for other events."""
        if event.get("type") != "app_mention":
            return False
        pair = self._of(event)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                await pair.handled.wait()
        return pair.handled.is_set() and pair.said == hash(message)

    def handled(self, event: Mapping[str, Any], message: Message) -> None:
        """Release the `app_mention` that waits for the `message` event `event`, which
        is durable. Ignore other events."""
        if event.get("type") == "message":
            pair = self._of(event)
            pair.said = hash(message)
            pair.handled.set()

    def _of(self, event: Mapping[str, Any]) -> _Pair:
        key = str(event.get("channel")), str(event.get("ts"))
        if key not in self._pairs:
            self._pairs[key] = _Pair()
        return self._pairs[key]
