"""Last known names of people, channels and workspaces. Frozen values.

Rule: names are only for the operator's reports. No decision depends on a name, and
everything is stored under ids, because people can choose any name.
"""

import enum
from dataclasses import dataclass

from bot.domain.retention import DAY
from bot.domain.scope import Scope
from bot.text.characters import replace_invalid

# The longest stored name, in characters. The platforms' own limits are lower.
MOST_CHARS = 100

#: The age in seconds of the oldest activity for which names are looked up: the default
#: range of `threadkeep usage`.
LOOK_BACK = 31 * DAY


class NameKind(enum.Enum):
    """The kind of a named object.

    Needed because a Discord server and its first channel may share an id.
    """

    PERSON = "person"
    CHANNEL = "channel"
    WORKSPACE = "workspace"


@dataclass(frozen=True, slots=True)
class PlaceNames:
    """The names of a person, a channel and its workspace, as people see them there.

    A name is "" if there is none or the platform does not report it.
    """

    person: str = ""
    #: With its sign: "#billing"; "@Olga" for direct messages with her.
    channel: str = ""
    workspace: str = ""


@dataclass(frozen=True, slots=True)
class LastName:
    """The last known name of one id; "" if the platform knows none."""

    platform: str
    workspace: str
    kind: NameKind
    id: str
    name: str

    def __post_init__(self) -> None:
        name = " ".join(replace_invalid(self.name).split())[:MOST_CHARS]
        object.__setattr__(self, "name", name)


@dataclass(frozen=True, slots=True, order=True)
class Sighting:
    """A person's action in a channel that reports mention. A part may be ""."""

    #: A channel or wider.
    place: Scope
    #: The platform's user id.
    person: str
