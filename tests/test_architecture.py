"""The rules of the house, so that nobody has to remember them."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = ("bot", "adapters", "storage")
MODULES = sorted(p.relative_to(ROOT) for d in CODE for p in (ROOT / d).rglob("*.py"))

# Third parties, and our own packages, by the longest matching path.
MAY_IMPORT = {
    "bot": {"bot"},
    "bot/__main__.py": {"bot", "storage", "click"},
    "bot/exchange.py": {"bot", "storage", "click"},
    "bot/commandline.py": {"bot", "click", "dotenv", "rich"},
    "bot/documents.py": {"bot", "yaml"},
    "bot/portable.py": {"bot", "yaml"},
    "bot/printing.py": {"bot", "rich"},
    "bot/report.py": {"bot", "rich"},
    "bot/claude.py": {"bot", "anthropic", "httpx2"},
    "bot/faults.py": {"bot", "anthropic", "httpx2"},
    "bot/rounds.py": {"bot", "anthropic"},
    **{
        f"bot/triage/{name}.py": {"bot", "anthropic", "httpx2"}
        for name in ("now", "batches", "estimate")
    },
    **{
        f"bot/triage/{name}.py": {"bot", "anthropic"}
        for name in ("account", "asking", "judging", "runs", "working")
    },
    **{
        f"bot/triage/{name}.py": {"bot", "rich"}
        for name in ("output", "scores", "screen")
    },
    "bot/triage/commands.py": {"bot", "storage", "click"},
    "bot/triage/plot.py": {"bot", "matplotlib"},
    "bot/triage/scheme.py": {"bot", "pydantic"},
    "adapters/discord": {"adapters.discord", "bot", "aiohttp", "discord", "yarl"},
    "adapters/slack": {
        *("adapters.slack", "bot"),
        *("aiohttp", "slack_bolt", "slack_sdk", "yarl"),
    },
    "adapters/terminal": {"adapters.terminal", "bot", "prompt_toolkit", "rich"},
    "adapters/__init__.py": set(),
    "storage": {"bot", "storage", "sqlite_utils"},
}

# Inside bot, arrows point down this list only.
LAYERS = (
    (
        "bot",
        "bot.allowance",
        "bot.channels",
        "bot.comparison",
        "bot.dialogue",
        "bot.entries",
        "bot.errors",
        "bot.files",
        "bot.findings",
        "bot.images",
        "bot.lru",
        "bot.markdown",
        "bot.numbers",
        "bot.offload",
        "bot.pings",
        "bot.redaction",
        "bot.retention",
        "bot.tags",
        "bot.text",
        "bot.trace",
        "bot.triage.cells",
        "bot.triage.throttle",
        "bot.values",
    ),
    (
        "bot.addresses",
        "bot.background",
        "bot.catalogue",
        "bot.commandline",
        "bot.context",
        "bot.controls",
        "bot.documents",
        "bot.endings",
        "bot.fairness",
        "bot.faults",
        "bot.grants",
        "bot.inline",
        "bot.limits",
        "bot.logs",
        "bot.patience",
        "bot.permissions",
        "bot.rehearsal",
        "bot.rules",
        "bot.served",
        "bot.splitter",
        "bot.triage.values",
    ),
    (
        "bot.billing",
        "bot.lanes",
        "bot.money",
        "bot.pacing",
        "bot.people",
        "bot.routing",
        "bot.tables",
        "bot.triage.cases",
        "bot.triage.scheme",
        "bot.triage.stores",
        "bot.triage.tickets",
    ),
    (
        "bot.audience",
        "bot.dialect",
        "bot.ledger",
        "bot.pacer",
        "bot.ports",
        "bot.readers",
        "bot.rounds",
        "bot.triage.asking",
        "bot.triage.evaluate",
        "bot.triage.output",
    ),
    (
        "bot.asides",
        "bot.claude",
        "bot.options",
        "bot.renderer",
        "bot.stores",
        "bot.triage.now",
        "bot.triage.plot",
    ),
    (
        "bot.cleanup",
        "bot.failures",
        "bot.operator_limits",
        "bot.portable",
        "bot.reply",
        "bot.stored",
        "bot.targets",
        "bot.triage.batches",
        "bot.verbs",
    ),
    (
        "bot.policy",
        "bot.triage.estimate",
        "bot.triage.runs",
    ),
    (
        "bot.authority",
        "bot.ceilings",
        "bot.settings",
    ),
    (
        "bot.checks",
        "bot.exchange",
        "bot.inbox",
        "bot.telling",
        "bot.triage.account",
        "bot.triage.announcing",
        "bot.visible",
    ),
    (
        "bot.answers",
        "bot.audit_lines",
        "bot.report",
        "bot.steward",
        "bot.totals",
        "bot.triage.library",
        "bot.triage.screen",
        "bot.triage.shown",
        "bot.triage.sorter",
        "bot.trying",
    ),
    (
        "bot.changing",
        "bot.composer",
        "bot.printing",
        "bot.triage",
        "bot.triage.inchat",
        "bot.triage.judging",
        "bot.triage.labelled",
        "bot.triage.scores",
        "bot.triage.working",
    ),
    (
        "bot.past",
        "bot.responder",
        "bot.triage.auto",
        "bot.triage.commands",
    ),
    ("bot.desk",),
    ("bot.app",),
    ("bot.__main__",),
)

MOST_LINES = 400


def imports(path: Path) -> set[str]:
    """Every module that `path` imports, as far as its text says."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            # A package on the way to a module in it is not what is imported.
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {name for name in full if is_module(name)}
            found |= modules if modules == full else modules | {node.module}
    return found


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def name_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def covers(allowed: str, module: str) -> bool:
    return module == allowed or module.startswith(f"{allowed}.")


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_only_what_its_place_may(path: Path) -> None:
    place = max((p for p in MAY_IMPORT if str(path).startswith(p)), key=len)
    allowed = MAY_IMPORT[place] | sys.stdlib_module_names
    strangers = {
        module
        for module in imports(path)
        if not any(covers(each, module) for each in allowed)
    }
    # A package may be imported on the way to a module in it.
    assert strangers - {"adapters"} == set()


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_nothing_inside_a_function(path: Path) -> None:
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = [
                n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)
            ]
            assert inner == [], f"{path}:{node.lineno}"


def test_the_arrows_inside_bot_point_one_way() -> None:
    level = {name: i for i, names in enumerate(LAYERS) for name in names}
    ours = {name_of(p): p for p in MODULES if p.parts[0] == "bot"}
    assert set(ours) - set(level) == set(), "give the new module its layer"
    wrong = [
        f"{name} imports {other}"
        for name, path in ours.items()
        for other in imports(path)
        if other in level and other != "bot" and level[other] > level[name]
    ]
    assert wrong == []


def test_there_is_no_cycle() -> None:
    graph = {name_of(p): {m for m in imports(p) if is_module(m)} for p in MODULES}
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " → ".join([*way, name])
        if name not in done and name in graph:
            for other in sorted(graph[name] - {name}):
                visit(other, (*way, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_has_one_job(path: Path) -> None:
    text = (ROOT / path).read_text()
    assert len(text.splitlines()) <= MOST_LINES
    assert path.stem not in {"utils", "helpers", "common", "base", "manager"}
    assert ast.get_docstring(ast.parse(text)), "what is it for?"
