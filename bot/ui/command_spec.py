"""Specifications of commands: a name, a summary, parameters. Frozen values."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.ui.elements import Choice

# A longer text is a question, not a command: more than twice the longest value. Slack
# cuts messages at 40,000 characters (facts A5.3).
MOST_COMMAND_CHARS = 50_000


class Takes(enum.Enum):
    """The type of a parameter."""

    #: The rest of the line.
    TEXT = "text"
    #: One of its choices, or any word if it is `open`.
    CHOICE = "choice"
    NUMBER = "number"
    #: A number that counts back, or the link of a message; its value is the number, or
    #: the platform's id of the message.
    ANSWER = "answer"
    #: The width of a scope: a word of `LEVELS`.
    LEVEL = "level"
    #: A text file, which cannot be typed.
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a command."""

    name: str
    #: At most 100 characters.
    about: str
    takes: Takes = Takes.TEXT
    required: bool = False
    #: Returns the choices at the time of the call.
    choices: Callable[[], tuple[Choice, ...]] | None = None
    #: Whether it also accepts other words than its choices; the command then explains
    #: why such a word is not valid.
    open: bool = False
    #: Whether people type its name before the value: "last 100".
    named: bool = False
    #: Other words for its choices, with what each stands for.
    synonyms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """The specification of one command."""

    name: str
    #: A summary in less than 100 characters.
    summary: str
    parameters: tuple[Parameter, ...] = ()
    #: Whether everybody in the thread sees the result.
    public: bool = False
    #: Whether it shows what depends on the person, unless a value is given. Typed where
    #: nothing can be shown to one person only, it is answered with a button.
    personal: bool = False
    #: Whether it is for buttons and typed commands only: left out of the platform's
    #: list of commands and of the help.
    hidden: bool = False
    #: Whether people may type it.
    spoken: bool = True
    #: Whether only admins need it. Their rights are checked in any case.
    admin: bool = False
    #: Whether its result goes below the message whose button gave it.
    below: bool = False
    #: Whether it is a command of its own in the platform's list, not one of ours.
    own: bool = False
