"""Responses, forms, buttons and menus, independent of the platform.

The core describes what to show and ask, and an adapter renders the description on its
platform. A dialogue keeps no state in memory: each control carries its `Command`, as
one line of text, with everything it needs.

Texts are a small subset of Markdown: bold, italics, code, fenced code, quotes, lists
with "- ". Wherever the core names people, groups, channels and addresses, it uses
references (`bot.text.references`). An adapter shows references by name and without
notifying anybody. All other text is shown literally, because a model or anybody else
may have written it.
"""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.messages import labels
from bot.text import references

#: The longest command line that a button can carry. A Discord custom_id has 100
#: characters (platform facts B8), and the adapter adds a prefix.
LINE_CHARS = 90

#: The name of the field in which a person chooses a scope, and of its argument.
WHERE = "where"

_BLANK = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Command:
    """A command with its arguments by name."""

    #: A name of `bot.commands.catalog.COMMANDS`, for example "prompt set".
    verb: str
    arguments: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """The command as one line, for a button to carry.

        Raises ValueError for arguments that do not fit and so need a form.
        """
        words = [self.verb.replace(" ", ".")]
        words += [f"{name}={value}" for name, value in self.arguments.items()]
        line = " ".join(words)
        if len(line) > LINE_CHARS or any(map(_BLANK.search, words)):
            raise ValueError(f"{self.verb} cannot be carried by a control")
        return line

    @classmethod
    def of_line(cls, line: str) -> "Command":
        """Parse a command from `line`."""
        verb, *words = line.split(" ")
        pairs = (word.partition("=") for word in words)
        return cls(verb.replace(".", " "), {name: value for name, _, value in pairs})

    def having(self, arguments: Mapping[str, str]) -> "Command":
        """Return the command with further arguments."""
        return replace(self, arguments={**self.arguments, **arguments})


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a menu or field."""

    value: str
    #: At most 75 characters.
    label: str
    #: At most 75 characters.
    about: str = ""
    #: The heading of the choice's group in a menu; at most 75 characters.
    group: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu of at most 25 choices (platform facts B8).

    Choosing one issues `command` with the choice as `argument`.
    """

    command: Command
    argument: str
    #: The label of the closed menu, at most 75 characters.
    label: str
    choices: tuple[Choice, ...] = ()
    #: Whether the menu offers the channels that the person sees instead of `choices`.
    #: The argument is then "channel:ID". Rights are checked when a choice is made.
    channels: bool = False


class Style(enum.Enum):
    """The look of a button."""

    PLAIN = "plain"
    PRIMARY = "primary"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Button:
    """A button that issues `command`."""

    #: At most 75 characters.
    label: str
    command: Command
    style: Style = Style.PLAIN


@dataclass(frozen=True, slots=True)
class File:
    """A text that is too long to show and is attached as a file."""

    name: str
    text: str


# A longer text is cut and also attached as a file.
_SHOWN_CHARS = 1_500


def in_part(text: str, name: str) -> tuple[str, File | None]:
    """Return the part of `text` that a response shows, and a file with all of it.

    The file is called `name`; None if the response shows all of `text`.
    """
    if len(text) <= _SHOWN_CHARS:
        return text, None
    return text[:_SHOWN_CHARS].rstrip() + "…", File(name, text)


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a page or response. A single button is shown beside the text."""

    #: "" if the text begins with a title.
    title: str
    text: str
    menus: tuple[Menu, ...] = ()
    buttons: tuple[Button, ...] = ()
    #: Whether a line separates the section from the one above.
    apart: bool = True

    @property
    def head(self) -> str:
        """The title and the text."""
        titled = f"**{self.title}**" if self.title else ""
        return "\n".join(filter(None, (titled, self.text)))


@dataclass(frozen=True, slots=True)
class Response:
    """The response to a command: text, sections, and the controls below them."""

    text: str
    sections: tuple[Section, ...] = ()
    #: Whether everybody in the thread sees the response.
    public: bool = False
    menus: tuple[Menu, ...] = ()
    buttons: tuple[Button, ...] = ()
    file: File | None = None
    #: Whether the response replaces the message whose control was used.
    replaces: bool = False
    #: The name of the invalid field if a form was refused and nothing changed; else "".
    field: str = ""
    #: Whether the interaction is over: a form closes, a message that only one person
    #: sees is replaced after its button was used, and a notice that others see is
    #: deleted.
    settles: bool = False

    @property
    def whole(self) -> str:
        """All text of the response, including its sections."""
        heads = (section.head for section in self.sections)
        return "\n\n".join(filter(None, (self.text, *heads)))


#: A response without text, for commands of controls whose effect is visible anyway.
#: Compared by identity, so that no other response is mistaken for it.
SILENCE = Response("")


class Kind(enum.Enum):
    """The kind of a field."""

    LINE = "line"
    #: Several lines. A text that is too long for one input of the platform is spread
    #: over several inputs or uploaded as a file.
    TEXT = "text"
    CHOICE = "choice"
    #: Any number of people and groups: "user:ID group:ID …".
    PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form."""

    name: str
    #: At most 45 characters.
    label: str
    kind: Kind
    #: The initial value.
    value: str = ""
    #: For `Kind.CHOICE`; `value` is one of these.
    choices: tuple[Choice, ...] = ()
    #: The maximum number of characters.
    most: int = 200
    required: bool = True
    #: At most 100 characters.
    hint: str = ""
    #: An example of a value, at most 100 characters.
    placeholder: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A form; submitting it issues `command` with the values as arguments."""

    command: Command
    #: At most 24 characters.
    title: str
    #: At most 5 (platform facts B8).
    fields: tuple[Field, ...]
    #: At most 24 characters.
    submit: str = labels.SAVE
    #: The current values of the settings that the form changes, for a platform without
    #: forms; "" for none.
    applies: str = ""
    #: A description, shown above the fields.
    about: str = ""
    #: The name of the scope to add to the title, as text or a reference; "" for none.
    place: str = ""

    def titled(self, names: Mapping[str, str], most: int) -> str:
        """Return the title, with the place if its name is known and both fit.

        They fit if they have at most `most` characters together. `names` maps channel
        ids to names.
        """
        place = references.render(self.place, lambda found: names.get(found.id, ""))
        whole = f"{self.title} · {place}"
        return whole if place and len(whole) <= most else self.title[:most]


#: The result of a command.
CommandResult = Response | Form


@dataclass(frozen=True, slots=True)
class Page:
    """The bot's home page, on a platform that has one."""

    sections: tuple[Section, ...]
