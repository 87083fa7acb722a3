"""Settings as a file: whole, exact, and judged before anything is done with it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.scope import Scope
from bot.domain.setting import Change, Setting
from bot.errors import ConfigError, Unacceptable
from bot.settings.import_export import deletions, difference, read, write
from bot.settings.options import BY_NAME

TODAY = date(2026, 11, 26)
WORKSPACE, CHANNEL = Scope("slack", "T1"), Scope("slack", "T1", "C5")
THREAD = Scope("slack", "T1", "C5", "1795400060.000000")

PROMPT = "You are\n  a pirate.\n\n---\nEnd\ttab: ünïcode 🏴 # no comment\n- x: {y}"


def put(place: Scope, name: str, value: str) -> Setting:
    return Setting(place, name, value, "U1", 1.0, 1)


SETTINGS = [
    put(WORKSPACE, "model", "claude-opus-5-5"),
    put(WORKSPACE, "budget_day", "12.5"),
    put(WORKSPACE, "follow", "mention"),
    put(WORKSPACE, "creators", "on"),
    put(CHANNEL, "prompt", "7"),
    put(CHANNEL, "stop_sequences", '["END", "- x"]'),
    put(CHANNEL, "temperature", "0.2"),
    put(CHANNEL, "who", "user:U1 group:S2"),
    put(THREAD, "effort", "low"),
    put(Scope("discord", "42", "77"), "person_messages", "20"),
]


def found(changes: list[Change]) -> dict[tuple[Scope, str], str | None]:
    return {(change.place, change.name): change.value for change in changes}


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(text, TODAY)
    return str(caught.value)


def test_what_is_written_is_read_again() -> None:
    changes = read(write(SETTINGS, {"7": PROMPT}), TODAY).changes
    expected = {(s.place, s.name): s.value for s in SETTINGS}
    assert found(changes) == {**expected, (CHANNEL, "prompt"): PROMPT}
    assert [c.name for c in changes if c.versioned] == ["prompt"]


def test_people_can_read_a_prompt_in_it() -> None:
    document = write([put(CHANNEL, "prompt", "7")], {"7": "Be brief.\nBe kind."})
    assert "        prompt: |-\n          Be brief.\n          Be kind.\n" in document


@given(st.text(min_size=1, max_size=200))
def test_every_prompt_comes_back_exactly(text: str) -> None:
    try:
        prompt = BY_NAME["prompt"].read(text, TODAY)
    except Unacceptable:
        return
    document = write([put(CHANNEL, "prompt", "7")], {"7": prompt})
    assert found(read(document, TODAY).changes) == {(CHANNEL, "prompt"): prompt}


def test_what_people_write_by_hand_is_taken() -> None:
    changes = read(
        "version: 1\nslack:\n  T1:\n    follow: off\n    quiet: true\n"
        "    budget_day: 5\n    who: [user:U1, group:S2]\n    stop_sequences: END\n",
        TODAY,
    ).changes
    assert {c.name: c.value for c in changes} == {
        "follow": "mention",
        "quiet": "on",
        "budget_day": "5",
        "who": "user:U1 group:S2",
        "stop_sequences": '["END"]',
    }


def test_ids_and_prompts_without_quotes_are_what_was_typed() -> None:
    changes = read(
        "version: 1\nslack:\n  T1:\n    prompt: yes\n    channels:\n      C1:\n"
        "        threads:\n          1700000000.123450:\n            prompt: 1.10\n",
        TODAY,
    ).changes
    thread = Scope("slack", "T1", "C1", "1700000000.123450")
    assert found(changes) == {
        (Scope("slack", "T1"), "prompt"): "yes",
        (thread, "prompt"): "1.10",
    }
    assert "must be a text" in refusal("version: 1\nslack: {T1: {prompt: null}}")


def test_every_mistake_is_named_at_once_with_its_path() -> None:
    told = refusal(
        "version: 2\nslack:\n  T1:\n    modle: opus\n    budget_day: -1\n"
        "    model: {a: b}\n    channels:\n      C1:\n        creators: on\n"
        "        prompt: '   '\n        threads:\n          '1.0':\n"
        "            quiet: on\n"
    )
    for words in (
        "version: must be 1",
        "slack/T1/modle: there is no such setting; did you mean model?",
        "slack/T1/budget_day: A budget must be an amount in USD",
        "slack/T1/model: This must be a text, a number or a list",
        "slack/T1/channels/C1/creators: cannot be set for a channel",
        "slack/T1/channels/C1/prompt: This is empty",
        "slack/T1/channels/C1/threads/1.0/quiet: cannot be set for a thread",
    ):
        assert words in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must contain names and values"),
        ("[1, 2]", "must contain names and values"),
        ("version: 1\nslak: {T1: {quiet: on}}", "slak: there is no such platform; did"),
        (
            "version: 1\nslack: {acme: {quiet: on}}",
            "slack/acme: is not the id of a wor",
        ),
        (
            "version: 1\nslack: {T1: {channels: {general: {quiet: on}}}}",
            "slack/T1/channels/general: is not the id of a channel, such as C0123ABC.",
        ),
        ("version: 1\ndiscord: {T1: {quiet: on}}", "such as 123456789012345678."),
        ("version: 1\nslack: 5", "slack: must hold names and values"),
        ("version: 1\nslack: {T1: [1]}", "slack/T1: must hold names"),
        ("a: [", "line 1"),
        ("a: &x 1\nb: *x", "refers to another part of itself"),
        ("version: 1\nversion: 1", "version appears twice"),
        ("a: !!python/object/apply:os.system [ls]", "not valid YAML"),
        ("[" * 50, "too deep"),
        ("version: 1\nslack:\n  T1:\n    prompt: " + "x" * 20_001, "20,001"),
    ],
)
def test_what_is_no_such_file_is_refused_in_a_sentence(text: str, words: str) -> None:
    assert words in refusal(text)


def test_the_difference_is_what_would_change() -> None:
    now = [put(CHANNEL, "prompt", "7"), put(CHANNEL, "budget_day", "5")]
    texts = {"7": "Be brief.\nBe kind."}
    changes = [
        Change(CHANNEL, "prompt", "Be brief.\nBe bold.", versioned=True),
        Change(CHANNEL, "budget_day", "5"),
        Change(WORKSPACE, "quiet", "on"),
    ]
    assert difference(now, texts, changes) == [
        "slack:T1:C5 prompt",
        "  @@ -1,2 +1,2 @@",
        "   Be brief.",
        "  -Be kind.",
        "  +Be bold.",
        "slack:T1 quiet",
        "  @@ -0,0 +1 @@",
        "  +on",
    ]
    assert difference(now, texts, changes[1:2]) == []


def test_what_a_file_does_not_name_can_be_taken_back() -> None:
    elsewhere = put(Scope("slack", "T2"), "quiet", "on")
    now = [*SETTINGS, elsewhere]
    named = read("version: 1\nslack: {T1: {model: auto}}", TODAY)
    gone = deletions(named, now)
    assert all(change.value is None for change in gone)
    assert {change.name for change in gone} == {
        *("budget_day", "follow", "creators", "prompt", "stop_sequences"),
        *("temperature", "who", "effort"),
    }


@pytest.mark.parametrize("nothing", ["{}", "", "{channels: {C5: }}"])
def test_a_file_can_take_back_everything_in_a_workspace(nothing: str) -> None:
    elsewhere = put(Scope("slack", "T2"), "quiet", "on")
    named = read(f"version: 1\nslack:\n  T1: {nothing}\n", TODAY)
    gone = deletions(named, [*SETTINGS, elsewhere])
    assert {(each.place, each.name) for each in gone} == {
        (each.place, each.name) for each in SETTINGS if each.place.workspace == "T1"
    }
    assert deletions(read("version: 1\nslack:\n", TODAY), SETTINGS) == []
