"""Tokens of the web API. Frozen values, and their text form.

Rule: the text of a token is shown once, to the operator who creates it. Only a digest
is stored; a token has 256 random bits, so that a plain hash cannot be searched.
"""

import enum
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass


class TokenScope(enum.Enum):
    """The permission that a token gives."""

    #: Ask, and go on with, read and stop the threads that it asked in.
    CHAT = "chat"
    #: Read all threads of the API.
    READ = "read"
    #: Everything: all threads of the API, and the console.
    ADMIN = "admin"


#: The default number of requests a minute.
RATE = 60
#: The greatest one: a hundred requests each second.
MOST_RATE = 6_000

#: The name of the author who writes through an API that is open to this machine alone.
LOCAL = "local"

_TEXT = re.compile(r"tk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NAME = re.compile(r"[a-z][a-z0-9]{0,31}")


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token, without its secret. Its name is the person who asks with it: settings,
    rights, limits and budgets apply to that id."""

    id: str
    name: str
    scopes: frozenset[TokenScope]
    #: Seconds since 1970, as all times here; None for never.
    created: float
    expires: float | None = None
    revoked: float | None = None
    #: The last use, to the minute.
    used: float | None = None
    #: The most requests a minute.
    rate: int = RATE

    def is_valid(self, now: float) -> bool:
        """Return whether the token is accepted at `now`."""
        return self.revoked is None and (self.expires is None or now < self.expires)

    def allows(self, scope: TokenScope) -> bool:
        """Return whether the token may be used for `scope`."""
        return scope in self.scopes or TokenScope.ADMIN in self.scopes


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token at the time of its creation."""

    id: str
    #: The token itself, which is shown once.
    text: str

    @classmethod
    def random(cls) -> "NewToken":
        """Return a new one."""
        id = secrets.token_hex(6)
        return cls(id, f"tk_{id}_{secrets.token_urlsafe(32)}")


def is_name(text: str) -> bool:
    """Return whether `text` can name a token: lower-case letters and digits, as ids of
    people in settings; not the name of the local author."""
    return _NAME.fullmatch(text) is not None and text != LOCAL


def token_id(text: str) -> str:
    """Return the id in the text of a token; "" if it is none."""
    found = _TEXT.fullmatch(text)
    return found[1] if found else ""


def digest(text: str) -> str:
    """Return what is stored of the text of a token."""
    return hashlib.sha256(text.encode()).hexdigest()


def matches(text: str, stored: str) -> bool:
    """Return whether `stored` is the digest of `text`, in a time that says nothing."""
    return hmac.compare_digest(digest(text), stored)
