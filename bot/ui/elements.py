"""Responses, forms, buttons and menus, independent of a platform.

Values that no platform is named in: the core says what is to be shown and asked,
an adapter draws it as its platform can. Nothing of a dialogue lives in memory:
whatever a control needs is in the `Command` that it carries, as one line of text.

Texts are Markdown of a small kind: bold, italics, code, fenced code, quotes, lists
with "- ". Whom and what the core names in them, people, groups, channels and
addresses, are references (`bot.text.references`): an adapter shows them by name, and
never so that somebody is notified. Whatever else a text holds is shown as it reads: a
model or anybody may have written it.
"""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.messages import labels
from bot.text import references

#: The longest line of a command that a button carries: a Discord custom_id has 100
#: characters (platform facts B8), and the adapter prefixes a mark.
LINE_CHARS = 90

#: The field in which a person chooses a scope: an argument of the form's command.
WHERE = "where"

_BLANK = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its name, and arguments by name."""

    #: A name of `bot.commands.catalog.COMMANDS`, for example "prompt set".
    verb: str
    arguments: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """Return the command as one line, for a button to carry.

        Raises ValueError for arguments that do not fit: those need a form.
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
    #: The heading below which a menu shows it and the choices beside it; at most 75
    #: characters.
    group: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu of at most 25 choices (platform facts B8); choosing one issues `command`
    with the choice as `argument`."""

    command: Command
    argument: str
    #: The label of the closed menu, at most 75 characters.
    label: str
    choices: tuple[Choice, ...] = ()
    #: Whether it offers the channels that the person sees in place of `choices`; the
    #: argument is "channel:ID" then. Their rights are checked when it is used.
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
    """A text that is too long to be shown and is attached as a file."""

    name: str
    text: str


# A longer text is shown in part, and attached as a file.
_SHOWN_CHARS = 1_500


def in_part(text: str, name: str) -> tuple[str, File | None]:
    """Return as much of `text` as a response shows, and all of it as a file called
    `name` if that is not all."""
    if len(text) <= _SHOWN_CHARS:
        return text, None
    return text[:_SHOWN_CHARS].rstrip() + "…", File(name, text)


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a page or response. A single button stands beside its text."""

    #: "" if the text begins with a title.
    title: str
    text: str
    menus: tuple[Menu, ...] = ()
    buttons: tuple[Button, ...] = ()
    #: Whether a line separates it from the section above.
    apart: bool = True

    @property
    def head(self) -> str:
        """Return the title and the text."""
        titled = f"**{self.title}**" if self.title else ""
        return "\n".join(filter(None, (titled, self.text)))


@dataclass(frozen=True, slots=True)
class Response:
    """The response to a command: text, sections, and the controls below them."""

    text: str
    sections: tuple[Section, ...] = ()
    #: Whether everybody in the thread sees it.
    public: bool = False
    menus: tuple[Menu, ...] = ()
    buttons: tuple[Button, ...] = ()
    file: File | None = None
    #: Whether it replaces the message whose control was used.
    replaces: bool = False
    #: The invalid field, if a form was refused: nothing changed.
    field: str = ""
    #: Whether it concludes what it responds to: a form closes, a message that only one
    #: person sees is replaced when its button was used, and a notice that others see is
    #: deleted.
    settles: bool = False

    @property
    def whole(self) -> str:
        """Return all of its text, that of its sections included."""
        heads = (section.head for section in self.sections)
        return "\n\n".join(filter(None, (self.text, *heads)))


#: No text: the effect of the command is visible by itself. Only commands of controls
#: return it, and it is compared by identity, so that no other response is taken for it.
SILENCE = Response("")


class Kind(enum.Enum):
    """The kind of a field."""

    LINE = "line"
    #: Several lines. A text that is longer than one input of the platform is spread
    #: over several, or given as a file.
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
    #: For `Kind.CHOICE`; `value` is one of them.
    choices: tuple[Choice, ...] = ()
    #: The most characters.
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
    #: The current values of what it changes, for a platform without forms; "" for none.
    applies: str = ""
    #: The subject of the form, shown above its fields.
    about: str = ""
    #: The place that the title names, as a text or a reference; "" for none.
    place: str = ""

    def titled(self, names: Mapping[str, str], most: int) -> str:
        """Return the title with the place if both fit into `most` characters and the
        place is known: `names` are those of channels, by id."""
        place = references.render(self.place, lambda found: names.get(found.id, ""))
        whole = f"{self.title} · {place}"
        return whole if place and len(whole) <= most else self.title[:most]


#: The result of a command.
CommandResult = Response | Form


@dataclass(frozen=True, slots=True)
class Page:
    """The bot's own page, where a platform has one."""

    sections: tuple[Section, ...]
