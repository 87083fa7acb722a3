"""Every port is small, and only composition roots name the sum of them."""

import ast
import importlib
from pathlib import Path
from typing import Protocol

import pytest

from tests.support import code

pytestmark = code.WALKS

ROOT = Path(__file__).parents[2]
MOST_MEMBERS = 10

#: Sums of all ports of a store, and the modules that hand out their parts.
SUMS = {
    "Store": {
        *("bot/app.py", "bot/cli/serve.py"),
        *("bot/commands/assembly.py", "bot/conversation/assembly.py"),
    },
    "Archive": {
        "bot/cli/triage_run.py",
        "bot/triage/evaluation/evaluate.py",
    },
}

PORTS = [
    value
    for path in sorted((ROOT / "bot/ports").glob("*.py"))
    if path.stem not in {"__init__", "platform"}
    for value in vars(importlib.import_module(f"bot.ports.{path.stem}")).values()
    if getattr(value, "_is_protocol", False) and value.__module__.endswith(path.stem)
]


def members(port: type) -> set[str]:
    """Return the members of `port`, those of its bases included."""
    return {
        name
        for base in port.__mro__
        if getattr(base, "_is_protocol", False) and base is not Protocol
        for name in vars(base).keys() | vars(base).get("__annotations__", {}).keys()
        if not name.startswith("_")
    }


@pytest.mark.parametrize("port", PORTS, ids=lambda port: port.__name__)
def test_a_port_has_few_members(port: type) -> None:
    if port.__name__ in SUMS:
        assert not {name for name in vars(port) if not name.startswith("_")}
    else:
        assert 0 < len(members(port)) <= MOST_MEMBERS


@pytest.mark.parametrize("name", SUMS)
def test_only_a_composition_root_names_the_sum_of_all_ports(name: str) -> None:
    importers = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "bot").rglob("*.py")
        for node in code.nodes(code.tree(path))
        if isinstance(node, ast.ImportFrom)
        and str(node.module).startswith("bot.ports")
        and name in {alias.name for alias in node.names}
    }
    assert importers == SUMS[name]
