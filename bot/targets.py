"""Says which place a command is about. Pure."""

from bot.dialogue import Command
from bot.errors import Unacceptable
from bot.options import Option
from bot.rules import Level, Place

_LEVELS = {level.value: level for level in Level if level is not Level.OPERATOR}


def target(command: Command, place: Place, option: Option | None) -> Place:
    """The place that `command`, given at `place`, is about.

    Where it does not say, that is the thread, if `option` can be set for one, or
    else the channel.
    """
    where = command.arguments.get("where", "")
    if where.startswith("channel:"):
        return Place(place.platform, place.workspace, where.removeprefix("channel:"))
    if where:
        found = place.at(_LEVELS.get(where, Level.OPERATOR))
        if found.level.value != where:
            raise Unacceptable(
                f"This is in no {where[:20]}. Please say where it is to apply, or do "
                "it there."
            )
        return found
    if option is not None and Level.THREAD not in option.levels:
        return place.at(Level.CHANNEL)
    return place


def where(command: Command, place: Place) -> str:
    """How a control says that it is about `place`."""
    said = command.arguments.get("where", "")
    return said if said.startswith("channel:") else place.level.value


def aimed(verb: str, where: str) -> Command:
    """The command `verb`, about `where`."""
    return Command(verb, {"where": where})
