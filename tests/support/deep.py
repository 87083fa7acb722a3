"""The length of randomised tests: short in `make test`, long in `make deep`."""

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

DEEP = bool(os.environ.get("DEEP"))


def rounds(short: T, deep: T) -> T:
    """Return `deep` under `make deep` (the variable DEEP is set), else `short`."""
    return deep if DEEP else short


def share(items: Sequence[T], number: int, of: int) -> Sequence[T]:
    """Return all of `items` under `make deep`, else every `of`th from `number` on.
    Tests that try each item in several ways thus try other items in each way."""
    return items if DEEP else items[number % of :: of]


def deep_only(*cases: T) -> tuple[T, ...]:
    """Return `cases` under `make deep`, else none of them."""
    return cases if DEEP else ()
