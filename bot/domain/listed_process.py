"""A process that runs on a database. A frozen value."""

from dataclasses import dataclass

from bot.domain.vitals import Ages


@dataclass(frozen=True, slots=True)
class ListedProcess:
    """A running process, as others see it."""

    #: One of the roles in `bot.ports.wakeups`.
    role: str
    #: Its machine and its number there.
    name: str
    #: In seconds since 1970, by the server's clock.
    started: float
    #: The time of its last sign of life.
    seen: float
    #: How many threads it answers in now.
    threads: int
    #: The open turns of those.
    turns: tuple[Ages, ...] = ()
