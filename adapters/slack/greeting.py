"""Recognises the message with which Slack opens a Socket Mode connection."""

import json
from collections.abc import Callable

from aiohttp import WSMessage

# The type of the first message on a connection (facts A4), and the most characters in
# it, with room for fields that Slack may add.
HELLO = "hello"
MOST_CHARS = 4_000


class Greeting:
    """Calls `greeted` for each connection that Slack greets on."""

    def __init__(self, greeted: Callable[[], None]) -> None:
        self._greeted = greeted

    async def take(self, message: WSMessage) -> None:
        """Look at one message of a connection."""
        text = message.data
        # Skip events, which are up to a hundred times as long, to avoid parsing them
        # twice.
        if not isinstance(text, str) or len(text) > MOST_CHARS or HELLO not in text:
            return
        try:
            parsed = json.loads(text)
        except ValueError:
            return
        if isinstance(parsed, dict) and parsed.get("type") == HELLO:
            self._greeted()
