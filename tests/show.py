"""Shows what Claude reads of messages, and what a reader sees of them:
`python -m tests.show FILE…`.

Each file holds one message or a list of messages in JSON, as the platform sends them.
Its name, or that of its directory, begins with the platform's: "slack-…" or
"discord-…".
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import discord_messages, slack_messages

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """How the messages of one platform are shown, one text for each message."""

    #: As Claude reads them.
    read: Callable[[Sequence[Json]], list[str]]
    #: As a reader of the platform sees them.
    seen: Callable[[Sequence[Json]], list[str]]
    #: A field that every message has, and little else.
    mark: str


#: By platform.
PLATFORMS = {
    "slack": Shown(slack_messages.read, slack_messages.seen, "ts"),
    "discord": Shown(discord_messages.read, discord_messages.seen, "type"),
}


def platform_of(path: Path) -> Shown:
    """Return the platform that the messages in the file at `path` are of. Raises
    ValueError."""
    for name in (path.name, path.resolve().parent.name):
        if (platform := name.partition("-")[0]) in PLATFORMS:
            return PLATFORMS[platform]
    raise ValueError(f"its name begins with none of {', '.join(PLATFORMS)}")


def messages(path: Path) -> list[Json]:
    """Return the messages in the file at `path`. Raises ValueError."""
    try:
        held, mark = json.loads(path.read_text()), platform_of(path).mark
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON: {error}") from None
    found = held if isinstance(held, list) else [held]
    if not all(isinstance(each, dict) and mark in each for each in found):
        raise ValueError(f"it holds no messages: these have the field “{mark}”")
    return found


def shown(path: Path) -> str:
    """Return the messages in the file at `path`, as both see them. Raises
    ValueError."""
    found, platform = messages(path), platform_of(path)
    return "\n\n".join(
        [
            *("-- A reader sees", "\n\n".join(platform.seen(found))),
            *("-- Claude reads", "\n\n".join(platform.read(found))),
        ]
    )


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(f"== {argument}", end="\n\n")  # noqa: T201
        try:
            print(shown(Path(argument)), end="\n\n")  # noqa: T201
        except ValueError as error:
            print(f"(skipped: {error})", end="\n\n")  # noqa: T201
