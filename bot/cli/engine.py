"""Opens the engine that wakes this process if it shares its database with others."""

from collections.abc import Sequence

from bot.cli.platforms import load_module
from bot.config import Config
from bot.domain.server_address import ServerAddress
from bot.errors import ConfigError
from bot.messages import cli as messages
from bot.ports.wakeups import SERVE, Wakeups
from storage.store import DatabaseStore


def open_wakeups(
    settings: Config, store: DatabaseStore, role: str, queues: Sequence[int]
) -> Wakeups | None:
    """Return the wake-ups of this process, which runs in `role` and serves `queues`.

    Empty `queues` mean all queues. Return None if the database is not on a server, so
    that no other process shares it.
    """
    if not isinstance(settings.database, ServerAddress):
        return None
    engine = load_module("storage.engine.engine")
    wakeups: Wakeups = engine.Engine(
        settings.database.url,
        store.owner,
        role,
        at_once=settings.answers_at_once,
        reaped=store.book_left_calls,
        queues=queues,
    )
    return wakeups


def require_shared(settings: Config, role: str) -> None:
    """Raise ConfigError if a process in `role` cannot run on this database."""
    if role != SERVE and not isinstance(settings.database, ServerAddress):
        raise ConfigError(messages.needs_postgresql(command=role))
