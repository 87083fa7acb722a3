"""Lists the commands by name, and finds the one that somebody may have meant."""

import difflib
from collections.abc import Sequence

from bot.messages import terminal as texts
from bot.ui.command_spec import CommandSpec
from bot.ui.elements import Command

# Commands of the terminal itself.
OWN = (
    ("new", texts.NEW),
    ("clear", texts.NEW),
    ("threads", texts.THREADS),
    ("edit", texts.EDIT),
    ("attach", texts.ATTACH),
    ("detach", texts.DETACH),
    ("help", texts.SHOW_HELP),
    ("exit", texts.EXIT),
    ("quit", texts.EXIT),
)


def typed_name(command: Command) -> str:
    """Return `command` as people type it."""
    return " ".join([f"/{command.verb}", *command.arguments.values()])


def describe_commands(catalog: Sequence[CommandSpec]) -> list[tuple[str, str]]:
    """Return (name, summary) of all commands, sorted by name."""
    own = {name for name, _ in OWN}
    shown = [each for each in catalog if each.spoken and not each.hidden]
    listed = [(each.name, each.summary) for each in shown if each.name not in own]
    return sorted([*OWN, *listed])


def settings(catalog: Sequence[CommandSpec]) -> list[tuple[str, str]]:
    """Return (name, label) of all settings."""
    return [
        (choice.value, choice.label)
        for spec in catalog
        for parameter in spec.parameters
        if parameter.name == "option" and parameter.choices
        for choice in parameter.choices()
    ]


def nearest(command: str, catalog: Sequence[CommandSpec]) -> str:
    """Return the command or setting whose name is nearest to `command`; "" if none is
    near."""
    names = [f"/{name}" for name, _ in describe_commands(catalog)]
    names += [f"/set {name}" for name, _ in settings(catalog)]
    return next(iter(difflib.get_close_matches(command, names, 1)), "")
