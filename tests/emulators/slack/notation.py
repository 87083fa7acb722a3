"""Renders Slack's notation for people, channels and groups (A6) with their names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.emulators.slack import blocks as kit
from tests.emulators.slack.people import Channel, User

_REFERENCE = re.compile(r"<([^<>]+)>")
_MENTION = re.compile(r"<(@|#|!subteam\^)(\w+)(?:\|[^>]*)?>")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of people, channels and groups in the workspace."""

    users: Mapping[str, User]
    channels: Mapping[str, Channel]
    #: Of user groups, without the "@".
    handles: Mapping[str, str]

    def readable(self, text: str) -> str:
        """Return a text as a reader sees it: with names, and without escapes."""

        def name(match: re.Match[str]) -> str:
            target, _, label = match[1].partition("|")
            if target.startswith("@") and target[1:] in self.users:
                return f"@{self.users[target[1:]].name}"
            if target.startswith("#") and target[1:] in self.channels:
                return f"#{self.channels[target[1:]].name}"
            if target.startswith("!subteam^") and target[9:] in self.handles:
                return f"@{self.handles[target[9:]]}"
            return label or target.replace("!", "@", 1)

        return kit.unescape(_REFERENCE.sub(name, text))

    def escaped(self, text: str) -> str:
        """Return the text of a command with escaped mentions: `<@U1|alice>` (A10)."""

        def named(match: re.Match[str]) -> str:
            return f"<{match[1]}{match[2]}|{self._name(match[1], match[2])}>"

        return _MENTION.sub(named, text)

    def bare(self, text: str) -> str:
        """Return the text of a command without escaped mentions, as typed (A10)."""

        def named(match: re.Match[str]) -> str:
            mark = "#" if match[1] == "#" else "@"
            return mark + self._name(match[1], match[2]).removeprefix("@")

        return kit.unescape(_MENTION.sub(named, text))

    def _name(self, mark: str, target: str) -> str:
        if mark == "@":
            return self.users[target].name.lower()
        return self.channels[target].name if mark == "#" else f"@{self.handles[target]}"
