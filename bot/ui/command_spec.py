"""Specifications of commands: a name, a summary, parameters. Frozen values."""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from bot.ui.elements import Choice

# A longer text is no command, but a question: more than twice what any value may have.
# Slack cuts what people write at 40,000 (facts A5.3).
MOST_COMMAND_CHARS = 50_000


class Takes(enum.Enum):
    """What a parameter is."""

    #: The rest of the line.
    TEXT = "text"
    #: One word of its choices; others are taken where it is `open`.
    CHOICE = "choice"
    NUMBER = "number"
    #: A word of `LEVELS`.
    LEVEL = "level"
    #: A text file; typed, it does not exist.
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a verb."""

    name: str
    #: At most 100 characters.
    about: str
    takes: Takes = Takes.TEXT
    required: bool = False
    #: What there is to choose from now.
    choices: Callable[[], tuple[Choice, ...]] | None = None
    #: Whether it also takes a word that is none of its choices, and is then told why
    #: that cannot be.
    open: bool = False
    #: Whether people type its name before it: "last 100".
    named: bool = False


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One thing that people can tell the bot to do."""

    name: str
    #: What it does, in less than 100 characters.
    summary: str
    parameters: tuple[Parameter, ...] = ()
    #: Whether everybody in the thread should see what came of it.
    public: bool = False
    #: Whether it is only for controls, or for what people type: no command of its
    #: own where a platform lists commands, and not in the help.
    hidden: bool = False
    #: Whether people may type it.
    spoken: bool = True
    #: Of use to those only who administer something; they are checked in any case.
    admin: bool = False
    #: Whether it is a command of its own, rather than one of ours, where a platform
    #: lists commands.
    own: bool = False
