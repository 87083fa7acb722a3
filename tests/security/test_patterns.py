"""Every regular expression of the product is a constant and takes linear time.

Rule: a pattern is a constant of a module, `NAME = re.compile("literal", flags)`, or is
composed of such literals by name. So no pattern contains text of people, and this
module can test each one.
"""

import ast
import importlib
import pkgutil
import random
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import pytest

import adapters
import bot
import storage
from tests.security import growth
from tests.security.growth import is_linear
from tests.support import code
from tests.support.deep import rounds

ROOT = Path(__file__).parent.parent.parent
MODULES = sorted(
    path
    for package in ("bot", "adapters", "storage")
    for path in (ROOT / package).rglob("*.py")
)

#: What of `re` takes a pattern as its first argument.
MAKERS = {
    *("compile", "search", "match", "fullmatch", "split", "findall", "finditer"),
    *("sub", "subn", "template", "escape"),
}


#: What runs when it is imported, what changes how the process takes Ctrl-C, and what
#: needs a package that is not always there. None holds a pattern, which is tested, too.
ELSEWHERE = {"bot.__main__", "bot.cli.main", "bot.triage.evaluation.plot"}


@cache
def patterns() -> dict[str, re.Pattern[str]]:
    """Return every pattern in a module of the product, by its place."""
    found: dict[str, re.Pattern[str]] = {}
    for package in (bot, adapters, storage):
        found |= _of(package.__name__)
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if each.name not in ELSEWHERE:
                found |= _of(each.name)
    return found


def _of(module: str) -> dict[str, re.Pattern[str]]:
    held = vars(importlib.import_module(module)).items()
    return {
        f"{module}.{name}{part}": pattern
        for name, value in held
        for part, pattern in _in(value)
    }


def _in(value: object) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield the patterns that a constant is, or holds."""
    if isinstance(value, re.Pattern):
        yield "", value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from ((f"[{key}]", pattern) for _, pattern in _in(each))
    elif isinstance(value, list | tuple | set | frozenset):
        for nth, each in enumerate(value):
            yield from ((f"[{nth}]", pattern) for _, pattern in _in(each))


# Where they stand.


def _texts(tree: ast.Module) -> set[str]:
    """Return the names that a module binds at its top, by assignment or import."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign):
            names |= {each.id for each in node.targets if isinstance(each, ast.Name)}
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names |= {alias.asname or alias.name for alias in node.names}
    return names


def _is_literal(node: ast.expr, names: set[str]) -> bool:
    """Return whether `node` is a string, or built of strings that constants name."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    if isinstance(node, ast.JoinedStr):
        parts = [each for each in node.values if isinstance(each, ast.FormattedValue)]
        return all(_names_constant(each.value, names) for each in parts)
    return _names_constant(node, names)


def _names_constant(node: ast.expr, names: set[str]) -> bool:
    is_constant = isinstance(node, ast.Name) and node.id.strip("_").isupper()
    return isinstance(node, ast.Name) and is_constant and node.id in names


def misplaced(tree: ast.Module) -> list[int]:
    """Return the lines in which a module makes a pattern elsewhere, or of something
    else."""
    names, wrong = _texts(tree), []
    at_top = {id(node) for node in _at_top(tree)}
    for taken in code.of_kind(tree, ast.ImportFrom):
        if taken.module == "re":
            wrong.append(taken.lineno)
    for node in code.of_kind(tree, ast.Call):
        if not isinstance(node.func, ast.Attribute):
            continue
        made_of = node.func.value
        if not isinstance(made_of, ast.Name) or made_of.id != "re":
            continue
        if node.func.attr not in MAKERS:
            continue
        fits = (
            node.func.attr == "compile"
            and id(node) in at_top
            and bool(node.args)
            and _is_literal(node.args[0], names)
        )
        if not fits:
            wrong.append(node.lineno)
    return wrong


def _at_top(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the nodes of the values that a module assigns at its top."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            yield from ast.walk(node.value)


@code.WALKS
def test_a_pattern_is_a_constant() -> None:
    found = {path: misplaced(code.tree(path)) for path in MODULES}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_a_pattern_anywhere_else_is_found() -> None:
    for text in (
        "def f(x):\n    return re.sub('a', 'b', x)",
        "def f(x):\n    return re.compile(re.escape(x))",
        "x = input()\nPATTERN = re.compile(x)",
        "PATTERN = re.compile(f'{open(0).read()}')",
        "from re import sub",
        "class A:\n    pattern = re.compile('a')",
    ):
        assert misplaced(ast.parse(f"import re\n{text}")), text
    fine = 'import re\n_A = "a"\nB = re.compile(rf"{_A}+", re.DOTALL)\nC = {1: B}'
    assert misplaced(ast.parse(fine)) == []


# That they are linear.


def _samples(parsed: Any, chance: random.Random) -> list[str]:
    """Short texts that `pattern` has to do with: its literals, members of its classes
    of characters, beginnings of what it matches, and whole matches."""
    found: set[str] = {" ", "\n", "a", "<", "`", "0", "_"}
    literals = "".join(_literals(parsed))
    found |= set(literals)
    for _ in range(rounds(4, 12)):
        text = _matching(parsed, chance)[:60]
        found.add(text)
        found |= {text[:size] for size in (1, 2, 3, len(text) // 2, len(text) - 1)}
        found |= {text[1:], text[len(text) // 2 :]}
    return sorted(each for each in found if each)


def _literals(parsed: Any) -> Iterator[str]:
    for op, value in parsed:
        if op in (sre.LITERAL, sre.NOT_LITERAL):
            yield chr(value)
        elif op is sre.IN:
            yield from (
                chr(each[1]) if each[0] is sre.LITERAL else chr(each[1][0])
                for each in value
                if each[0] in (sre.LITERAL, sre.RANGE)
            )
        else:
            for inner in _inner(op, value):
                yield from _literals(inner)


def _inner(op: Any, value: Any) -> list[Any]:
    """Return the patterns in one part of a parsed pattern."""
    if op is sre.BRANCH:
        return list(value[1])
    if op is sre.SUBPATTERN:
        return [value[3]]
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        return [value[2]]
    if op in (sre.ASSERT, sre.ASSERT_NOT):
        return [value[1]]
    return [value] if op is sre.ATOMIC_GROUP else []


def _matching(parsed: Any, chance: random.Random) -> str:
    """Return a text that a parsed pattern matches, or nearly: look-arounds are taken
    for what is to be there."""
    pieces: list[str] = []
    for op, value in parsed:
        if op is sre.LITERAL:
            pieces.append(chr(value))
        elif op is sre.NOT_LITERAL:
            pieces.append("x" if value != ord("x") else "y")
        elif op is sre.ANY:
            pieces.append(chance.choice("ab "))
        elif op is sre.IN:
            pieces.append(_member(value, chance))
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            least, most, inner = value
            count = min(most, max(least, chance.randint(0, 3)))
            pieces += [_matching(inner, chance) for _ in range(count)]
        elif op is sre.BRANCH:
            pieces.append(_matching(chance.choice(value[1]), chance))
        elif op in (sre.SUBPATTERN, sre.ATOMIC_GROUP, sre.ASSERT):
            pieces += [_matching(each, chance) for each in _inner(op, value)]
        elif op is sre.GROUPREF:
            pieces.append(chance.choice(pieces or [""]))
    return "".join(pieces)


_OF_CATEGORY = {
    sre.CATEGORY_DIGIT: "7",
    sre.CATEGORY_NOT_DIGIT: "a",
    sre.CATEGORY_SPACE: " ",
    sre.CATEGORY_NOT_SPACE: "a",
    sre.CATEGORY_WORD: "a",
    sre.CATEGORY_NOT_WORD: "-",
}


def _member(members: Any, chance: random.Random) -> str:
    """Return a character of a class, or not of what it excludes."""
    excluded = members[0][0] is sre.NEGATE
    if excluded:
        rest = {chr(value) for op, value in members[1:] if op is sre.LITERAL}
        return next((each for each in "a b-1" if each not in rest), "é")
    op, value = chance.choice(members)
    if op is sre.RANGE:
        return chr(chance.randint(*value))
    return chr(value) if op is sre.LITERAL else _OF_CATEGORY.get(value, "a")


def hostile(pattern: re.Pattern[str], most: int) -> list[Callable[[int], str]]:
    """Makers of at most `most` texts of any length that `pattern` could be slow on: a
    few texts that it matches, with one place pumped up, and what it has to do with,
    repeated behind something and before something that fits no more."""
    parsed = _parser.parse(pattern.pattern, pattern.flags)
    chance = random.Random(pattern.pattern.encode("utf-8", "surrogatepass"))
    samples = _samples(parsed, chance)
    ends = [*samples, "", "\0"]
    texts: list[tuple[str, tuple[str, ...], str]] = []
    tries = min(most, 10)
    for _ in range(tries):
        text = _matching(parsed, chance)[:30]
        for at in range(len(text)):
            texts.append((text[:at], (text[at],), "\0"))
            texts.append((text[:at], (text[at : at + 3],), text[at + 3 :]))
            texts.append((text[:at], (" ",), text[at:]))
    for unit in samples:
        texts.append(("", (unit,), "\0"))
        texts.append((chance.choice(ends), (unit,), chance.choice(ends)))
    for _ in range(10 * tries):
        unit = "".join(chance.choices(samples, k=chance.randint(2, 3)))
        texts.append((chance.choice(ends), (unit,), chance.choice(ends)))
        both = chance.choice(samples), chance.choice(samples)
        texts.append((chance.choice(ends), both, chance.choice(ends)))
    different = list(dict.fromkeys(texts))
    chosen = chance.sample(different, min(most, len(different)))
    return [partial(_pumped, head, units, tail) for head, units, tail in chosen]


def _pumped(head: str, units: tuple[str, ...], tail: str, length: int) -> str:
    """Return a text of about `length` characters in which each unit is repeated."""
    share = length // len(units)
    return head + "".join(unit * (share // len(unit)) for unit in units) + tail


# What can be done with a pattern. All of a text is gone through by `finditer`, as it is
# by split, sub and findall.
USES: dict[str, Callable[[re.Pattern[str], str], object]] = {
    "match": lambda pattern, text: pattern.match(text),
    "fullmatch": lambda pattern, text: pattern.fullmatch(text),
    "finditer": lambda pattern, text: deque(pattern.finditer(text), maxlen=0),
}


@cache
def used() -> dict[str, set[str]]:
    """Return how the product uses each pattern, by the pattern's name.

    A pattern that is passed on under another name may be used in every way.
    """
    found: dict[str, set[str]] = {name_of(where): set() for where in patterns()}
    for path in MODULES:
        tree = code.tree(path)
        names = [n for n in code.of_kind(tree, ast.Name) if n.id in found]
        if not names:
            continue
        called = {
            id(node.value): node.attr for node in code.of_kind(tree, ast.Attribute)
        }
        for node in names:
            if isinstance(node.ctx, ast.Load):
                way = called.get(id(node), "finditer")
                found[node.id].add(way if way in ("match", "fullmatch") else "finditer")
    return found


def name_of(where: str) -> str:
    """Return the name of the constant that holds the pattern at `where`."""
    return where.partition("[")[0].rpartition(".")[2]


def slow(pattern: re.Pattern[str], ways: Iterable[str], most: int) -> list[str]:
    """Return the first of `most` texts on which `pattern` takes more than linear time;
    nothing if there is none."""
    for make in hostile(pattern, most):
        for way in ways:
            if not is_linear(make, partial(USES[way], pattern), SHORTEST):
                return [f"{way} of {make(40)!r}"]
    return []


#: What is quadratic shows at half the length, too, but for the fastest of it.
SHORTEST = rounds(growth.SHORTEST // 2, growth.SHORTEST)


@code.WALKS
@pytest.mark.parametrize("share", range(SHARES := rounds(2, 8)))
def test_every_pattern_takes_linear_time(share: int) -> None:
    found = {}
    for where, pattern in list(patterns().items())[share::SHARES]:
        ways = sorted(used()[name_of(where)] or {"finditer"})
        found[where] = slow(pattern, ways, rounds(2, 1_000))
    assert {where: on for where, on in found.items() if on} == {}


@pytest.mark.parametrize(
    "pattern",
    [
        # What everybody writes some day.
        re.compile(r"\s+$"),
        re.compile(r"^(a+)+$"),
        # And those that the product once had.
        re.compile(r"(?P<strong>\*\*|__)(?=\S)(?P<loud>.+?)(?<=\S)(?P=strong)"),
        re.compile(r"[<＜﹤](?=\s*/?\s*(?:message|note)\b)", re.IGNORECASE),
        re.compile(r"<(?=\s*/?\s*(?:ticket|example|answer)\b)", re.IGNORECASE),
        re.compile(r'<message\b((?:[^">]|"[^"]*")*)>(.*?)</message>', re.DOTALL),
        re.compile(r"\b[\w-]{18,}\.[\w-]{6,7}\.[\w-]{27,}"),
        re.compile(r"(?P<ticks>`++)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)"),
        re.compile(r"\A#{4,6}[ \t]++(.*?)(?:[ \t]#*)?[ \t\r]*$"),
    ][: rounds(1, 9)],
    ids=lambda pattern: pattern.pattern[:30],
)
def test_a_quadratic_pattern_is_found(pattern: re.Pattern[str]) -> None:
    assert slow(pattern, USES, 1_000)


@code.WALKS
def test_all_patterns_are_tried() -> None:
    """Each one that a module's text makes is among those that its import brings."""
    ours = {where.partition("[")[0] for where in patterns()}
    for path in MODULES:
        if "re.compile(" not in path.read_text():
            continue
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in code.tree(path).body:
            if isinstance(node, ast.Assign) and "re.compile(" in ast.unparse(node):
                [name] = [
                    each.id for each in node.targets if isinstance(each, ast.Name)
                ]
                assert f"{module.removesuffix('.__init__')}.{name}" in ours
