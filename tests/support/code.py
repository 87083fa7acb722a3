"""The syntax trees of the product's modules, for tests that walk them.

Parsing all modules takes seconds. Such tests have the mark `WALKS`, so that one process
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
    """Return the syntax tree of a module. Callers must not change it."""
    return ast.parse(path.read_text())


@cache
def nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """Return all nodes of a syntax tree. Cached, because a walk takes as long as
    parsing."""
    return tuple(ast.walk(tree))
