"""What the bot and a person say to each other through commands, menus and forms.

Values that no platform is named in: the core says what is to be shown and asked,
an adapter draws it as its platform can. Nothing of a dialogue lives in memory:
whatever a control needs is in the `Command` that it carries, as one line of text.

Texts are Markdown of a small kind: bold, italics, code, fenced code, quotes, lists
with "- ". People, groups and channels stand in them as `user:ID`, `group:ID` and
`channel:ID`, which an adapter shows by name, and never so that they are notified.
"""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

#: The longest line of a command that a control carries: a Discord custom_id holds
#: 100 characters (platform facts B8), and the adapter puts a mark before it.
LINE_CHARS = 90

#: People, groups and channels as they stand in texts.
REFERENCE = re.compile(r"\b(user|group|channel):([A-Za-z0-9]+)\b")

_BLANK = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Command:
    """What somebody tells the bot to do: a verb, and arguments by name."""

    #: A name of `bot.commands.catalog.COMMANDS`, for example "prompt set".
    verb: str
    arguments: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """The same on one line, for a control to carry.

        Raises ValueError for arguments that do not fit: those belong into a form.
        """
        words = [self.verb.replace(" ", ".")]
        words += [f"{name}={value}" for name, value in self.arguments.items()]
        line = " ".join(words)
        if len(line) > LINE_CHARS or any(map(_BLANK.search, words)):
            raise ValueError(f"{self.verb} cannot be carried by a control")
        return line

    @classmethod
    def of_line(cls, line: str) -> "Command":
        """The command that `line` says."""
        verb, *words = line.split(" ")
        pairs = (word.partition("=") for word in words)
        return cls(verb.replace(".", " "), {name: value for name, _, value in pairs})

    def having(self, arguments: Mapping[str, str]) -> "Command":
        """The same with more arguments."""
        return replace(self, arguments={**self.arguments, **arguments})


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the things to choose from."""

    value: str
    #: At most 75 characters.
    label: str
    #: At most 75 characters.
    about: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    """Choose one, and `command` is given with it as `argument`. At most 25 choices
    (platform facts B8)."""

    command: Command
    argument: str
    #: What the closed menu reads, at most 75 characters.
    label: str
    choices: tuple[Choice, ...]


class Style(enum.Enum):
    """How a button is to look."""

    PLAIN = "plain"
    PRIMARY = "primary"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Button:
    """Press it, and `command` is given."""

    #: At most 75 characters.
    label: str
    command: Command
    style: Style = Style.PLAIN


@dataclass(frozen=True, slots=True)
class File:
    """A text that is too long to be shown, to be handed over as a file."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Response:
    """What a person is told, and what they can do next."""

    text: str
    #: Whether everybody in the thread should see it.
    public: bool = False
    menus: tuple[Menu, ...] = ()
    buttons: tuple[Button, ...] = ()
    file: File | None = None
    #: Whether it takes the place of the message whose control was used.
    replaces: bool = False
    #: The field of the form at fault, if the form was not taken: nothing changed.
    field: str = ""


#: Nobody need be told: what was done shows by itself.
SILENCE = Response("")


class Kind(enum.Enum):
    """How a value is asked for."""

    LINE = "line"
    #: Several lines, perhaps more than one input of the platform holds: then it is
    #: shared out over several, or taken as a file.
    TEXT = "text"
    CHOICE = "choice"
    #: Any number of people and groups: "user:ID group:ID …".
    PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class Field:
    """One value that a form asks for."""

    name: str
    #: At most 45 characters.
    label: str
    kind: Kind
    #: What it reads before anybody changes it.
    value: str = ""
    #: For `Kind.CHOICE`; `value` is one of theirs.
    choices: tuple[Choice, ...] = ()
    #: The most characters.
    most: int = 200
    required: bool = True
    #: At most 100 characters.
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """Asks for values; sent off, `command` is given with them as arguments."""

    command: Command
    #: At most 24 characters.
    title: str
    #: At most 5 (platform facts B8).
    fields: tuple[Field, ...]
    #: At most 24 characters.
    submit: str = "Save"


#: What a command leads to.
CommandResult = Response | Form


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page."""

    #: "" where the text begins with one.
    title: str
    text: str
    menus: tuple[Menu, ...] = ()
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """What a person sees who opens the bot itself, where a platform has that."""

    sections: tuple[Section, ...]
