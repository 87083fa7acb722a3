"""Installations of the app in one workspace or in a whole organisation. Frozen values.

Rule: these values hold tokens in sealed form only. The code that calls the platform
unseals them.
"""

import enum
from dataclasses import dataclass, field


class Ending(enum.Enum):
    """The reason an installation ended."""

    #: People removed the app.
    UNINSTALLED = "uninstalled"
    #: The platform no longer accepts the token.
    REVOKED = "revoked"
    #: The operator removed it.
    REMOVED = "removed"

    @classmethod
    def _missing_(cls, value: object) -> "Ending":
        # A reason stored by a later version.
        return cls.REVOKED


@dataclass(frozen=True, slots=True)
class Place:
    """The place of an installation.

    The place is all of `organisation` if `workspace` is "".
    """

    platform: str
    organisation: str
    workspace: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.workspace or self.organisation}"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The sealed tokens of an installation."""

    access: str = field(repr=False)
    #: The token that can be exchanged once for new tokens; "" if tokens do not expire.
    refresh: str = field(default="", repr=False)
    #: In seconds since 1970; None for never.
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Installation:
    """The app, installed in one place."""

    place: Place
    #: The name of the workspace, or of the organisation.
    name: str
    #: The ids of the bot's user, and of the bot.
    user: str
    bot: str
    scopes: frozenset[str]
    #: The id of the person who installed the app, and the time in seconds since 1970.
    installed_by: str
    installed_at: float
    tokens: Tokens
    #: The time and reason of its end; None while the installation is active.
    ended_at: float | None = None
    ending: Ending | None = None
    #: Counts up with each change of any installation.
    version: int = 0
