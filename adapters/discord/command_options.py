"""Converts the parameters of the core's commands to Discord's command options. Pure.

Rule: commands are defined in the core only; Discord's options are derived from them.
"""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import discord
from discord import app_commands

from bot.domain.scope import ScopeLevel
from bot.messages import labels
from bot.ui.command_spec import CommandSpec, Parameter, ParameterType
from bot.ui.elements import Choice

# Discord's limits (facts B7).
CHOICES = 25
TEXT_CHARS = 6_000
NAME_CHARS = 100

_TEXT: Any = app_commands.Range[str, 1, TEXT_CHARS]
_NUMBER: Any = app_commands.Range[int, 1]

#: The labels of levels on Discord.
LEVELS = (
    Choice(ScopeLevel.THREAD.value, labels.HERE_THREAD),
    Choice(ScopeLevel.CHANNEL.value, labels.HERE_CHANNEL),
    Choice(ScopeLevel.WORKSPACE.value, labels.HERE_SERVER),
)

Interaction = discord.Interaction[discord.Client]
#: Takes the values of the options by name; None for omitted options.
Callback = Callable[..., Coroutine[Any, Any, None]]


def typed(verb: CommandSpec, work: Callback) -> Callback:
    """Return `work` as a callback for discord.py, with the options of `verb`."""

    async def run(interaction: Interaction, **given: Any) -> None:
        await work(interaction, **given)

    described: Any = run
    for parameter in verb.parameters:
        app_commands.describe(**{parameter.name: parameter.about})(described)
        if choices := _fixed_choices(parameter):
            app_commands.choices(**{parameter.name: _draw_choices(choices)})(described)
        elif parameter.choices is not None:
            suggest = _suggesting(parameter.choices)
            app_commands.autocomplete(**{parameter.name: suggest})(described)
    # discord.py derives the options from the signature.
    described.__signature__ = inspect.Signature(
        [
            inspect.Parameter("interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD),
            *map(_option, verb.parameters),
        ]
    )
    return run


def suggested(choices: tuple[Choice, ...], typed: str) -> list[Choice]:
    """Return the `choices` that contain `typed`, with those that begin with it
    first."""
    wanted = typed.strip().lower()
    fitting = [
        each
        for each in choices
        if wanted in each.value.lower() or wanted in each.label.lower()
    ]
    fitting.sort(key=lambda each: not each.value.lower().startswith(wanted))
    return fitting[:CHOICES]


def _fixed_choices(parameter: Parameter) -> tuple[Choice, ...]:
    """Return the fixed choices of `parameter`; empty if it also takes other values, or
    has more choices than Discord allows."""
    if parameter.takes is ParameterType.LEVEL:
        return LEVELS
    if parameter.choices is None or parameter.open:
        return ()
    choices = parameter.choices()
    return choices if len(choices) <= CHOICES else ()


def _suggesting(choices: Callable[[], tuple[Choice, ...]]) -> Any:
    async def suggest(
        interaction: Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        return _draw_choices(suggested(choices(), str(typed)))

    return suggest


def _draw_choices(
    choices: tuple[Choice, ...] | list[Choice],
) -> list[app_commands.Choice[str]]:
    return [
        app_commands.Choice(
            name=" · ".join(filter(None, (each.label, each.about)))[:NAME_CHARS],
            value=each.value,
        )
        for each in choices
    ]


def _option(parameter: Parameter) -> inspect.Parameter:
    annotation: Any = str
    if parameter.takes is ParameterType.NUMBER:
        annotation = _NUMBER
    elif parameter.takes is ParameterType.FILE:
        annotation = discord.Attachment
    elif parameter.takes is ParameterType.TEXT or not _fixed_choices(parameter):
        annotation = _TEXT
    return inspect.Parameter(
        parameter.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if parameter.required else None,
        annotation=annotation,
    )
