"""Says which place a command is about. Pure."""

from bot.domain.scope import Scope, ScopeLevel
from bot.errors import Unacceptable
from bot.settings.options import Option
from bot.text import numbers
from bot.ui.elements import Command

# An integer of SQLite's has 64 bits, which any number of so many digits fits into.
MOST_DIGITS = 18

#: Before the id of the channel that a command is about.
OTHER = "channel:"

_LEVELS = {
    level.value: level for level in ScopeLevel if level is not ScopeLevel.OPERATOR
}


def target(command: Command, place: Scope, option: Option | None) -> Scope:
    """The place that `command`, given at `place`, is about.

    Where it does not say, that is the thread, if `option` can be set for one, or
    else the channel.
    """
    where = command.arguments.get("where", "")
    if where.startswith(OTHER) and where != OTHER:
        return Scope(place.platform, place.workspace, where.removeprefix(OTHER))
    if where:
        level = _LEVELS.get(where)
        found = place.at(level) if level else place
        if level is None or found.level is not level:
            raise Unacceptable(
                f"This is in no {where[:20]}. Please say where it is to apply, or do "
                "it there."
            )
        return found
    if option is not None and ScopeLevel.THREAD not in option.levels:
        return place.at(ScopeLevel.CHANNEL)
    return place


def scope_argument(command: Command, place: Scope) -> str:
    """How a control says that it is about `place`."""
    said = command.arguments.get("where", "")
    return said if said.startswith(OTHER) else place.level.value


def where_from(here: Scope, place: Scope) -> str:
    """How a control that stands `here` says that it is about `place`, which lies
    around it or is a channel of the same workspace."""
    if place.level is ScopeLevel.CHANNEL and place != here.at(ScopeLevel.CHANNEL):
        return f"{OTHER}{place.channel}"
    return place.level.value


def number(command: Command, name: str) -> int | None:
    """The number that `command` says as `name`; None where it says none, or one that no
    row of a database can have."""
    return numbers.number(command.arguments.get(name, ""), MOST_DIGITS)


def command_for_scope(verb: str, where: str) -> Command:
    """The command `verb`, about `where`."""
    return Command(verb, {"where": where})
