"""`threadkeep settings import` either applies a document or refuses it in one
sentence."""

import asyncio
from datetime import date
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.setting import Change, EditConflict
from bot.errors import ConfigError
from bot.settings import import_export
from bot.settings.options import OPTIONS
from tests.support.deep import rounds
from tests.support.memory_store import MemoryStore

TODAY = date(2026, 11, 28)


def read(text: str) -> list[Change] | str:
    """Return the changes that a document says, which can be made; or why there are
    none."""
    try:
        changes = import_export.read(text, TODAY).changes
    except ConfigError as error:
        told = str(error)
        assert told
        assert "\n" not in told
        return told
    made = asyncio.run(MemoryStore().change_settings(changes, who="operator", now=1.0))
    assert not isinstance(made, EditConflict)
    import_export.difference([], {}, changes)
    return changes


DOCUMENTS = (
    ("? [a]\n: b", "a name is a list or a mapping"),
    ("? {a: b}\n: c", "a name is a list or a mapping"),
    ("version: 1\nslack: {T1: {? [model] : opus}}", "a name is a list"),
    ("version: 1\nslack: {T1: {channels: {? [C1] : {quiet: on}}}}", "a name is a"),
    ("version: 1\nslack: {~: {quiet: on}}", ""),
    ("version: 1\nslack: {true: {quiet: on}}", ""),
    ("version: 1\nslack: {2026-11-26: {quiet: on}}", ""),
    ("version: 1\nslack: {1795290000.000100: {quiet: on}}", ""),
    ("version: 1\nslack: {'': {quiet: on}}", ""),
    ("version: 1\nslack: {'T 1': {quiet: on}}", ""),
    ('version: 1\nslack: {"\\ud800": {quiet: on}}', ""),
    ('version: 1\nslack: {"\\e[2J": {quiet: on}}', ""),
    (f"version: 1\nslack: {{{'T' * 201}: {{quiet: on}}}}", "too long"),
    ("version: 1\nslack: {T1: {7: x}}", "there is no such setting"),
    ("version: 1\ndiscord: {7: {quiet: on}, '7': {quiet: off}}", "twice"),
    ("version: 1\ndiscord: {7: {quiet: on}, 0x7: {quiet: off}}", ""),
    ("a: 2026-13-45", ""),
    ("a: !!int x", ""),
    ("a: !!bool x", ""),
    ("a: !!timestamp x", ""),
    ("a: !!float x", ""),
    ("a: " + "9" * 5_000, ""),
    ("a: !!binary x", "a type tag"),
    ("!!set {a, b}", ""),
    ("!!omap [a: b]", ""),
    ("<<: 5", ""),
    ("<<: [1]", ""),
    ("--- 1\n--- 2", "not valid YAML"),
    ("version: 1\nslack: {T1: {model: [[[opus]]]}}", "model"),
    ("version: 1\nslack: {T1: {model: null}}", ""),
    ("version: 1\nslack: {T1: {model: 2026-11-26}}", ""),
    ("version: 1\nslack: {T1: {model: !!binary aGk=}}", ""),
    ("version: 1\nslack: {T1: {budget_day: .nan}}", "amount"),
    ("version: 1\nslack: {T1: {budget_day: .inf}}", "amount"),
    ("version: true\nslack: {}", ""),
    ("version: 1.0\nslack: {}", ""),
    ("\x00", "not valid YAML"),
    ("\ud800", "not valid YAML"),
    ("a: \x07", "not valid YAML"),
    ("%YAML 9.9\n--- {}", "not valid YAML"),
    # What is longer is tried in `test_documents`.
    ("{" * 300, "not valid YAML"),
    ("- " * 3_000, "not valid YAML"),
    ("? " * 3_000, "not valid YAML"),
)


def test_a_document_that_is_none_costs_one_sentence() -> None:
    for text, words in DOCUMENTS:
        told = read(text)
        assert not words or (isinstance(told, str) and words in told), told


FRAGMENTS = [
    *("version: 1\n", "slack:", "discord:", "T1:", "channels:", "threads:", "model:"),
    *(" opus", " on", " 5", " .nan", " ~", "{", "}", "[", "]", ",", ": ", "? ", "- "),
    *("\n", "\n  ", "\n    ", "\n      ", "&a ", "*a", "<<: ", "!!int ", "!!set "),
    *("!!binary ", "!!timestamp ", "!!bool ", "!x ", "|", ">-", '"', "'", "#", "%"),
    *("---\n", "...\n", "\t", "\\ud800", "0x7", "1_0", "2026-02-30", "é", "\x85", "\0"),
]


@settings(max_examples=rounds(20, 5_000))
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join))
def test_any_text_is_judged(text: str) -> None:
    read(text)
    read(f"version: 1\nslack:\n  T1:\n    {text}")


names: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["version", "slack", "channels", "threads", "T1", ""]),
    st.sampled_from([option.name for option in OPTIONS]),
    st.text(max_size=5),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.dates(),
)
values = st.recursive(
    names | st.binary(max_size=5) | st.datetimes(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(names, inner, max_size=3)
        | st.sets(st.text(max_size=3), max_size=2)
    ),
    max_leaves=8,
)


@settings(max_examples=rounds(20, 3_000))
@given(values, st.booleans())
def test_any_document_is_judged(value: object, flow: bool) -> None:
    for document in (
        value,
        {"version": 1, "slack": value},
        {"version": 1, "slack": {"T1": value}},
        {"version": 1, "slack": {"T1": {"channels": {"C1": value}}}},
    ):
        read(yaml.safe_dump(document, default_flow_style=flow, allow_unicode=True))
