"""YAML, JSON and numeric input is bounded, and refused with one sentence."""

import random
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from adapters.discord import markup
from adapters.discord.config import DiscordConfig
from adapters.slack.modals import Context
from bot.config import Config
from bot.domain.scope import Scope
from bot.domain.setting import Change
from bot.errors import ConfigError, Unacceptable
from bot.schemes import scheme
from bot.settings import import_export
from bot.settings.options import OPTIONS
from bot.settings.parsers import MOST_CHARS
from bot.text import documents
from bot.text.documents import NoDocument
from bot.text.numbers import MOST_DIGITS, number
from bot.triage.chat.classifier import UnreadableScheme
from bot.ui.elements import Response
from tests.security.hostile import TEXTS
from tests.security.stalls import heard
from tests.support.command_harness import CHANNEL, OWNER, THREAD, Office
from tests.support.deep import rounds, share

TODAY = date(2026, 11, 28)


def bomb(levels: int) -> str:
    """YAML of some hundred characters that stands for 9 ** `levels` values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for n in range(1, levels):
        again = ", ".join([f"*a{n - 1}"] * 9)
        lines.append(f"a{n}: &a{n} [{again}]")
    return "\n".join(lines)


SCHEME = "fields:\n  kind:\n    values:\n      a: {}\n      b: other\n"


# YAML.


COSTLY = (
    (bomb(2), "refers to another part of itself"),
    (bomb(9), "refers to another part of itself"),
    ("a: &x 1", "refers to another part of itself"),
    ("a: &x [1]\nb: *x", "refers to another part of itself"),
    ("&x a: 1", "refers to another part of itself"),
    ("<<: *x", "refers to another part of itself"),
    ("a: !!python/object/apply:os.system [ls]", "has a type tag"),
    ("a: !!binary aGk=", "has a type tag"),
    ("!!set {a, b}", "has a type tag"),
    ("[" * 13 + "]" * 13, "nests too deep"),
    ("[" * 100_000, "nests too deep"),
    ("{a: " * 100_000, "nests too deep"),
    ("- " * 100_000, "nests too deep"),
    ("? " * 100_000, "nests too deep"),
    ("".join(f"{' ' * n}a:\n" for n in range(40)), "nests too deep"),
    ("[" + "x, " * 2_000 + "]", "has too many values"),
    ("? [a, b]\n: c", "a name is a list or a mapping"),
    ("? {a: b}\n: c", "a name is a list or a mapping"),
    ("a: 1\na: 2", "appears twice"),
    ("a: \x01", "control character"),
    ("a: 'b", "unexpected end"),
    ("--- a\n--- b", "another document"),
)


def test_no_document_costs_more_than_it_says() -> None:
    for text, why in COSTLY:
        began = time.process_time()
        with pytest.raises(NoDocument) as caught:
            documents.parse(text, most_nodes=1_000)
        assert why in str(caught.value), text[:40]
        assert time.process_time() - began < 10, text[:40]


def test_a_word_is_what_was_typed() -> None:
    words = [
        *("9" * 1_000, "2026-11-01", "12:30", "12:30:45", "0x10", "0755", "1_000"),
        *("1.10", "1e3", ".inf", ".NaN", "NO", "yes", "off", "True", "null", "~"),
        *("<<", "=", "y", "+1", "-0", "2024-01-01T10:00:00Z"),
    ]
    flow = f"[{', '.join(words)}]"
    assert documents.parse(flow, most_nodes=100) == words
    names = "".join(f"{word}: x\n" for word in words)
    assert documents.parse(names, most_nodes=100) == dict.fromkeys(words, "x")
    found = documents.parse('{a: , b: "", c: "\\ud800x"}', most_nodes=100)
    assert found == {"a": None, "b": "", "c": "\ufffdx"}


def test_what_a_bare_word_stands_for_is_told_to_whoever_asks() -> None:
    text = '[yes, OFF, "yes", \'no\', maybe, ~, Null, "null", 1]'
    found = documents.parse(text, most_nodes=100)
    truths = [True, False, None, None, None, None, None, None, None]
    assert [documents.boolean(each) for each in found] == truths
    nothing = [each for each in found if documents.is_nothing(each)]
    assert nothing == ["~", "Null"]


def test_no_text_breaks_the_reading_of_a_document() -> None:
    for kind in [*TEXTS][:: rounds(6, 1)]:
        for head in ("", "fields: ", "fields: {a: ", "instructions: |\n  "):
            with pytest.raises(ConfigError) as caught:
                scheme.read(head + TEXTS[kind](rounds(500, 20_000)), "This scheme")
            assert str(caught.value).startswith("This scheme"), kind
            assert len(str(caught.value)) < 1_000, kind


def test_no_mixture_breaks_the_reading_of_a_document() -> None:
    chance = random.Random(20261128)
    pieces = "a b : - ? [ ] { } , & * ! | > ' % @ ` # ~ 1 .5 yes <<: &a *a !!str"
    signs = [*pieces.split(), '"', "\t", " ", "\n", "\n  ", ": ", "- ", "fields:"]
    for _ in range(rounds(250, 100_000)):
        text = "".join(chance.choices(signs, k=chance.randint(1, 15)))
        for read in (
            lambda text: scheme.read.__wrapped__(text, "This scheme"),
            lambda text: import_export.read(text, TODAY),
        ):
            said = refusal(read, text)
            assert said is None or len(said) < 1_000, text


def refusal(read: Callable[[str], object], text: str) -> str | None:
    """Return the sentence with which `read` refuses `text`; None if it takes it."""
    try:
        read(text)
    except (ConfigError, Unacceptable) as error:
        return str(error)
    return None


def test_a_text_is_wanted_where_a_text_is_wanted() -> None:
    for text in (
        "fields: {a: {values: {x: [1, 2], y: b}}}",
        "fields: {a: {values: {x: {y: z}, y: b}}}",
        "fields: {a: {values: [[x, y], z]}}",
        "fields: {a: {about: [x], values: [x, y]}}",
        "fields: {a: {about: {x: y}}}",
        "instructions: [a, b]\nfields: {a: x}",
        "instructions: {a: b}\nfields: {a: x}",
        "fields: {a: x}\nexamples: [{ticket: [t], a: y}]",
        "fields: {a: x}\nexamples: [{ticket: {t: u}, a: y}]",
    ):
        with pytest.raises(ConfigError, match="must be text, not a list"):
            scheme.read(text, "This scheme")


def test_numbers_and_yes_are_texts_too() -> None:
    found = scheme.read("fields: {a: {values: {2: 2, yes: 3.5, no: ~}, about: 4}}")
    [field] = found.fields
    assert dict(field.values) == {"2": "2", "yes": "3.5", "no": ""}
    assert field.about == "4"


async def test_a_scheme_of_aliases_is_refused_to_whoever_sets_it() -> None:
    office = Office()
    for levels in (2, 5, 9):
        told = await office.give(
            "set", option="triage_scheme", value=f"{bomb(levels)}\nfields: {{a: x}}"
        )
        assert isinstance(told, Response)
        assert "refers to another part of itself" in told.text
    assert (await office.policy())["triage_scheme"] == ""


async def test_a_scheme_that_is_no_longer_taken_is_told_of() -> None:
    """It was stored by an earlier version."""
    office = Office()
    change = Change(CHANNEL, "triage_scheme", "a: &a x\nfields: {a: *a}")
    await office.store.change_settings([change], who="olga", now=1.0)
    office.adapter.past = [heard("It broke")]
    told = await office.give("triage", place=THREAD)
    assert isinstance(told, Response)
    assert told.text == UnreadableScheme().user_text
    assert isinstance(UnreadableScheme(), ConfigError)


def test_settings_that_are_none_are_refused_in_a_sentence() -> None:
    for text in (
        "? [a]\n: b",
        "version: 1\n? [a]\n: b",
        "version: 1\nslack: {T: {? [a] : b}}",
        "version: 1\nslack: {T: {? {a: b} : c}}",
        "version: " + "9" * 5_000,
        "version: [1]",
        "version: 1\nslack: {T: {prompt: [[a]]}}",
        "version: 1\nslack: {T: {max_tokens: " + "9" * 5_000 + "}}",
        "version: 1\nslack: {T: {stop_sequences: [[a, b]]}}",
        "version: 1\nslack: {T: {model: 2026-11-01}}",
    ):
        with pytest.raises(ConfigError):
            import_export.read(text, TODAY)


# Values.


@pytest.mark.parametrize("nth", range(len(OPTIONS)), ids=[o.name for o in OPTIONS])
def test_no_value_raises_anything_but_a_sentence(nth: int) -> None:
    option = OPTIONS[nth]
    name = option.name
    for kind in share([*TEXTS], nth, 24):
        for length in (10, 4_000):
            text = TEXTS[kind](length)
            if name == "triage_scheme":
                text = text[:500]
            said = refusal(lambda text: option.read(text, TODAY), text)
            if said is not None:
                assert len(said) < 1_500, kind
                continue
            # What is taken reads as itself, and can be shown.
            canonical = option.read(text, TODAY)
            assert option.read(canonical, TODAY) == canonical
            option.show(canonical)


async def test_a_value_of_any_length_is_answered() -> None:
    office = Office()
    long = ("9" * 200_000, "[" * 200_000, "a " * 100_000, "user:U1 " * 25_000)
    for nth, option in enumerate(OPTIONS):
        for text in share(long, nth, 3):
            told = await office.give("set", option=option.name, value=text)
            assert isinstance(told, Response), option.name
            assert len(told.text) < 2_000, option.name
    changes = await office.store.audit(CHANNEL, 0.0, 10)
    assert changes == []


async def test_stop_sequences_that_look_like_json() -> None:
    for text in (
        *("[" * 5_000, "[" * 19_000, '{"a":' * 3_000, "[[[[", "-" * 4_400 + "1"),
        *("9" * 5_000, "1" * 19_999, "[" + "1," * 4_000 + "1]", '["' + "a" * 9_000),
        *('["a", ["b"]]', '{"a": 1}', "[1, 2]", "null", "1e999", "NaN", "[NaN]"),
    ):
        office = Office()
        told = await office.give("set", option="stop_sequences", value=text)
        assert isinstance(told, Response), text[:40]
        # Either they are lines of text, or it is said that they are not.
        kept = (await office.policy()).stop_sequences
        assert kept in ((), (text,)), text[:40]


async def test_stop_sequences_as_json_are_those() -> None:
    office = Office()
    await office.give("set", option="stop_sequences", value='["a b", "[["]')
    assert (await office.policy()).stop_sequences == ("a b", "[[")


def test_a_number_is_ascii_digits_and_not_many() -> None:
    assert number("0") == 0
    assert number("007") == 7
    assert number("9" * MOST_DIGITS) == 10**MOST_DIGITS - 1
    for text in ("", "-1", "+1", "1.0", " 1", "1_0", "٣", "²", "１", "a", "9" * 16):
        assert number(text) is None
    for length in (5_000, 200_000):
        assert number("9" * length) is None


@pytest.mark.parametrize("digits", ["9" * 19, "9" * 5_000, "9" * 100_000, "٣", "-1"])
async def test_a_number_in_a_control_is_refused_in_a_sentence(digits: str) -> None:
    office = Office()
    for verb, arguments in (
        ("triage correct", {"of": digits, "priority": "high"}),
        ("triage agree", {"of": digits}),
        ("draft save", {"draft": digits, "base": digits}),
        ("draft drop", {"draft": digits}),
        ("draft edit", {"draft": digits}),
        ("prompt diff", {"version": digits}),
        ("prompt rollback", {"version": digits}),
        ("save", {"base": digits, "follow": "on"}),
        ("triage", {"last": digits}),
        ("triage", {"since": digits}),
    ):
        told = await office.give(verb, OWNER, CHANNEL, **arguments)
        assert isinstance(told, Response), verb
        assert told.text, verb


def test_a_number_in_the_environment_is_refused_in_a_sentence() -> None:
    for digits in ("9" * 5_000, "٣", "1.5", "-1", "x"):
        with pytest.raises(ConfigError, match="THREADKEEP_GRACE must be a number"):
            Config.from_env({"THREADKEEP_GRACE": digits})
        discord = {"DISCORD_TOKEN": "a.b.c", "DISCORD_SHARDS": digits}
        with pytest.raises(
            ConfigError, match="DISCORD_SHARDS must be a number of shards"
        ):
            DiscordConfig.from_env(discord)


def test_a_mention_of_a_number_that_is_none_is_text() -> None:
    for digits in ("9" * 21, "9" * 5_000, "٣"):
        text = f"hi <@{digits}> and <#{digits}>"
        assert markup.users(text) == []
        assert markup.tokens(text) == text
        names: dict[str, Any] = {"users": {}, "roles": {}, "channels": {}}
        assert markup.readable(text, **names) == text
    assert markup.users("<@123>") == ["123"]


@pytest.mark.parametrize("metadata", ["[" * 2_900, '{"a":' * 500, "9" * 2_900, "{}"])
def test_a_form_that_we_did_not_write_is_refused(metadata: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        Context.of(metadata, "slack", "T")
    good = Context(Scope("slack", "T", "C", "1"), "save")
    assert Context.of(good.metadata, "slack", "T").line == "save"


def test_an_answer_of_the_model_that_is_no_json_is_none() -> None:
    default = scheme.default()
    for text in ("[" * 100_000, "9" * 5_000, '{"a":' * 50_000, '"\\ud800"', "", "NaN"):
        with pytest.raises((ValueError, RecursionError)):
            default.parse(text)
    numbers = scheme.read("fields: {a: {type: number}}")
    with pytest.raises(ValueError, match="4300 digits"):
        numbers.parse('{"a": ' + "9" * 5_000 + "}")


def test_the_longest_value_leaves_room_for_many_people() -> None:
    [who] = [option for option in OPTIONS if option.name == "who"]
    people = " ".join(f"user:U{n:09}" for n in range(1_000))
    assert len(people) < MOST_CHARS
    assert who.read(people, TODAY) == people
