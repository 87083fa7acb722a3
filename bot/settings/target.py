"""Determines the scope that a command is about. Pure."""

from bot.domain.scope import Scope, ScopeLevel
from bot.errors import Unacceptable
from bot.messages import values as messages
from bot.settings.options import Option
from bot.text import numbers
from bot.ui.elements import Command

# Any number with this many digits fits into an integer of SQLite (64 bits).
MOST_DIGITS = 18

#: The prefix of the id of another channel in a command's `where`.
OTHER = "channel:"

_LEVELS = {
    level.value: level for level in ScopeLevel if level is not ScopeLevel.OPERATOR
}


def target(command: Command, place: Scope, option: Option | None) -> Scope:
    """Return the scope that `command`, given at `place`, is about.

    By default it is the thread if `option` can be set for one, else the channel.
    """
    where = command.arguments.get("where", "")
    if where.startswith(OTHER) and where != OTHER:
        return Scope(place.platform, place.workspace, where.removeprefix(OTHER))
    if where:
        level = _LEVELS.get(where)
        found = place.at(level) if level else place
        if level is None or found.level is not level:
            raise Unacceptable(messages.no_such_scope(scope=where[:20]))
        return found
    if option is not None and ScopeLevel.THREAD not in option.levels:
        return place.at(ScopeLevel.CHANNEL)
    return place


def scope_argument(command: Command, place: Scope) -> str:
    """Return the `where` of commands in controls about the scope `place` of
    `command`."""
    said = command.arguments.get("where", "")
    return said if said.startswith(OTHER) else place.level.value


def where_from(here: Scope, place: Scope) -> str:
    """Return the `where` for `place`, an enclosing scope of `here` or another channel
    of its workspace."""
    if place.level is ScopeLevel.CHANNEL and place != here.at(ScopeLevel.CHANNEL):
        return f"{OTHER}{place.channel}"
    return place.level.value


def number(command: Command, name: str) -> int | None:
    """Return the number in argument `name` of `command`; None if there is none, or if
    it is too large for a row id."""
    return numbers.number(command.arguments.get(name, ""), MOST_DIGITS)


def command_for_scope(verb: str, where: str) -> Command:
    """Return the command `verb` about `where`."""
    return Command(verb, {"where": where})
