"""The syntax trees of the product's modules, for tests that walk them.

Parsing all modules takes seconds. Such tests have the mark `WALKS`, so that one process
runs them all.
"""

import ast
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

import pytest

Node = TypeVar("Node", bound=ast.AST)

ROOT = Path(__file__).parents[2]

WALKS = pytest.mark.together("code")


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of a module. Callers must not change it."""
    return ast.parse(path.read_text())


@cache
def nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """Return the nodes of a syntax tree in the order of `ast.walk`, without those that
    say whether a name is read or set: they are a third, and each name has its own.
    Cached, because a walk takes nearly as long as parsing."""
    found = [tree]
    for node in found:
        for field in node._fields:
            value = None if field == "ctx" else getattr(node, field, None)
            if isinstance(value, ast.AST):
                found.append(value)
            elif isinstance(value, list):
                found += [each for each in value if isinstance(each, ast.AST)]
    return tuple(found)


def of_kind(tree: ast.AST, kind: type[Node]) -> Sequence[Node]:
    """Return the nodes of one kind in a syntax tree, in the order of `nodes`."""
    return cast(Sequence[Node], _by_kind(tree).get(kind, ()))


@cache
def _by_kind(tree: ast.AST) -> dict[type, Sequence[ast.AST]]:
    kinds = defaultdict[type, list[ast.AST]](list)
    for node in nodes(tree):
        kinds[type(node)].append(node)
    return dict(kinds)
