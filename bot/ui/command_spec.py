"""Specifications of commands: name, summary and parameters. Frozen values."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.ui.elements import Choice

# A longer text is a question, not a command. This is more than twice the longest value;
# Slack cuts messages at 40,000 characters (platform facts A5.3).
MOST_COMMAND_CHARS = 50_000


class ParameterType(enum.Enum):
    """The type of a parameter."""

    #: The rest of the line.
    TEXT = "text"
    #: One of its choices, or any word if it is `open`.
    CHOICE = "choice"
    NUMBER = "number"
    #: An answer, as a number that counts back or as the link of a message. The value is
    #: the number or the platform's id of the message.
    ANSWER = "answer"
    #: The level of a scope: a word of `LEVELS`.
    LEVEL = "level"
    #: A text file, which cannot be typed.
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a command."""

    name: str
    #: At most 100 characters.
    about: str
    takes: ParameterType = ParameterType.TEXT
    required: bool = False
    #: Returns the choices at the time of the call.
    choices: Callable[[], tuple[Choice, ...]] | None = None
    #: Whether the parameter accepts words other than its choices. The command then
    #: explains why such a word is invalid.
    open: bool = False
    #: Whether people type the parameter's name before the value: "last 100".
    named: bool = False
    #: Synonyms, each with the choice that it means.
    synonyms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """The specification of one command."""

    name: str
    #: A summary of less than 100 characters.
    summary: str
    parameters: tuple[Parameter, ...] = ()
    #: Whether everybody in the thread sees the result.
    public: bool = False
    #: Whether the result depends on the person, unless a value is given. Where nothing
    #: can be shown to one person only, a typed command is answered with a button.
    personal: bool = False
    #: Whether the command is for buttons and typing only: left out of the platform's
    #: list of commands and of the help.
    hidden: bool = False
    #: Whether people may type the command.
    spoken: bool = True
    #: Whether only admins need the command. Rights are checked in any case.
    admin: bool = False
    #: Whether the result goes below the message whose button was pressed.
    below: bool = False
    #: Whether the platform lists it as a command of its own, not as a subcommand.
    own: bool = False
