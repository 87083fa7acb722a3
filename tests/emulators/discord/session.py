"""A session of the gateway: the events sent to one shard of the bot (B1). No I/O.

A session outlives its connections. It numbers and keeps its events, so that a client
that resumes gets those that it missed.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.discord.model import Json
from tests.emulators.discord.visibility import Eyes

Wire = Callable[[Any], str]


def shard_of(guild: int, count: int) -> int:
    """Return which of `count` shards receives the events of a guild (B1). The guild 0
    stands for direct messages, which shard 0 receives."""
    return (guild >> 22) % count


@dataclass(slots=True)
class Session:
    """The events sent to one shard, and its connection."""

    id: str
    #: The number of the shard, and the number of shards.
    shard: tuple[int, int]
    eyes: Eyes
    wire: Wire
    sent: list[str] = field(default_factory=list)
    #: The frames to send over its connection; None while it has no connection.
    outgoing: "asyncio.Queue[str | None] | None" = None

    def concerns(self, event: str, payload: Json) -> bool:
        """Return whether this shard receives an event (B1), by its guild. Shard 0
        receives direct messages."""
        about_guild = event in ("GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE")
        guild = payload["id"] if about_guild else payload.get("guild_id")
        number, count = self.shard
        return event == "USER_UPDATE" or shard_of(int(guild or 0), count) == number

    def tell(self, event: str, payload: Json) -> None:
        """Send an event to the client, with the fields that it may see."""
        seen = self.eyes.seen(event, payload)
        if seen is not None:
            self.dispatch(event, seen)

    def dispatch(self, event: str, payload: Json) -> None:
        """Send an event unchanged."""
        number = len(self.sent) + 1
        self.sent.append(self.wire({"op": 0, "t": event, "s": number, "d": payload}))
        if self.outgoing is not None:
            self.outgoing.put_nowait(self.sent[-1])

    def replay(self, seen: int) -> None:
        """Send the events after number `seen` again, and then RESUMED."""
        if self.outgoing is not None:
            for frame in self.sent[seen:]:
                self.outgoing.put_nowait(frame)
        self.dispatch("RESUMED", {})
