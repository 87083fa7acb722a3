"""References: people, groups, channels and addresses that the core names in a text.

Rule: adapters draw only references as mentions or links. What others wrote stays text,
whatever it reads ("user:U123"): it lacks the marks, which
`bot.text.characters.replace_lone_surrogates` removes from all input, and the word
between them, which is random for each process and never shown.
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
# A mark whose other half is missing because the text was cut.
_REST = re.compile(f"{OPEN}[^\\s{CLOSE}]*+{CLOSE}?|{CLOSE}")
# Characters that no id and no address contains.
_UNFIT = re.compile(f"[{OPEN}{CLOSE}\\s]")
# People, groups and channels in the values of settings.
_NAMED = re.compile(r"(user|group|channel):([A-Za-z0-9]++)")


class ReferenceKind(enum.Enum):
    """The kind of a reference."""

    USER = "user"
    GROUP = "group"
    CHANNEL = "channel"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to a person, group, channel or address, by the platform's own id.

    As text it is what an adapter draws; nobody is notified.
    """

    kind: ReferenceKind
    #: For a link, the address itself.
    id: str

    def __str__(self) -> str:
        id = _UNFIT.sub("", self.id)
        return f"{OPEN}{_WORD}:{self.kind.value}:{id}{CLOSE}" if id else ""


def user(id: str) -> str:
    """Return a reference to a person, as text."""
    return str(Reference(ReferenceKind.USER, id))


def group(id: str) -> str:
    """Return a reference to a user group or role, as text."""
    return str(Reference(ReferenceKind.GROUP, id))


def channel(id: str) -> str:
    """Return a reference to a channel, as text."""
    return str(Reference(ReferenceKind.CHANNEL, id))


def link(address: str) -> str:
    """Return a reference to an address, as text."""
    return str(Reference(ReferenceKind.LINK, address))


def from_setting(value: str) -> str:
    """Return the canonical value of a setting that names people, groups or a channel
    ("user:U1 group:S1") with references."""
    return " ".join(map(_named, value.split(" ")))


def find(text: str) -> list[Reference]:
    """Return the references in `text`, in order."""
    return [each for m in _REFERENCE.finditer(text) if (each := _read(m))]


def render(text: str, draw: Callable[[Reference], str]) -> str:
    """Return `text` with the result of `draw` for each reference."""
    if OPEN not in text and CLOSE not in text:
        return text

    def replaced(match: re.Match[str]) -> str:
        found = _read(match)
        return draw(found) if found else ""

    return _REST.sub("", _REFERENCE.sub(replaced, text))


def plain_text(text: str) -> str:
    """Return `text` with ids and addresses in place of references."""
    return render(text, lambda found: found.id)


def _named(word: str) -> str:
    match = _NAMED.fullmatch(word)
    return str(Reference(ReferenceKind(match[1]), match[2])) if match else word


def _read(match: re.Match[str]) -> Reference | None:
    """Return the reference of `match`; None if this process did not make it."""
    return Reference(ReferenceKind(match[2]), match[3]) if match[1] == _WORD else None
