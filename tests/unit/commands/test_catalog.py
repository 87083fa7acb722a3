"""A message is a command only if it is nothing else."""

import pytest

from bot.commands.catalog import COMMANDS, is_question, parse_command
from bot.ui.elements import LINE_CHARS, Command

WHOLE = (
    ("settings", Command("settings")),
    (" Settings ", Command("settings")),
    ("model", Command("model")),
    ("model `claude-opus-5-5`", Command("model", {"value": "claude-opus-5-5"})),
    (
        "model opus channel",
        Command("model", {"value": "opus", "where": "channel"}),
    ),
    ("model inherit", Command("model", {"value": "inherit"})),
    (
        "model opus everywhere",
        Command("model", {"value": "opus", "where": "workspace"}),
    ),
    ("budget day 5", Command("budget", {"period": "day", "value": "5"})),
    (
        "budget month none server",
        Command("budget", {"period": "month", "value": "none", "where": "workspace"}),
    ),
    ("prompt", Command("prompt")),
    ("prompt history", Command("prompt history")),
    ("prompt rollback v3", Command("prompt rollback", {"version": "3"})),
    ("set follow off", Command("set", {"option": "follow", "value": "off"})),
    (
        "set who user:U1 group:S2",
        Command("set", {"option": "who", "value": "user:U1 group:S2"}),
    ),
    (
        "set prompt Be brief.\n  And kind.",
        Command("set", {"option": "prompt", "value": "Be brief.\n  And kind."}),
    ),
    (
        "prompt set channel Be brief.\n  And kind.",
        Command("prompt set", {"where": "channel", "text": "Be brief.\n  And kind."}),
    ),
    ("set model", Command("set", {"option": "model"})),
    ("usage", Command("usage")),
)


def test_a_whole_message_is_a_command() -> None:
    for text, command in WHOLE:
        assert parse_command(text) == command, text


def _set(option: str, value: str) -> Command:
    return Command("set", {"option": option, "value": value})


_PLEASE = "Be kind, please"

QUESTIONS = (
    "",
    "hello",
    "usage of the API last month?",
    "settings are wrong on my laptop",
    "stop the build",
    "help me with this",
    "new ideas please",
    "model trains are late again",
    "retry the deployment",
    "budget day after tomorrow",
    "set effort high for this migration",
    "set up a meeting",
    "prompt rollback",
    "prompt rollback tomorrow",
    "set nonsense 5",
    "save option=model",
    "edit",
    "draft save draft=1",
)


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("`budget day 5`", Command("budget", {"period": "day", "value": "5"})),
        ("```\nusage\n```", Command("usage")),
        ("\u201csettings all\u201d", Command("settings", {"view": "all"})),
        ("*retry*", Command("retry")),
        ("Help.", Command("help")),
        ("new!", Command("new")),
        ("Please retry", Command("retry")),
        ("budget 5, please", Command("budget", {"value": "5"})),
        ("/claude usage", Command("usage")),
        ("/settings", Command("settings")),
        ("set prompt to Be kind.", _set("prompt", "Be kind.")),
        ("set prompt: Be kind,\nplease.", _set("prompt", "Be kind,\nplease.")),
        ("set `effort` = high", _set("effort", "high")),
        ("prompt set Be kind, please", Command("prompt set", {"text": _PLEASE})),
        ('search "new" and "old"', Command("search", {"words": '"new" and "old"'})),
    ],
)
def test_marks_and_politeness_around_a_command_are_ignored(
    typed: str, command: Command
) -> None:
    assert parse_command(typed) == command


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("\u200fsettings", "settings"),
        ("\u2068set model\u2069 opus\u200b", "set model opus"),
        ("budget day \u202a5\u202c", "budget day 5"),
    ],
)
def test_invisible_characters_are_no_part_of_a_command(text: str, command: str) -> None:
    assert parse_command(text) == parse_command(command) is not None
    said = "prompt set \u2067עברית\u2069 or English"
    assert parse_command(f"\u200f{said}") is not None
    found = parse_command(said)
    assert found is not None
    assert found.arguments["text"] == said.removeprefix("prompt set ")


def test_nobodys_question_is_swallowed() -> None:
    for text in QUESTIONS:
        assert parse_command(text) is None, text


def test_every_verb_that_is_listed_can_be_typed_or_needs_a_word() -> None:
    for verb in COMMANDS:
        needs = any(parameter.required for parameter in verb.parameters)
        if verb.spoken and not needs:
            assert parse_command(verb.name) == Command(verb.name)
        assert len(verb.summary) < 100


def test_a_command_survives_being_carried_by_a_control() -> None:
    command = Command("draft save", {"draft": "12", "base": "7"})
    assert Command.of_line(command.line) == command
    assert Command.of_line("help") == Command("help")
    assert command.having({"where": "channel:C1"}).arguments["base"] == "7"


@pytest.mark.parametrize("value", ["two words", "x" * LINE_CHARS, "a\nb"])
def test_what_belongs_into_a_form_is_not_carried(value: str) -> None:
    with pytest.raises(ValueError, match="control"):
        _ = Command("save", {"model": value}).line


def test_a_message_that_asks_claude_to_search_is_a_question() -> None:
    questions = {
        "search": False,
        "search invoice Acme": False,
        'search "the web for flights"': False,
        "search the web": True,
        "search for flights": True,
        "search invoice Acme last november": True,
        "search flights?": True,
        "settings": False,
    }
    for text, asks in questions.items():
        command = parse_command(text)
        assert command is not None
        assert is_question(command) is asks, text
