"""Shows what Claude reads of messages, and what a reader sees of them:
`python -m tests.show FILE…`; or the messages that an answer in Markdown becomes:
`python -m tests.show --answer FILE…`.

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

from adapters.discord.adapter import LIMITS as DISCORD
from adapters.slack.adapter import LIMITS as SLACK
from bot.domain.platform import Limits
from bot.rendering.renderer import Renderer
from tests.support import discord_messages, slack_messages

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """The presentation of one platform's messages, one text for each message."""

    #: As Claude reads them.
    read: Callable[[Sequence[Json]], list[str]]
    #: As a reader of the platform sees them.
    seen: Callable[[Sequence[Json]], list[str]]
    #: A field that every message has, and little else.
    mark: str
    limits: Limits


#: By platform.
PLATFORMS = {
    "slack": Shown(slack_messages.read, slack_messages.seen, "ts", SLACK),
    "discord": Shown(discord_messages.read, discord_messages.seen, "type", DISCORD),
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


def answered(path: Path) -> str:
    """Return the messages that the answer in the file at `path` becomes on each
    platform."""
    lines = []
    for name, platform in PLATFORMS.items():
        renderer = Renderer(platform.limits)
        renderer.feed(path.read_text())
        renderer.finish()
        for part in renderer.parts:
            lines += [f"-- Message {part.index + 1} on {name.title()}", part.text]
    return "\n\n".join(lines)


if __name__ == "__main__":
    is_answer = sys.argv[1:2] == ["--answer"]
    for argument in sys.argv[1 + is_answer :]:
        print(f"== {argument}", end="\n\n")  # noqa: T201
        try:
            text = answered(Path(argument)) if is_answer else shown(Path(argument))
            print(text, end="\n\n")  # noqa: T201
        except ValueError as error:
            print(f"(skipped: {error})", end="\n\n")  # noqa: T201
