"""Tokens of the web API. Frozen values, and their text form.

Rule: the text of a token is shown once, to the operator who creates it. Only a digest
is stored. A token has 256 random bits, so a plain hash is safe from brute force.
"""

import enum
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass


class TokenScope(enum.Enum):
    """The permission that a token gives."""

    #: Ask questions; continue, read and stop the threads started with this token.
    CHAT = "chat"
    #: Read all threads of the API.
    READ = "read"
    #: Everything: all threads of the API, and the console.
    ADMIN = "admin"


#: The default number of requests a minute.
RATE = 60
#: The highest rate that a token may have: a hundred requests a second.
MOST_RATE = 6_000

#: The author's name for requests to an API that only this machine can reach.
LOCAL = "local"

_TEXT = re.compile(r"tk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NAME = re.compile(r"[a-z][a-z0-9]{0,31}")


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token without its secret.

    Its name is the id of the person who uses it. Settings, rights, limits and budgets
    apply to that id.
    """

    id: str
    name: str
    scopes: frozenset[TokenScope]
    #: All times are in seconds since 1970; None for never.
    created: float
    expires: float | None = None
    revoked: float | None = None
    #: The time of the last use, to the minute.
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
    """A newly created token."""

    id: str
    #: The token itself, which is shown once.
    text: str

    @classmethod
    def random(cls) -> "NewToken":
        """Return a new random token."""
        id = secrets.token_hex(6)
        return cls(id, f"tk_{id}_{secrets.token_urlsafe(32)}")


def is_name(text: str) -> bool:
    """Return whether `text` can name a token.

    A name has lower-case letters and digits, so that it can be a person's id in
    settings. The name of the local author is reserved.
    """
    return _NAME.fullmatch(text) is not None and text != LOCAL


def token_id(text: str) -> str:
    """Return the id in the text of a token; "" if `text` is not a token."""
    found = _TEXT.fullmatch(text)
    return found[1] if found else ""


def digest(text: str) -> str:
    """Return the digest of a token's text, which is stored instead of the text."""
    return hashlib.sha256(text.encode()).hexdigest()


def matches(text: str, stored: str) -> bool:
    """Return whether `stored` is the digest of `text`, comparing in constant time."""
    return hmac.compare_digest(digest(text), stored)
