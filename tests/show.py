"""Shows what Claude reads of messages, and what a reader sees of them:
`python -m tests.show FILE…`.

Each file holds one message or a list of messages in JSON, as the platform sends them.
Its name, or that of its directory, begins with the platform's: "slack-…".
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import slack_messages

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """How the messages of one platform are shown, one text for each message."""

    #: As Claude reads them.
    read: Callable[[Sequence[Json]], list[str]]
    #: As a reader of the platform sees them.
    seen: Callable[[Sequence[Json]], list[str]]


#: By platform.
PLATFORMS = {"slack": Shown(slack_messages.read, slack_messages.seen)}


def platform_of(path: Path) -> str:
    """Return the platform that the messages in the file at `path` are of. Raises
    ValueError."""
    for name in (path.name, path.resolve().parent.name):
        if (platform := name.partition("-")[0]) in PLATFORMS:
            return platform
    raise ValueError(f"{path}: its name begins with none of {', '.join(PLATFORMS)}")


def shown(path: Path) -> str:
    """Return the messages in the file at `path`, as both see them. Raises
    ValueError."""
    held = json.loads(path.read_text())
    messages = held if isinstance(held, list) else [held]
    platform = PLATFORMS[platform_of(path)]
    return "\n\n".join(
        [
            f"== {path}",
            *("-- A reader sees", "\n\n".join(platform.seen(messages))),
            *("-- Claude reads", "\n\n".join(platform.read(messages))),
        ]
    )


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(shown(Path(argument)), end="\n\n")  # noqa: T201
