"""The two events of one mention, `app_mention` and `message`.

Either may come first, and the first may lack files and attachments (platform facts
A1.1, A1.2): a turn that begins with it would be answered without them. So an
`app_mention` waits a moment for its `message`, which has everything, and is not taken
in if it says nothing else. Where the bot may not read the channel, there is none.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.message import Message
from bot.runtime.flag import Flag
from bot.runtime.lru import LruDict

# How long an `app_mention` waits, in seconds. The two come within milliseconds; people
# do not notice this, and Slack waits three seconds for the acknowledgement (facts A2).
PATIENCE = 0.3
# How many messages are remembered, with both of the events or with one.
MOST = 2_000


@dataclass(slots=True)
class _Pair:
    #: Set once the `message` event was handled.
    handled: Flag = field(default_factory=Flag)
    #: The hash of what it said.
    said: int = 0


class MentionPairs:
    """Holds an `app_mention` back until its `message` was stored."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        #: By channel and ts.
        self._pairs: LruDict[tuple[str, str], _Pair] = LruDict(MOST)

    async def is_known(self, event: Mapping[str, Any], message: Message) -> bool:
        """Return whether `event` is an `app_mention` whose `message` was handled, after
        a wait for that until it is late, and said the same as `message`. Return at once
        for other events."""
        if event.get("type") != "app_mention":
            return False
        pair = self._of(event)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                await pair.handled.wait()
        return pair.handled.is_set() and pair.said == hash(message)

    def handled(self, event: Mapping[str, Any], message: Message) -> None:
        """Let the `app_mention` of the `message` `event`, which is durable, go on."""
        if event.get("type") == "message":
            pair = self._of(event)
            pair.said = hash(message)
            pair.handled.set()

    def _of(self, event: Mapping[str, Any]) -> _Pair:
        key = str(event.get("channel")), str(event.get("ts"))
        if key not in self._pairs:
            self._pairs[key] = _Pair()
        return self._pairs[key]
