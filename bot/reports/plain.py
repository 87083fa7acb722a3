"""Converts reports to plain values for JSON and CSV. Pure.

Times are ISO 8601 in UTC. Scopes and threads are written as "platform:workspace:…".
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from bot.domain.scope import Scope, ThreadKey

# Fields with a time in seconds since 1970.
_TIMES = {"at", "since", "heard", "started", "last", "oldest"}


def plain(value: Any) -> Any:
    """Return `value`, a report or a part of one, as plain values."""
    if isinstance(value, Scope | ThreadKey):
        return ":".join(filter(None, map(str, _parts(value))))
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {
            each.name.removeprefix("is_"): _field(each.name, getattr(value, each.name))
            for each in fields(value)
        }
    if isinstance(value, Mapping):
        return {plain(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return round(value, 6) if isinstance(value, float) else value


def _field(name: str, value: Any) -> Any:
    if name in _TIMES and isinstance(value, float | int):
        return datetime.fromtimestamp(value, UTC).isoformat()
    return plain(value)


def _parts(place: Scope | ThreadKey) -> tuple[str, str, str, str]:
    return place.platform, place.workspace, place.channel, place.thread
