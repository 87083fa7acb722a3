"""A running process that uses the database. A frozen value."""

from dataclasses import dataclass

from bot.domain.vitals import Ages


@dataclass(frozen=True, slots=True)
class ListedProcess:
    """A running process, as other processes see it."""

    #: One of the roles in `bot.ports.wakeups`.
    role: str
    #: The machine, and the number of the process there.
    name: str
    #: In seconds since 1970, by the server's clock.
    started: float
    #: The time of its last heartbeat.
    seen: float
    #: The number of threads that it is answering in.
    threads: int
    #: The open turns of those threads.
    turns: tuple[Ages, ...] = ()
