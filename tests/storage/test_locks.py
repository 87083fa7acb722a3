"""Every verb that writes begins with its lock."""

import ast
from pathlib import Path

from tests.support.code import tree

STORAGE = Path(__file__).parents[2] / "storage"

# What begins with none of `storage.locks` and has several statements, and why.
REASONS = {
    "ledger.close_charge": "the lock is that of the workspace of the charge",
    "triage_cases.correct_case": "the first statement locks the case",
    "channel_moves.move_channel": "it reads first which workspaces it has to lock",
    "names.drop_names": "a workspace each, which is served no more",
    "posts.put_post": "the first statement writes the post, which its files belong to",
    "triage_cases.record_case_result": "the first statement writes the case",
    "triage_cases.approve_example": "the first statement writes the case",
    "installations.store_state": "states have nothing to do with each other",
    "installations.store_installation": "versions are given under the row of all",
    "installations.replace_tokens": "versions are given under the row of all",
    "installations.end_installation": "versions are given under the row of all",
}


def verbs() -> dict[str, str]:
    """Return the function that carries out each verb that writes, by the verb."""
    found = {}
    for node in ast.walk(tree(STORAGE / "store.py")):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            called = node.value
            if isinstance(called.func, ast.Name) and called.func.id == "write":
                found[ast.unparse(node.targets[0])] = ast.unparse(called.args[0])
    return found


def function(name: str) -> ast.FunctionDef:
    module, _, function = name.partition(".")
    for node in tree(STORAGE / f"{module}.py").body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return node
    raise AssertionError(name)


def of_database(node: ast.FunctionDef) -> list[str]:
    """Return the names of the calls that use the connection, in order."""
    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
    calls.sort(key=lambda each: (each.lineno, each.col_offset))
    return [
        ast.unparse(each.func)
        for each in calls
        if ast.unparse(each.func) == "db.execute"
        or (each.args and ast.unparse(each.args[0]) == "db")
    ]


def test_a_write_begins_with_its_lock() -> None:
    known = verbs()
    assert len(known) > 30
    without = []
    for name in known.values():
        calls = of_database(function(name))
        if not (calls[0].startswith("locks.") or len(calls) == 1):
            without.append(name)
    assert sorted(set(without) - REASONS.keys()) == []
    assert sorted(REASONS.keys() - set(without)) == []
