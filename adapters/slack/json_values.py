"""Reads values of foreign JSON, which may have unexpected types. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def sequence(value: object) -> Sequence[Any]:
    """Return `value`, or an empty sequence if it is not a list."""
    return value if isinstance(value, list) else ()


def mapping(value: object) -> Mapping[str, Any]:
    """Return `value`, or an empty mapping if it is not a mapping."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield the mappings in the list `value`; none if it is not a list."""
    return (each for each in sequence(value) if isinstance(each, Mapping))


def text(value: object) -> str:
    """Return the text or number `value` as text; "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)
