"""The product's code, for tests that walk it."""

import ast
from functools import cache
from pathlib import Path


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a module, which is read and not changed."""
    return ast.parse(path.read_text())
