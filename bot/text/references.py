"""People, groups, channels and addresses that the core itself names in a text.

Rule: what an adapter draws as a mention or a link was made here. What others wrote is
text, whatever it reads ("user:U123"): it lacks the marks, which are taken out of all
that enters (`bot.text.characters.replace_lone_surrogates`), and the word between them,
which changes with each process and is never shown to anybody.
"""

import enum
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from bot.text.characters import CLOSE, OPEN

_WORD = secrets.token_hex(8)

_REFERENCE = re.compile(
    f"{OPEN}([0-9a-f]++):(user|group|channel|link):([^{OPEN}{CLOSE}\\s]++){CLOSE}"
)
# A mark without its other half, since a text was cut between them.
_REST = re.compile(f"{OPEN}[^\\s{CLOSE}]*+{CLOSE}?|{CLOSE}")
# What no id and no address holds.
_UNFIT = re.compile(f"[{OPEN}{CLOSE}\\s]")
# As values of settings name somebody or a channel.
_NAMED = re.compile(r"(user|group|channel):([A-Za-z0-9]++)")


class ReferenceKind(enum.Enum):
    """What a reference names."""

    USER = "user"
    GROUP = "group"
    CHANNEL = "channel"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Reference:
    """Somebody, a group, a channel or an address, by the platform's own id.

    As a text it is what an adapter draws as its platform does; nobody is notified.
    """

    kind: ReferenceKind
    #: The address itself for a link.
    id: str

    def __str__(self) -> str:
        id = _UNFIT.sub("", self.id)
        return f"{OPEN}{_WORD}:{self.kind.value}:{id}{CLOSE}" if id else ""


def user(id: str) -> str:
    """Somebody, for a text."""
    return str(Reference(ReferenceKind.USER, id))


def channel(id: str) -> str:
    """A channel, for a text."""
    return str(Reference(ReferenceKind.CHANNEL, id))


def link(address: str) -> str:
    """An address that people can follow, for a text."""
    return str(Reference(ReferenceKind.LINK, address))


def from_setting(value: str) -> str:
    """The canonical value of a setting that names people, groups or a channel, for a
    text: "user:U1 group:S1"."""
    return " ".join(map(_named, value.split(" ")))


def find(text: str) -> list[Reference]:
    """What `text` refers to, in order."""
    return [each for m in _REFERENCE.finditer(text) if (each := _read(m))]


def render(text: str, draw: Callable[[Reference], str]) -> str:
    """`text` with what `draw` makes of each reference."""
    if OPEN not in text and CLOSE not in text:
        return text

    def replaced(match: re.Match[str]) -> str:
        found = _read(match)
        return draw(found) if found else ""

    return _REST.sub("", _REFERENCE.sub(replaced, text))


def plain_text(text: str) -> str:
    """`text` with ids and addresses, for where nothing is drawn."""
    return render(text, lambda found: found.id)


def _named(word: str) -> str:
    match = _NAMED.fullmatch(word)
    return str(Reference(ReferenceKind(match[1]), match[2])) if match else word


def _read(match: re.Match[str]) -> Reference | None:
    """The reference of `match`; None for one of another process or of nobody's."""
    return Reference(ReferenceKind(match[2]), match[3]) if match[1] == _WORD else None
