"""Every sentence that people read stands in `bot.messages`, and is short and plain."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.code import tree
from tests.support.messages_page import FILE, messages, page
from tests.test_architecture import MODULES, ROOT

# The most characters of a message, of a sentence, and of a label.
MOST_CHARS, MOST_SENTENCE, MOST_LABEL = 420, 230, 100
# Words and parts of sentences, which have no full stop.
LABELS = {"dates", "labels", "options", "phrases", "plurals", "summaries"}
# Clauses behind a colon, and findings in a table.
CLAUSES = LABELS | {"check", "claude", "yaml"}
# More words than this, behind a capital, are a sentence.
FEW_WORDS = 6

# Riddles, and words of our own for what people call otherwise.
_ODD = re.compile(
    r"\b(afresh|lest|shall|whoever|whomever|wherever|administers?|read no more|"
    r"take[ns]? back|stands? there|rehearsal|steward|heard|told|lanes?|desk|"
    r"authority|beheld)\b",
    re.IGNORECASE,
)
# British spelling, as everywhere in the docs. "canceled:" is a word of the API.
_AMERICAN = re.compile(
    r"\b(canceled(?!:)|canceling|labeled|organizations?|recognized?|behaviors?|colors?|"
    r"favorites?|centers?|catalogs?|authorized?|customized?)\b",
    re.IGNORECASE,
)
_ERROR = re.compile(r"\b[A-Z]\w+(?:Error|Exception)\b|Traceback")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")
_MARKS = "*_`~>- "
_END = re.compile(r"[.!?:…](?:[*_`”\"')]*)$")

FOUND = list(messages())


def test_the_page_is_that_of_the_code() -> None:
    assert FILE.read_text() == page(), "run `make docs`"


@pytest.mark.parametrize(
    ("module", "text"),
    [(module, text) for module, _, text in FOUND],
    ids=[f"{module}.{name}" for module, name, _ in FOUND],
)
def test_a_message_is_short_and_plain(module: str, text: str) -> None:
    assert text.strip()
    assert "  " not in text
    assert "!!" not in text
    assert text.count("!") <= 1
    assert not _ODD.search(text)
    assert not _AMERICAN.search(text)
    assert not _ERROR.search(text)
    assert len(text) <= (MOST_LABEL if module in LABELS else MOST_CHARS)
    assert max(map(len, _SENTENCE_END.split(text))) <= MOST_SENTENCE
    is_item = text.splitlines()[-1].startswith("- ")
    is_sentence = text.strip(_MARKS)[0].isupper() and len(text.split()) > FEW_WORDS
    if module not in CLAUSES and is_sentence and not is_item:
        assert _END.search(text.rstrip()) or text.rstrip().endswith("}")


def test_nothing_is_said_twice_in_a_room() -> None:
    for module in {module for module, _, _ in FOUND}:
        texts = [text for each, _, text in FOUND if each == module]
        assert len(texts) == len(set(texts)), module


# What shows its arguments to people, or prints them.
SHOWN_BY = {
    *("Response", "Unacceptable", "Denied", "ConfigError", "AccessRevoked", "InUse"),
    *("Button", "Choice", "Menu", "Field", "Form", "Section", "Finding", "Option"),
    *("CommandSpec", "Parameter", "say", "complain", "_say", "Drawn", "tell"),
    *("command", "group"),
    *("button", "Button", "option", "Encoding", "Column", "JsonRow", "_foreign"),
}
# How sentences begin that are not for people, each with the reason.
NOT_FOR_PEOPLE = {
    "You take part in a thread": "Claude reads it in every thread",
    "You sort questions for": "Claude reads it to choose a model",
    "Between <ticket> tags": "Claude reads it with a ticket",
    "You are Threadkeep": "the default prompt",
    "Please go on exactly": "Claude reads it if an answer is continued",
    "[This answer was not finished": "Claude reads it behind a cut answer",
}
# Modules whose sentences are not for people, each with the reason.
FOR_CLAUDE = {
    Path("adapters/discord/content.py"): "the excerpts of polls, as Claude reads them",
}
_SENTENCE = re.compile(
    r"\A[*_`\s\-\[]*[A-Z][^\n]*[a-z]{2}.* .*[.!?…][*_`)\]]*\s*\Z", re.S
)
_WORDS = re.compile(r"[A-Za-z’']{2,} [A-Za-z’']{2,}|\A[A-Z][a-z]+ ?…?\Z")
# Names of commands and of options, and SQL.
_NAME = re.compile(r"\A[a-z_]+(?: [a-z]+)?\Z")
_SQL = re.compile(r"\A\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|VACUUM|PRAGMA)\b")


@pytest.mark.parametrize(
    "path",
    [p for p in MODULES if p.parts[:2] != ("bot", "messages") and p not in FOR_CLAUDE],
    ids=str,
)
def test_no_sentence_stands_outside_the_catalogue(path: Path) -> None:
    begins = tuple(NOT_FOR_PEOPLE)
    found = {
        line: text
        for line, text in _sentences(tree(ROOT / path))
        if not text.lstrip().startswith(begins)
    }
    assert found == {}


@pytest.mark.parametrize("begin", NOT_FOR_PEOPLE)
def test_an_exception_is_in_the_code(begin: str) -> None:
    texts = [text for path in MODULES for _, text in _sentences(tree(ROOT / path))]
    assert any(text.lstrip().startswith(begin) for text in texts)


@pytest.mark.parametrize("path", FOR_CLAUDE, ids=str)
def test_a_module_for_claude_has_sentences(path: Path) -> None:
    assert list(_sentences(tree(ROOT / path)))


@pytest.mark.parametrize("path", [p for p in MODULES if "cli" in p.parts], ids=str)
def test_help_for_a_command_is_in_the_catalogue(path: Path) -> None:
    """Click shows a docstring where a command has no `help`."""
    commands = [
        call
        for node in ast.walk(tree(ROOT / path))
        if isinstance(node, ast.FunctionDef)
        for call in node.decorator_list
        if isinstance(call, ast.Call)
        and getattr(call.func, "attr", "") in ("command", "group")
    ]
    for call in commands:
        [text] = [each.value for each in call.keywords if each.arg == "help"]
        assert ast.unparse(text).startswith("command_help.")


def test_every_message_is_used() -> None:
    """A sentence that no code names is one that nobody reads."""
    used = {found for path in MODULES for found in _used(path)}
    assert {f"{module}.{name}" for module, name, _ in FOUND} - used == set()


def _sentences(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and text of each string that reads like a sentence, or that is shown
    to people and has words."""
    skipped = {id(each) for node in ast.walk(module) for each in _not_for_people(node)}
    shown = {id(each) for node in ast.walk(module) for each in _shown(node)}
    inner = {
        id(value)
        for node in ast.walk(module)
        if isinstance(node, ast.JoinedStr)
        for value in node.values
    }
    for node in ast.walk(module):
        if id(node) in skipped or id(node) in inner or not _is_text(node):
            continue
        text = _literal(node)
        if _SQL.match(text) or _NAME.match(text):
            continue
        if _SENTENCE.match(text) or (id(node) in shown and _WORDS.search(text)):
            yield getattr(node, "lineno", 0), text


def _not_for_people(node: ast.AST) -> Iterator[ast.AST]:
    """Yield docstrings and what is logged."""
    body = getattr(node, "body", None)
    if isinstance(body, list):
        yield from (each.value for each in body if isinstance(each, ast.Expr))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        of = node.func.value
        if isinstance(of, ast.Name) and of.id == "log":
            yield from ast.walk(node)


def _shown(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the arguments of a call that shows them to people."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in SHOWN_BY:
            values = [*node.args, *(each.value for each in node.keywords)]
            yield from (v for v in values if _is_text(v))


def _is_text(node: ast.AST) -> bool:
    is_constant = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return is_constant or isinstance(node, ast.JoinedStr)


def _literal(node: ast.AST) -> str:
    """Return a string as it stands in the code, with "{}" for each value."""
    if isinstance(node, ast.JoinedStr):
        parts = (_literal(each) if _is_text(each) else "{}" for each in node.values)
        return "".join(parts)
    assert isinstance(node, ast.Constant)
    return str(node.value)


def _used(path: Path) -> Iterator[str]:
    """Yield "module.name" of each message that the module at `path` names."""
    nodes = list(ast.walk(tree(ROOT / path)))
    catalogues: dict[str, str] = {}
    for node in nodes:
        source = (isinstance(node, ast.ImportFrom) and node.module) or ""
        for alias in getattr(node, "names", ()) if source else ():
            if source == "bot.messages":
                catalogues[alias.asname or alias.name] = alias.name
            elif source.startswith("bot.messages."):
                yield f"{source.removeprefix('bot.messages.')}.{alias.name}"
    own = path.stem if path.parts[:2] == ("bot", "messages") else ""
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{catalogues.get(node.value.id, '')}.{node.attr}"
        elif own and isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield f"{own}.{node.id}"
