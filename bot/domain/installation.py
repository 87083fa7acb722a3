"""An installation of the app in one workspace, or on all of an organisation. Frozen
values.

Rule: a token is here in sealed form only. Who calls the platform opens it.
"""

import enum
from dataclasses import dataclass, field


class Ending(enum.Enum):
    """The reason why an installation ended."""

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
    """The place of an installation: `workspace`, or all of `organisation` if that is
    ""."""

    platform: str
    organisation: str
    workspace: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.workspace or self.organisation}"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The sealed tokens of an installation."""

    access: str = field(repr=False)
    #: The token that is exchanged for new ones, once; "" where tokens do not expire.
    refresh: str = field(default="", repr=False)
    #: In seconds since 1970; None for never.
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Installation:
    """The app as it is installed in a place."""

    place: Place
    #: The name of the workspace, or of the organisation.
    name: str
    #: The ids of the bot's user, and of the bot.
    user: str
    bot: str
    scopes: frozenset[str]
    #: The id of who installed it, and when, in seconds since 1970.
    installed_by: str
    installed_at: float
    tokens: Tokens
    #: When it ended, and why; None while it is good.
    ended_at: float | None = None
    ending: Ending | None = None
    #: Grows with each change of any installation.
    version: int = 0
