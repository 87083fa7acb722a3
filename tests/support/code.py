"""The product's code, for tests that walk it."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a module, which is read and not changed."""
    return ast.parse(path.read_text())


@cache
def nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """Return all nodes of a syntax tree, which takes as long as reading it does."""
    return tuple(ast.walk(tree))


def read_all() -> None:
    """Read the modules of the product, so that processes that are forked from this one
    have them."""
    for folder in ("bot", "adapters", "storage"):
        for path in (ROOT / folder).rglob("*.py"):
            nodes(tree(path))
