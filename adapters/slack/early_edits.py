"""Edits and previews of links that arrive before the message that they change.

Slack promises no order of events, and sends one again that was not acknowledged, after
a minute or after five (platform facts A1.2, A2): by then an edit of the message may
have come, which changed nothing, and what is sent again is the old text.
"""

from bot.domain.message import Message
from bot.runtime.lru import LruDict

# How many are remembered; a message has up to 40,000 characters (facts A5.4).
MOST = 500


class EarlyEdits:
    """The newest edits and previews."""

    def __init__(self) -> None:
        #: By workspace, channel and ts of the message.
        self._edits: LruDict[tuple[str, str, str], Message] = LruDict(MOST)

    def note(self, edited: Message) -> None:
        """Remember a message as it reads since it was changed."""
        self._edits[_key(edited)] = edited

    def newest(self, message: Message) -> Message:
        """Return `message` as it reads now, as far as that is known."""
        return self._edits.get(_key(message), message)

    def drop(self, workspace: str, channel: str, ts: str) -> None:
        """Forget a message that people deleted."""
        self._edits.pop((workspace, channel, ts), None)


def _key(message: Message) -> tuple[str, str, str]:
    return message.thread.workspace, message.thread.channel, message.message
