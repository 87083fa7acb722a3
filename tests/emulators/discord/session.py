"""A session of the gateway: what one shard of the bot was told (B1). No I/O.

A session outlives its connections. It numbers what it tells, and keeps it, so that
a client which comes back gets what it missed.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.discord.model import Json
from tests.emulators.discord.visibility import Eyes

Wire = Callable[[Any], str]


def shard_of(guild: int, count: int) -> int:
    """Return the shard, of `count`, that hears of a guild (B1); 0 for no guild, whose
    events are those of direct messages."""
    return (guild >> 22) % count


@dataclass(slots=True)
class Session:
    """The events that one shard was sent, and its connection."""

    id: str
    #: The number of the shard, and how many there are.
    shard: tuple[int, int]
    eyes: Eyes
    wire: Wire
    sent: list[str] = field(default_factory=list)
    #: The messages to be sent over its connection; None while it has none.
    outgoing: "asyncio.Queue[str | None] | None" = None

    def concerns(self, event: str, payload: Json) -> bool:
        """Return whether an event is this shard's (B1): by guild, and shard 0 has the
        direct messages."""
        about_guild = event in ("GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE")
        guild = payload["id"] if about_guild else payload.get("guild_id")
        number, count = self.shard
        return event == "USER_UPDATE" or shard_of(int(guild or 0), count) == number

    def tell(self, event: str, payload: Json) -> None:
        """Tell the client of an event, as much as it may know of it."""
        seen = self.eyes.seen(event, payload)
        if seen is not None:
            self.dispatch(event, seen)

    def dispatch(self, event: str, payload: Json) -> None:
        """Send an event as it is."""
        number = len(self.sent) + 1
        self.sent.append(self.wire({"op": 0, "t": event, "s": number, "d": payload}))
        if self.outgoing is not None:
            self.outgoing.put_nowait(self.sent[-1])

    def replay(self, seen: int) -> None:
        """Send again what came after number `seen`, and say that this was all."""
        if self.outgoing is not None:
            for frame in self.sent[seen:]:
                self.outgoing.put_nowait(frame)
        self.dispatch("RESUMED", {})
