"""The rule between rooms, and the few rules that every module keeps."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from tests.support.code import WALKS, nodes, tree

pytestmark = WALKS

ROOT = Path(__file__).parent.parent
MODULES = sorted(
    path.relative_to(ROOT)
    for folder in ("bot", "adapters", "storage")
    for path in (ROOT / folder).rglob("*.py")
)

# A room of `bot/` may import the rooms below its own line, and itself.
LINES = """
    cli __main__ triage
    app
    commands triage.evaluation cleanup reports listening
    conversation triage.chat triage.bulk
    api_access budgets config operator_alerts last_names mcp_listings vitals
    settings
    claude delivery context platforms
    ports
    ui rendering runtime schemes triage.answer
    domain
    text
    errors
    messages
"""
# The rooms of `bot/` that each package outside may import.
OUTSIDE = {
    "adapters": "ports ui rendering.inline rendering.markdown rendering.safe_links"
    " rendering.html_tags rendering.latex runtime domain messages"
    " text errors",
    "storage": (
        "ports runtime domain text errors messages triage.answer settings.stored_values"
    ),
}
# The rooms that may import our own packages outside `bot/`, and each third party.
THIRD_PARTIES = {
    "storage": "cli storage",
    "adapters": "cli",
    "anthropic": "claude",
    "opentelemetry": "claude",
    "httpx2": "claude",
    "msgspec": "claude vitals adapters.web",
    "wcwidth": "rendering",
    **dict.fromkeys(("PIL", "pillow_heif", "pypdf", "mammoth", "pptx"), "context"),
    "python_calamine": "context",
    "yaml": "text settings",
    "pydantic": "schemes",
    "chardet": "runtime",
    "click": "cli",
    "dotenv": "runtime",
    "rich": "cli runtime triage.bulk triage.evaluation adapters.terminal",
    "markdown_it": "runtime adapters.web",
    "matplotlib": "triage.evaluation",
    "prompt_toolkit": "adapters.terminal",
    "discord": "adapters.discord",
    "slack_bolt": "adapters.slack",
    "slack_sdk": "adapters.slack",
    "aiohttp": "adapters.discord adapters.slack adapters.web",
    "jinja2": "adapters.web",
    "markupsafe": "adapters.web",
    "nh3": "adapters.web",
    "pygments": "adapters.web",
    "yarl": "adapters.discord adapters.slack",
    "sqlite_utils": "storage",
    "psycopg": "storage.postgres storage.engine",
    "psycopg_pool": "storage.engine",
    "procrastinate": "storage.engine",
    "prometheus_client": "adapters.web",
    "cryptography": "storage",
}
MOST_LINES = 400

# Texts that may name a module.
_MODULE = re.compile(r"(?:bot|adapters|storage)(?:\.[a-z_]+)+")

LEVEL = {
    room: level
    for level, line in enumerate(reversed(LINES.strip().splitlines()))
    for room in line.split()
}


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Return every module that `path` imports, or names in a text to import later."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in nodes(tree(ROOT / path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if is_module(full) else str(node.module)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and _MODULE.fullmatch(node.value)
        ):
            yield node.value


@cache
def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def name_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str:
    """Return "settings" for `bot.settings.options`, "triage.bulk" for what is in that,
    "adapters.slack" for an adapter, "storage.postgres" and "storage.engine" for what
    is in those, else the first part."""
    first, *rest = module.split(".")
    if first == "bot":
        deep = rest[:1] == ["triage"]
        return ".".join(rest[: 2 if deep else 1]) or "bot"
    if covers("storage.postgres storage.engine", module):
        return ".".join([first, *rest[:1]])
    return ".".join([first, *rest[:1]]) if first == "adapters" else first


def covers(allowed: str, name: str) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in allowed.split())


def may_import(importer: str, imported: str) -> bool:
    room, target = room_of(importer), room_of(imported)
    first = imported.split(".")[0]
    if first in sys.stdlib_module_names or room == target or imported == "bot":
        return True
    if first != "bot":
        return covers(THIRD_PARTIES.get(first, ""), room)
    if room in LEVEL:
        return LEVEL.get(target, len(LEVEL)) < LEVEL[room] or room == "__main__"
    return covers(OUTSIDE[room.split(".")[0]], imported.removeprefix("bot."))


def test_a_module_imports_what_its_room_may() -> None:
    wrong = {
        (str(path), each)
        for path in MODULES
        for each in imports(path)
        if not may_import(name_of(path), each)
    }
    assert wrong == set()


def test_there_is_no_cycle_between_modules() -> None:
    known = {name_of(path): path for path in MODULES}
    graph = {
        name: {each for each in imports(path) if each in known and each != name}
        for name, path in known.items()
    }
    TopologicalSorter(graph).prepare()


def test_a_module_is_short_and_says_what_it_is_for() -> None:
    vague = {"utils", "helpers", "common", "base", "manager"}
    lines = {path: len((ROOT / path).read_text().splitlines()) for path in MODULES}
    assert [path for path in MODULES if lines[path] > MOST_LINES] == []
    assert [path for path in MODULES if path.stem in vague] == []
    assert [path for path in MODULES if not ast.get_docstring(tree(ROOT / path))] == []


def test_a_function_imports_nothing() -> None:
    inner = []
    for path in MODULES:
        found = nodes(tree(ROOT / path))
        bodies = [
            range(each.lineno, (each.end_lineno or each.lineno) + 1)
            for each in found
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        inner += [
            f"{path}:{node.lineno}"
            for node in found
            if isinstance(node, ast.Import | ast.ImportFrom)
            if any(node.lineno in body for body in bodies)
        ]
    assert inner == []


def test_one_module_encrypts() -> None:
    found = {
        name_of(path)
        for path in MODULES
        for each in imports(path)
        if covers("cryptography", each)
    }
    assert found == {"storage.encryption"}


# The modules that read files, and the libraries that only they may import.
FILE_READERS = "images pdfs texts word slides workbooks open_sheets"
FILE_LIBRARIES = "PIL pypdf mammoth pptx python_calamine"


def test_a_library_for_files_is_imported_when_a_file_is_read() -> None:
    """They take longer to import than all that Threadkeep imports when it starts."""
    readers = {f"bot.context.files.{each}" for each in FILE_READERS.split()}
    for path in MODULES:
        found = set(imports(path))
        assert not found & readers, path
        if name_of(path) not in readers:
            assert not [each for each in found if covers(FILE_LIBRARIES, each)], path
