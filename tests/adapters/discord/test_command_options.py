"""Registration of the core's verbs as Discord commands."""

from typing import Any

import discord
from discord import app_commands

from adapters.discord import command_options
from bot.ui.command_spec import CommandSpec, Parameter, ParameterType
from bot.ui.elements import Choice

Interaction = discord.Interaction[discord.Client]

FEW = (Choice("day", "a day"), Choice("month", "a month", "of 31 days"))
MANY = tuple(Choice(f"v{n}", f"Value {n}") for n in range(26))


async def nothing(interaction: Interaction, **given: Any) -> None: ...


def options(*given: Parameter) -> list[dict[str, Any]]:
    """Return the options of a command with these parameters."""
    verb = CommandSpec("x", "Does it.", given)
    command: app_commands.Command[Any, Any, Any] = app_commands.Command(
        name="x", description="x", callback=command_options.typed(verb, nothing)
    )
    client = discord.Client(intents=discord.Intents.none())
    return list(command.to_dict(app_commands.CommandTree(client))["options"])


def test_each_kind_of_parameter_is_an_option_of_its_kind() -> None:
    file, number, text, level = options(
        Parameter("file", "A file", ParameterType.FILE),
        Parameter("version", "Which one", ParameterType.NUMBER),
        Parameter("value", "What", ParameterType.TEXT),
        Parameter("where", "Where", ParameterType.LEVEL),
    )
    assert (file["type"], file["description"], file["required"]) == (
        11,
        "A file",
        False,
    )
    assert (number["type"], number["min_value"]) == (4, 1)
    assert (text["type"], text["max_length"]) == (3, 6_000)
    assert [each["value"] for each in level["choices"]] == [
        "thread",
        "channel",
        "workspace",
    ]
    assert level["choices"][2]["name"] == "This server"


def test_what_is_required_comes_first() -> None:
    found = options(
        Parameter("where", "Where", ParameterType.LEVEL),
        Parameter("version", "Which one", ParameterType.NUMBER, required=True),
    )
    assert [each["name"] for each in found] == ["version", "where"]
    assert [each["required"] for each in found] == [True, False]


def test_few_choices_are_shown_and_many_or_open_ones_suggested() -> None:
    few, many, free, bare = options(
        Parameter("few", "x", ParameterType.CHOICE, choices=lambda: FEW),
        Parameter("many", "x", ParameterType.CHOICE, choices=lambda: MANY),
        Parameter("free", "x", ParameterType.CHOICE, choices=lambda: FEW, open=True),
        Parameter("bare", "x", ParameterType.CHOICE, open=True),
    )
    assert [(c["name"], c["value"]) for c in few["choices"]] == [
        ("a day", "day"),
        ("a month · of 31 days", "month"),
    ]
    for each in (many, free):
        assert each["autocomplete"] is True
        assert "choices" not in each
    assert not bare.get("autocomplete")
    assert "choices" not in bare


def test_what_was_typed_so_far_narrows_the_choices() -> None:
    models = (
        Choice("auto", "auto"),
        Choice("claude-opus", "claude-opus"),
        Choice("opus-next", "The next Opus"),
        Choice("claude-haiku", "claude-haiku"),
    )
    found = command_options.suggested(models, " Opus")
    assert [each.value for each in found] == ["opus-next", "claude-opus"]
    assert command_options.suggested(models, "gpt") == []
    assert len(command_options.suggested(MANY, "")) == 25
