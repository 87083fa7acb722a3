"""Names values inside the objects of a JSON row: `fields.summary`. Pure.

Rule: a key of the row itself precedes a value inside an object with the same name.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

# The most objects around a value, and the most names.
_DEPTH = 5
_MOST = 2_000


def value(row: Mapping[str, Any], name: str) -> Any:
    """Return the value `name` of `row`, at any depth; None if there is none."""
    if name in row:
        return row[name]
    at = name.find(".")
    while at > 0:
        inner = row.get(name[:at])
        if isinstance(inner, Mapping):
            found = value(inner, name[at + 1 :])
            if found is not None:
                return found
        at = name.find(".", at + 1)
    return None


def names(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the names of all values inside objects of `rows`, in their order."""
    found: dict[str, None] = {}
    for row in rows:
        inner = (
            name
            for key, each in row.items()
            if isinstance(each, Mapping)
            for name in _names(each, f"{key}.", _DEPTH)
        )
        found.update(dict.fromkeys(islice(inner, _MOST)))
        if len(found) > _MOST:
            break
    return tuple(islice(found, _MOST))


def _names(inner: Mapping[str, Any], before: str, depth: int) -> Iterator[str]:
    for key, each in inner.items():
        yield f"{before}{key}"
        if isinstance(each, Mapping) and depth > 1:
            yield from _names(each, f"{before}{key}.", depth - 1)
