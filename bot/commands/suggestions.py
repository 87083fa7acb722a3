"""Finds the command that somebody may have meant. Pure."""

import difflib
import itertools
from collections.abc import Iterator, Mapping, Sequence

from bot.commands.catalog import COMMANDS, LEVELS, parse_command
from bot.commands.router import Handler
from bot.commands.wordings import find_command
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.messages import commands as messages
from bot.messages import labels
from bot.ui.command_spec import CommandSpec, ParameterType
from bot.ui.elements import Button, Command, Response

# How similar a word must be to the name of a command, from 0 to 1: if the text was
# given as a command, and if it may also be a question ("sausage" is no "usage").
SIMILAR, VERY_SIMILAR = 0.6, 0.85

# Longer texts are ignored: a name has up to two words, and few arguments follow.
MOST_WORDS, MOST_CHARS = 5, 100

# A misspelt name that is shorter may be another word ("news", "shop").
LEAST_CHARS = 5


def nearest(text: str, similar: float = SIMILAR) -> str:
    """Return the command most similar to `text`, as a person would type it; "" if there
    is none."""
    if parse_command(meant := find_command(text)) is not None:
        return meant
    words = text.split()
    if len(words) > MOST_WORDS or len(text) > MOST_CHARS:
        return ""
    for length in (2, 1):
        head, rest = " ".join(words[:length]).lower(), words[length:]
        names = {
            each.name: each
            for each in COMMANDS
            if each.spoken and len(each.name.split()) == length
        }
        for name in difflib.get_close_matches(head, names, 1, similar):
            if not _word_by_word(head, name):
                continue
            for argued in _rests(names[name], rest):
                whole = " ".join([name, *argued])
                if parse_command(whole) is not None:
                    return whole
    return ""


def _word_by_word(head: str, name: str) -> bool:
    """Return True if each word of `head` is similar to its word of `name`."""
    pairs = zip(head.split(), name.split(), strict=False)
    return all(difflib.get_close_matches(a, [b], 1, SIMILAR) for a, b in pairs)


def misspelt(text: str) -> bool:
    """Return True if all of `text`, which may be a question, is a command with a
    misspelt name or in other words."""
    if parse_command(find_command(text)) is not None:
        return True
    words = text.lower().split()
    if not words or len(words[0]) < LEAST_CHARS or text.rstrip().endswith("?"):
        return False
    meant = nearest(text, VERY_SIMILAR).split()
    return meant[1:] == words[1:] and meant[:1] not in ([], words[:1])


async def unknown(command: Command, place: Scope, person: Person) -> Response:
    """Respond that `text` is not a command, and suggest the nearest one."""
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
    """Return the handler for texts that are not commands."""
    return {"unknown": unknown}


def _rests(spec: CommandSpec, words: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield candidates for the arguments of `spec` from `words`: with fewer corrections
    first, then in reverse order, then none."""
    known = set(LEVELS)
    for parameter in spec.parameters:
        if parameter.takes is ParameterType.CHOICE and parameter.choices is not None:
            known |= {choice.value for choice in parameter.choices()}
    near = [
        (word, *difflib.get_close_matches(low, sorted(known - {low}), 1, SIMILAR))
        for word in words
        for low in (word.lower(),)
    ]
    yield from itertools.product(*near)
    yield from (tuple(reversed(each)) for each in itertools.product(*near))
    yield ()
