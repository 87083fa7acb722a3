"""Tracks the connections of the platforms: when each was opened and last heard."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bot.domain.vitals import Connection

# How many probes that came back are remembered: enough for some seconds at the highest
# rate that a platform allows.
MOST_ECHOES = 200


@dataclass(slots=True)
class _State:
    #: The open connections; a platform may need several.
    open: set[str] = field(default_factory=set)
    #: The connections that were opened before: one that opens again was lost in
    #: between.
    known: set[str] = field(default_factory=set)
    since: float | None = None
    heard: float | None = None
    reconnects: int = 0
    events: int = 0
    is_local: bool = False


class Connections:
    """Implements `bot.ports.host.Health` for the `platforms` that were set up."""

    def __init__(
        self, platforms: Iterable[str], now: Callable[[], float] = time.time
    ) -> None:
        self._now = now
        self._states = {name: _State() for name in platforms}
        self._echoes: deque[str] = deque(maxlen=MOST_ECHOES)
        #: Set when every platform has been connected once.
        self.complete = asyncio.Event()
        #: Called when a probe has come back.
        self.on_echo: Callable[[], None] = lambda: None

    async def opened(self, within: float) -> None:
        """Wait until every platform has been connected once, at most `within`
        seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self.complete.wait()

    def local(self, platform: str) -> None:
        """Record that `platform` runs in this process and needs no connection."""
        state = self._states[platform]
        state.is_local = True
        self._count_whole(state)

    def connected(self, platform: str, connection: str = "", of: int = 1) -> None:
        """Record that `connection` is open, one of the `of` connections that `platform`
        needs."""
        state = self._states[platform]
        if connection in state.open:
            return
        state.reconnects += connection in state.known
        state.open.add(connection)
        state.known.add(connection)
        if len(state.open) >= of:
            self._count_whole(state)

    def lost(self, platform: str, connection: str = "") -> None:
        """Record that `connection` is no longer open."""
        state = self._states[platform]
        state.open.discard(connection)
        state.since = None

    def heard(self, platform: str, echo: str = "") -> None:
        """Record that an event of `platform` arrived; `echo` is the id if it is a
        probe."""
        state = self._states[platform]
        state.heard = self._now()
        state.events += 1
        if echo:
            self._echoes.append(f"{platform}:{echo}")
            self.on_echo()

    def all(self, failures: Mapping[str, Exception]) -> tuple[Connection, ...]:
        """Return the connection of every platform; those in `failures` were shut
        down."""
        return tuple(
            Connection(
                name,
                since=None if name in failures else state.since,
                heard=state.heard,
                reconnects=state.reconnects,
                events=state.events,
                is_local=state.is_local,
                failure=str(failures.get(name, "")),
            )
            for name, state in self._states.items()
        )

    def _count_whole(self, state: _State) -> None:
        state.since = self._now()
        if all(each.since is not None for each in self._states.values()):
            self.complete.set()

    @property
    def echoes(self) -> tuple[str, ...]:
        """The probes that came back, as "platform:id", the newest last."""
        return tuple(self._echoes)
