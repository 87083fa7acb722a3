"""Finds the command that somebody may have meant. Pure."""

import difflib
import itertools
from collections.abc import Iterator, Mapping, Sequence

from bot.commands.catalog import COMMANDS, LEVELS, parse_command
from bot.commands.router import Handler
from bot.commands.wordings import worded
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.messages import commands as messages
from bot.messages import labels
from bot.ui.command_spec import CommandSpec, Takes
from bot.ui.elements import Button, Command, Response

# How similar a word must be to a name, from 0 to 1: to that of a command when somebody
# gives one, and when a message may be a question as well ("sausage" is none).
SIMILAR, VERY_SIMILAR = 0.6, 0.85

# A longer text is not looked at: two words of a name, and what commands take.
MOST_WORDS, MOST_CHARS = 5, 100

# A misspelt shorter name may be another word ("news", "shop").
LEAST_CHARS = 5


def nearest(text: str, similar: float = SIMILAR) -> str:
    """Return the command that is most similar to `text`, as it is typed; "" if there is
    none."""
    if parse_command(meant := worded(text)) is not None:
        return meant
    words = text.lower().split()
    if len(words) > MOST_WORDS or len(text) > MOST_CHARS:
        return ""
    for length in (2, 1):
        head, rest = " ".join(words[:length]), words[length:]
        names = {
            each.name: each
            for each in COMMANDS
            if each.spoken and len(each.name.split()) == length
        }
        for name in difflib.get_close_matches(head, names, 1, similar):
            for argued in _rests(names[name], rest):
                whole = " ".join([name, *argued])
                if parse_command(whole) is not None:
                    return whole
    return ""


def misspelt(text: str) -> bool:
    """Return True if all of `text`, which may be a question, is a command but for the
    spelling of its name, or in other words."""
    if parse_command(worded(text)) is not None:
        return True
    words = text.lower().split()
    if not words or len(words[0]) < LEAST_CHARS or text.rstrip().endswith("?"):
        return False
    meant = nearest(text, VERY_SIMILAR).split()
    return meant[1:] == words[1:] and meant[:1] not in ([], words[:1])


async def unknown(command: Command, place: Scope, person: Person) -> Response:
    """Say that there is no such command as `text`, and name the nearest one."""
    meant = nearest(command.arguments.get("text", ""))
    given = parse_command(meant)
    if given is None:
        buttons = (Button(labels.HELP, Command("help")),)
        return Response(messages.UNKNOWN, buttons=buttons)
    text = messages.did_you_mean(command=meant)
    try:
        _ = given.line
    except ValueError:
        return Response(text)
    return Response(text, buttons=(Button(meant[:75], given),))


def handlers() -> Mapping[str, Handler]:
    """Return the handler of what is no command."""
    return {"unknown": unknown}


def _rests(spec: CommandSpec, words: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield `words` as what follows the name of `spec`: with fewer corrections first,
    then the other way round, then nothing."""
    known = set(LEVELS)
    for parameter in spec.parameters:
        if parameter.takes is Takes.CHOICE and parameter.choices is not None:
            known |= {choice.value for choice in parameter.choices()}
    near = [
        (word, *difflib.get_close_matches(word, sorted(known - {word}), 1, SIMILAR))
        for word in words
    ]
    yield from itertools.product(*near)
    yield from (tuple(reversed(each)) for each in itertools.product(*near))
    yield ()
