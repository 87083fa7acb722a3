"""Collects cards for a native stream that show which tools Claude used (platform facts
A7.1).

Rule: a card costs no call of its own. It is sent with the text that follows it, when
the tool is done. Before there is any text, the status line shows the current tool.
"""

from typing import Any

from bot.domain.completion import Activity
from bot.messages import controls as messages

#: The most cards of one answer, so that they do not hide an answer with many searches.
MOST = 20

# The most characters in a string of a card.
CHARS = 256


class TaskCards:
    """The cards of one answer."""

    def __init__(self) -> None:
        self._count = 0
        self._last = ""
        #: Cards that were not sent yet, as chunks of a stream.
        self.waiting: list[dict[str, Any]] = []

    def add(self, activity: Activity) -> None:
        """Add a card for `activity`, unless the last one says the same."""
        title = _title(activity)[:CHARS]
        if title == self._last or self._count >= MOST:
            return
        self._last = title
        self._count += 1
        card = {"type": "task_update", "id": str(self._count), "title": title}
        self.waiting.append({**card, "status": "complete"})

    def sent(self, count: int) -> None:
        """Drop the first `count` waiting cards, which were sent."""
        del self.waiting[:count]


def _title(activity: Activity) -> str:
    if activity.kind == "search":
        return messages.SEARCHED_CARD
    if activity.kind == "ask":
        server = activity.host
        return messages.asked_card(server=server) if server else messages.ASKED_CARD
    host = activity.host
    return messages.read_card(host=host) if host else messages.READ_CARD
