"""Finds unknown environment variables, and suggests the names that were meant.

Rule: the values of unknown variables are never read. A name is quoted with `quoted`,
since it may be a misplaced token.
"""

import contextlib
import difflib
from collections.abc import Collection, Iterator, Mapping
from functools import cache

from bot.cli.platforms import PLATFORMS, load_module
from bot.config import Config
from bot.errors import ConfigError
from bot.messages import config as messages
from bot.text.redaction import quote

OURS = "THREADKEEP_"
# Prefixes of names that may be meant for us, each with the prefix that we use.
PREFIXES = {
    OURS: OURS,
    "ANTHROPIC_": "ANTHROPIC_",
    "CLAUDE_": "ANTHROPIC_",
    "SLACK_": "SLACK_",
    "DISCORD_": "DISCORD_",
}
# The minimum similarity, from 0 to 1, of names after the same prefix, and of whole
# names.
TAIL, WHOLE = 0.6, 0.8
# Names within this distance of the best score are suggested, too.
NEARLY = 0.05
MOST_NAMED = 3


class _Recording(Mapping[str, str]):
    """An empty environment that records the names that were looked up."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@cache
def read_by_us() -> frozenset[str]:
    """Return the names of all environment variables that the code reads."""
    env = _Recording()
    Config.from_env(env)
    for name in PLATFORMS:
        config = load_module(f"adapters.{name}.config")
        config.is_configured(env)
        with contextlib.suppress(ConfigError):
            config.read(env)
    return frozenset(env.asked)


def unread(
    env: Mapping[str, str], lines: Mapping[str, int], more: Collection[str] = ()
) -> list[str]:
    """Return a sentence for each unknown variable of `env` that is meant for us.

    `lines` maps the variables of `.env` to their lines, and `more` has known names in
    addition to those of the code. In `.env`, names with one of `PREFIXES` or near a
    known name are meant for us. Other programs read the rest of the environment, too,
    so there a name must begin with THREADKEEP_ or be near a known name that is not set.
    """
    known = read_by_us() | set(more)
    found = []
    for name in sorted(env.keys() - known, key=lambda name: (lines.get(name, 0), name)):
        near = nearest(name, known)
        meant = name.startswith(tuple(PREFIXES)) or bool(near)
        if name not in lines:
            unset = near and not any(env.get(each) for each in near)
            meant = name.upper().startswith(OURS) or bool(unset)
        if meant:
            found.append(_sentence(name, near, lines.get(name)))
    return found


def nearest(name: str, known: Collection[str]) -> list[str]:
    """Return the names in `known` that `name` probably misspells, the nearest first."""
    ours = name.upper().replace("-", "_")
    bounds = difflib.SequenceMatcher(None, "", ours)
    scores = {each: _score(ours, each, bounds) for each in known}
    best = max(scores.values(), default=0.0)
    if not best:
        return []
    near = [each for each, score in scores.items() if score > best - NEARLY]
    return sorted(near, key=lambda each: (-scores[each], each))[:MOST_NAMED]


def _score(name: str, known: str, bounds: difflib.SequenceMatcher[str]) -> float:
    """Return the similarity of `name` and `known`, from 0 to 1; 0 if it is too low.

    `bounds` has `name` as its second sequence, whose characters it counted once.
    """
    for prefix, ours in PREFIXES.items():
        if name.startswith(prefix) and known.startswith(ours):
            return _tail(name.removeprefix(prefix), known.removeprefix(ours))
    # Check cheap upper bounds first, since most names are dissimilar.
    bounds.set_seq1(known)
    is_near = bounds.real_quick_ratio() >= WHOLE and bounds.quick_ratio() >= WHOLE
    if not is_near and known not in name:
        return 0.0
    ratio = difflib.SequenceMatcher(None, name, known).ratio()
    if known in name:
        return max(ratio, WHOLE)
    return ratio if ratio >= WHOLE else 0.0


def _tail(name: str, known: str) -> float:
    ratio = difflib.SequenceMatcher(None, name, known).ratio()
    words, others = set(name.split("_")), set(known.split("_"))
    if words <= others or words >= others:
        return max(ratio, TAIL)
    return ratio if ratio >= TAIL else 0.0


def _sentence(name: str, near: list[str], line: int | None) -> str:
    where = messages.in_dotenv(line=line) if line else messages.IN_ENVIRONMENT
    if not near:
        return messages.unread_variable(name=quote(name), where=where)
    names = " or ".join(near)
    return messages.misnamed_variable(name=quote(name), where=where, nearest=names)
