"""Notices when a connection of Socket Mode is open."""

import json
from collections.abc import Callable

from aiohttp import WSMessage

# The first message on a connection (facts A4), and room for what Slack adds to it.
HELLO = "hello"
MOST_CHARS = 4_000


class Greeting:
    """Calls `greeted` for each connection that Slack greets on."""

    def __init__(self, greeted: Callable[[], None]) -> None:
        self._greeted = greeted

    async def take(self, message: WSMessage) -> None:
        """Look at one message of a connection."""
        text = message.data
        # Events are up to a hundred times as long, and are not read twice.
        if not isinstance(text, str) or len(text) > MOST_CHARS or HELLO not in text:
            return
        try:
            parsed = json.loads(text)
        except ValueError:
            return
        if isinstance(parsed, dict) and parsed.get("type") == HELLO:
            self._greeted()
