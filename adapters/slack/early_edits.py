"""Remembers edits and link previews that arrive before the message that they change.

Slack does not guarantee the order of events, and retries an unacknowledged event after
a minute or after five (platform facts A1.2, A2). An edit of the message may arrive
before the retry. It finds no stored message to change, and the retry has the old text.
"""

from bot.domain.message import Message
from bot.runtime.lru import LruDict

# The most messages that are remembered. One has up to 40,000 characters (facts A5.4).
MOST = 500


class EarlyEdits:
    """The newest edits and previews."""

    def __init__(self) -> None:
        #: By workspace, channel and ts of the message.
        self._edits: LruDict[tuple[str, str, str], Message] = LruDict(MOST)

    def note(self, edited: Message) -> None:
        """Remember the changed version of a message."""
        self._edits[_key(edited)] = edited

    def newest(self, message: Message) -> Message:
        """Return the newest known version of `message`."""
        return self._edits.get(_key(message), message)

    def drop(self, workspace: str, channel: str, ts: str) -> None:
        """Forget a message that people deleted."""
        self._edits.pop((workspace, channel, ts), None)


def _key(message: Message) -> tuple[str, str, str]:
    return message.thread.workspace, message.thread.channel, message.message
