"""The product's code, for tests that walk it."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a module, which is read and not changed."""
    return ast.parse(path.read_text())


def read_all() -> None:
    """Read the modules of the product, so that processes that are forked from this one
    have them."""
    for folder in ("bot", "adapters", "storage"):
        for path in (ROOT / folder).rglob("*.py"):
            tree(path)
