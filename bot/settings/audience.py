"""The people whom the operator allows to use the bot; no admin adds to them. Pure."""

import re
from dataclasses import dataclass

from bot.domain.person import EVERYONE, Person, is_listed
from bot.messages.config import NOT_SUCH_PEOPLE
from bot.text import lists

# A person, a Slack user group or Discord role, or everybody on a platform.
_ENTRY = re.compile(
    r"slack:(?:everyone|[UW][A-Z0-9]+|group:S[A-Z0-9]+)"
    r"|discord:(?:everyone|(?:group:)?[0-9]+)"
    r"|web:(?:everyone|[a-z][A-Za-z0-9_.-]*)"
)


@dataclass(frozen=True, slots=True)
class Audience:
    """The people who may ask Claude; by default everybody."""

    #: "platform:ID", "platform:group:ID" or "platform:everyone"; empty for everybody
    #: on every platform.
    entries: frozenset[str] = frozenset()

    def limits(self, platform: str) -> bool:
        """Return True if some people on `platform` may not ask."""
        return bool(self.entries) and f"{platform}:{EVERYONE}" not in self.entries

    def names_groups(self, platform: str) -> bool:
        """Return True if the entries for `platform` name groups."""
        return any(each.startswith(f"{platform}:group:") for each in self.entries)

    def admits(self, person: Person, platform: str) -> bool:
        """Return True if `person` may ask Claude on `platform`."""
        return not self.limits(platform) or is_listed(person, self._people(platform))

    def _people(self, platform: str) -> str:
        """Return the people named on `platform`, in the format of
        `bot.domain.person.is_listed`."""
        words = (
            each.removeprefix(f"{platform}:")
            for each in sorted(self.entries)
            if each.startswith(f"{platform}:")
        )
        return " ".join(w if w.startswith("group:") else f"user:{w}" for w in words)


def read(text: str) -> tuple[Audience, list[str]]:
    """Parse THREADKEEP_WHO; return the audience and the problems found."""
    if text.replace(",", " ").strip().lower() == EVERYONE:
        return Audience(), []
    found, problems = lists.read(text, "THREADKEEP_WHO", _ENTRY, NOT_SUCH_PEOPLE)
    return Audience(found), problems
