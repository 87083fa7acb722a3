"""Remembers edits and link previews, which may arrive before the message or an earlier
edit of it.

Slack does not guarantee the order of events, and retries an unacknowledged event after
a minute or after five (platform facts A1.2, A2). A later edit may arrive before the
retry. If the retry is the message itself, the edit found no stored message to change.
In both cases, the retry has an old text.
"""

from bot.domain.message import Message
from bot.runtime.lru import LruDict

# The most messages that are remembered. One has up to 40,000 characters (facts A5.4).
MOST = 500


class EarlyEdits:
    """The newest edits and previews."""

    def __init__(self) -> None:
        #: With the time of the edit, by workspace, channel and ts of the message.
        self._edits: LruDict[tuple[str, str, str], tuple[float, Message]] = LruDict(
            MOST
        )

    def note(self, edited: Message, at: float) -> Message:
        """Remember the version of a message that people edited at the time `at`. Return
        the newest known version, which an earlier event may have had."""
        known = self._edits.get(_key(edited))
        if known is not None and known[0] > at:
            return known[1]
        self._edits[_key(edited)] = at, edited
        return edited

    def after(self, message: Message, at: float) -> tuple[float, Message] | None:
        """Return the newest version of `message` with the time of its edit; None if no
        version after the time `at` is known."""
        known = self._edits.get(_key(message))
        return known if known is not None and known[0] > at else None

    def newest(self, message: Message) -> Message:
        """Return the newest known version of `message`."""
        return self._edits.get(_key(message), (0.0, message))[1]

    def drop(self, workspace: str, channel: str, ts: str) -> None:
        """Forget a message that people deleted."""
        self._edits.pop((workspace, channel, ts), None)


def _key(message: Message) -> tuple[str, str, str]:
    return message.thread.workspace, message.thread.channel, message.message
