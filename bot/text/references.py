"""References to people, groups, channels, addresses and times in the core's texts.

Rule: adapters render only references as mentions or links. Input from others stays
text, even if it looks like a reference ("user:U123"). It lacks the delimiters, which
`bot.text.characters.replace_lone_surrogates` removes from all input, and the secret
word between them, which is random for each process and never shown.
"""

import enum
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, tzinfo

from bot.text import times
from bot.text.characters import CLOSE, OPEN

_WORD = secrets.token_hex(8)

_REFERENCE = re.compile(
    f"{OPEN}([0-9a-f]++):(user|group|channel|link|time|day):([^{OPEN}{CLOSE}\\s]++){CLOSE}"
)
# A delimiter whose counterpart is missing because the text was cut.
_REST = re.compile(f"{OPEN}[^\\s{CLOSE}]*+{CLOSE}?|{CLOSE}")
# Characters that no id and no address may contain.
_UNFIT = re.compile(f"[{OPEN}{CLOSE}\\s]")
# People, groups and channels in the values of settings.
_NAMED = re.compile(r"(user|group|channel):([A-Za-z0-9]++)")


class ReferenceKind(enum.Enum):
    """The kind of a reference."""

    USER = "user"
    GROUP = "group"
    CHANNEL = "channel"
    LINK = "link"
    #: A time to the minute, or only the day. People read both in their own time zone.
    TIME = "time"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to a person, group or channel by the platform's id, or to an address
    or a time.

    `str()` returns the encoded form, which an adapter renders without notifying
    anybody.
    """

    kind: ReferenceKind
    #: For a link, the address itself; for a time, the seconds since 1970.
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


def time(at: float) -> str:
    """Return a reference to the minute of `at`, in seconds since 1970, as text."""
    return str(Reference(ReferenceKind.TIME, str(int(at))))


def day(at: float) -> str:
    """Return a reference to the day of `at`, as text."""
    return str(Reference(ReferenceKind.DAY, str(int(at))))


def from_setting(value: str) -> str:
    """Replace the ids in a setting's canonical value with references.

    Such a value names people, groups or a channel: "user:U1 group:S1".
    """
    return " ".join(map(_name_reference, value.split(" ")))


def find(text: str) -> list[Reference]:
    """Return the references in `text`, in order."""
    return [each for m in _REFERENCE.finditer(text) if (each := _read(m))]


def render(text: str, draw: Callable[[Reference], str]) -> str:
    """Return `text` with each reference replaced by the result of `draw`."""
    if OPEN not in text and CLOSE not in text:
        return text

    def replaced(match: re.Match[str]) -> str:
        found = _read(match)
        return draw(found) if found else ""

    return _REST.sub("", _REFERENCE.sub(replaced, text))


def plain_text(text: str, zone: tzinfo | None = UTC) -> str:
    """Return `text` with plain ids, addresses and times in place of references.

    Times are in `zone`; None is the time zone of this machine.
    """
    return render(text, lambda found: plain(found, zone))


def plain(found: Reference, zone: tzinfo | None = UTC) -> str:
    """Return a reference as plain text."""
    if found.kind is ReferenceKind.TIME:
        return times.minute(float(found.id), zone)
    if found.kind is ReferenceKind.DAY:
        return times.day(float(found.id), zone)
    return found.id


def _name_reference(word: str) -> str:
    match = _NAMED.fullmatch(word)
    return str(Reference(ReferenceKind(match[1]), match[2])) if match else word


def _read(match: re.Match[str]) -> Reference | None:
    """Return the reference of `match`; None if this process did not make it."""
    return Reference(ReferenceKind(match[2]), match[3]) if match[1] == _WORD else None
