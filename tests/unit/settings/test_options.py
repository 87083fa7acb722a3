"""Each option's accepted values, and the sentence for a refused one."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands.catalog import clears, parse_command
from bot.errors import Unacceptable
from bot.settings.misfits import misfits, warning
from bot.settings.options import BY_NAME, OPTIONS, sequences
from bot.settings.parsers import PROMPT_CHARS
from bot.ui.elements import Kind

TODAY = date(2026, 11, 26)


def refusal(name: str, text: str) -> str:
    with pytest.raises(Unacceptable) as caught:
        BY_NAME[name].read(text, TODAY)
    return caught.value.user_text


WRITTEN = (
    ("prompt", "  Be brief.\r\nAlways. \n", "Be brief.\nAlways."),
    ("model", "claude-opus-5-5", "claude-opus-5-5"),
    ("model", " Opus ", "claude-opus-5-5"),
    ("model", "claude-haiku-4-5-20251001", "claude-haiku-4-5"),
    ("model", "AUTO", "auto"),
    ("effort", "Low", "low"),
    ("long_threads", "Stop", "stop"),
    ("long_threads", "summarise, older messages are summarised", "summarise"),
    ("summary_at", "60,000 tokens", "60000"),
    ("max_tokens", "8,000", "8000"),
    ("stop_sequences", "END\n\nSTOP", '["END", "STOP"]'),
    ("temperature", ".2", "0.2"),
    ("temperature", "1", "1"),
    ("follow", "Off", "mention"),
    ("follow", "on", "smart"),
    ("follow", "ALL", "all"),
    ("budget_day", "$5", "5"),
    ("budget_month", "1,250.50 USD", "1250.50"),
    ("person_messages", "20", "20"),
    ("who", "Everyone", "everyone"),
    ("who", "user:U1, group:S2 user:U1", "user:U1 group:S2"),
    ("admins", "user:42", "user:42"),
)


def test_what_people_write_becomes_one_form() -> None:
    for name, text, value in WRITTEN:
        assert BY_NAME[name].read(text, TODAY) == value, name


REFUSED = (
    ("prompt", "   \n\t", "empty"),
    (
        "prompt",
        "x" * 20_001,
        "20,001 characters, and a prompt holds at most 20,000",
    ),
    ("prompt", "a\x00b", "control character (code 0)"),
    ("prompt", "a\x1b[31mb", "control character (code 27)"),
    ("model", "gpt-5", "The current ones are `claude-haiku-5-5`"),
    ("model", "", "There is no model"),
    ("effort", "heroic", "`low`, `medium`, `high`"),
    ("max_tokens", "many", "whole number from 1 to 128,000, not “many”"),
    ("max_tokens", "0", "from 1"),
    ("budget_day", "-1", "not “-1”"),
    ("budget_day", "ten", "not “ten”"),
    ("budget_day", "1e9", "not “1e9”"),
    ("budget_day", "nan", "not “nan”"),
    ("budget_day", "0", "from 0.0001"),
    ("temperature", "2", "from 0 to 1"),
    ("stop_sequences", " \n ", "on a line of its own"),
    ("stop_sequences", "\n".join("abcdefghi"), "8 stop sequences"),
    ("web_fetch_domains", "", "Please name hosts"),
    ("web_fetch_domains", "a.org b.org/x", "not “b.org/x”"),
    ("web_fetch_domains", "аmazon.com", "in ASCII"),
    ("web_fetch_domains", "example", "a list of hosts"),
    ("web_fetch_domains", "-a.org", "a list of hosts"),
    *(
        ("web_fetch_domains", each, "within a private network")
        for each in (
            *(
                "10.0.0.1",
                "8.8.8.8",
                "[::1]",
                "https://localhost:8080",
                "localhost",
            ),
            *(
                "db.internal",
                "printer.LOCAL.",
                "wiki.corp",
                "1.0.0.127.in-addr.arpa",
            ),
        )
    ),
    ("web_fetch_domains", " ".join(f"a{n}.org" for n in range(51)), "at most 50"),
    ("who", "Alice", "“Alice” is none"),
    ("who", "", "by mentioning them"),
    ("admins", "everyone", "“everyone” is none"),
    ("follow", "yes", "`smart`, `all`, `mention`"),
)


def test_what_cannot_be_set_is_refused_in_one_sentence() -> None:
    for name, text, words in REFUSED:
        told = refusal(name, text)
        assert words in told, name
        assert len(told) < 600, name


def test_a_prompt_may_be_as_long_as_it_says() -> None:
    assert len(BY_NAME["prompt"].read("x" * PROMPT_CHARS, TODAY)) == PROMPT_CHARS


def test_a_retired_model_is_refused_with_those_there_are() -> None:
    told = BY_NAME["model"]
    assert told.read("claude-sonnet-4-5", date(2026, 11, 29)) == "claude-sonnet-4-5"
    with pytest.raises(Unacceptable, match="retired on 2026-11-30"):
        told.read("claude-sonnet-4-5", date(2026, 11, 30))


def test_a_model_that_retires_soon_is_accepted_with_a_warning() -> None:
    assert "2026-11-30, in 4 days" in warning("model", "claude-sonnet-4-5", TODAY)
    assert warning("model", "claude-sonnet-4-5", date(2026, 9, 1)) == ""
    assert warning("model", "claude-sonnet-5-5", TODAY) == ""
    assert warning("effort", "low", TODAY) == ""


@given(st.text(max_size=60))
def test_what_is_read_reads_as_itself(text: str) -> None:
    for option in OPTIONS:
        try:
            value = option.read(text, TODAY)
        except Unacceptable:
            continue
        assert option.read(value, TODAY) == value
        assert option.show(value)


def test_every_default_can_be_set() -> None:
    for option in OPTIONS:
        if option.default:
            assert option.read(option.default, TODAY) == option.default


def test_every_choice_can_be_chosen() -> None:
    for option in OPTIONS:
        for choice in option.choices(TODAY):
            assert option.read(choice.value, TODAY) == choice.value
            assert len(choice.label) <= 75
            assert len(choice.about) <= 75
        assert len(option.choices(TODAY)) <= 24, "a Discord menu holds 25"


def test_labels_fit_where_they_are_shown() -> None:
    for option in OPTIONS:
        assert len(option.label) <= 45
        assert len(option.about) <= 100


def test_stop_sequences_are_what_was_written() -> None:
    assert sequences(BY_NAME["stop_sequences"].read('"a"\n- b', TODAY)) == (
        '"a"',
        "- b",
    )
    assert sequences("") == ()


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"model": "claude-sonnet-4-6", "temperature": "0.2"}, set()),
        ({"model": "claude-sonnet-5-5", "temperature": "0.2"}, {"temperature"}),
        ({"model": "claude-opus-4-7", "temperature": "0.2"}, {"temperature"}),
        ({"model": "auto", "temperature": "0.2"}, {"temperature"}),
        ({"model": "claude-haiku-4-5", "effort": "low"}, {"effort"}),
        ({"model": "claude-haiku-5-5", "effort": "low"}, set()),
        ({"model": "claude-haiku-4-5", "max_tokens": "100000"}, {"max_tokens"}),
        ({"model": "claude-unheard-of", "max_tokens": "100000"}, set()),
    ],
)
def test_what_does_not_fit_together_is_named(
    values: dict[str, str], names: set[str]
) -> None:
    found = misfits(values)
    assert found.keys() == names
    assert all(values["model"] in why for why in found.values())


def test_a_decimal_comma_is_none_between_thousands() -> None:
    read = BY_NAME["budget_day"].read
    written = ("5,50", "1.000,50", "1,000.50", "USD 5", "5 usd", "US$5", "$1 000")
    assert [read(each, TODAY) for each in written] == [
        *("5.5", "1000.50", "1000.50", "5", "5", "5", "1000.00")
    ]
    assert BY_NAME["max_tokens"].read("4 096", TODAY) == "4096"
    assert "not “4,5”" in refusal("max_tokens", "4,5")


def test_money_has_cents_and_what_is_less_is_shown() -> None:
    show = BY_NAME["budget_day"].show
    assert [show(value) for value in ("", "0.5", "3", "1250.50", "0.0125")] == [
        *("none", "$0.50", "$3.00", "$1,250.50", "$0.0125")
    ]


#: Values of each option, as they are stored. A prompt and a scheme are shown by a name.
SHOWN = {
    "model": ["claude-opus-5-5", "auto"],
    "max_tokens": ["4096", "128000"],
    "stop_sequences": ['["END", "a, b"]', '["END"]'],
    "temperature": ["0.2"],
    "budget_day": ["5", "0.0001", "1250.50"],
    "budget_month": ["5"],
    "person_messages": ["1000"],
    "person_usd": ["0.5"],
    "who": ["everyone", "user:U1 group:S1"],
    "admins": ["user:U1"],
    "triagers": ["user:U1", "everyone"],
    "ping": ["0", "60"],
    "triage_announce": ["channel:C1"],
    "triage_budget": ["1"],
    "file_price": ["0", "0.25", "never"],
    "attach_lines": ["0", "60", "1000"],
}


def test_what_is_shown_for_a_value_is_accepted() -> None:
    for option in OPTIONS:
        if option.kind is Kind.TEXT and option.name != "stop_sequences":
            return
        chosen = [choice.value for choice in option.choices(TODAY)]
        values = SHOWN.get(option.name) or chosen
        for value in values:
            shown = option.show(value)
            assert option.read(shown, TODAY) == value, option
            command = parse_command(f"set {option.name} {shown}")
            assert command is not None, option
            assert command.arguments["value"] == shown, option
        if not option.default:
            assert clears(option, option.show("")), option


def test_a_misspelt_model_is_named_and_another_gets_four() -> None:
    assert "Did you mean `sonnet`?" in refusal("model", "sonet")
    assert "Did you mean `claude-opus-5-5`?" in refusal("model", "claude-opus5.5")
    told = refusal("model", "gpt-5")
    assert "Did you mean" not in told
    assert told.count("`claude-") == 4


def test_values_are_read_as_phones_write_them() -> None:
    for name, text, value in (
        ("budget_day", "５", "5"),
        ("budget_day", "\u201c5\u201d", "5"),
        ("budget_day", "5!", "5"),
        ("max_tokens", "8.000", "8000"),
        ("max_tokens", "８０００", "8000"),
        ("temperature", "0,5", "0.5"),
        ("effort", "\u201cHigh\u201d.", "high"),
        ("model", "opus.", "claude-opus-5-5"),
        ("quiet", "yes", "on"),
        ("quiet", "disabled", "off"),
        ("who", "Everybody.", "everyone"),
        ("who", "\u201cuser:U1 user:U2\u201d.", "user:U1 user:U2"),
        ("triage_announce", "`channel:C1`.", "channel:C1"),
        ("file_price", "0,00 USD", "0"),
    ):
        assert BY_NAME[name].read(text, TODAY) == value, (name, text)


def test_an_amount_that_may_mean_two_is_not_guessed() -> None:
    told = refusal("budget_day", "$1.000")
    assert told == "“$1.000” may mean 1 or 1000; please write one of these."
    assert BY_NAME["budget_day"].read("0.500", TODAY) == "0.5"
    assert BY_NAME["budget_day"].read("1.125", TODAY) == "1.125"
