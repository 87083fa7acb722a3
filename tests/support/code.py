"""The product's code, for tests that walk it.

To read all of it takes seconds: such a test has the mark `WALKS`, so that one process
runs them all.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

WALKS = pytest.mark.together("code")


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a module, which is read and not changed."""
    return ast.parse(path.read_text())


@cache
def nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """Return all nodes of a syntax tree, which takes as long as reading it does."""
    return tuple(ast.walk(tree))
