"""Ephemeral messages, written by chat.postEphemeral and response_url.

Rule: no event announces them, and no method reads, edits or deletes them. Only the
response_url of one of their controls changes them (A10).
"""

from dataclasses import dataclass

from tests.emulators.slack import blocks as kit
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.controls import BUTTONS, MENUS, Control, controls


@dataclass(slots=True, eq=False)
class Whisper:
    """A message that only `user` sees."""

    ts: str
    channel: str
    user: str
    #: The `text` argument; the visible text is in the property `text`.
    fallback: str
    blocks: list[Json]
    thread_ts: str | None = None
    #: chat.postEphemeral: "in threads only shown if there is already an active thread":
    #: False for a message in a thread without replies.
    shown: bool = True
    #: Whether it was deleted through its response_url.
    gone: bool = False

    @property
    def text(self) -> str:
        """The text that its blocks show or, if they show none, its fallback."""
        return kit.shown(self.blocks) or self.fallback

    @property
    def controls(self) -> tuple[Control, ...]:
        return controls(self.blocks)

    @property
    def buttons(self) -> tuple[str, ...]:
        """The labels of its buttons."""
        return tuple(each.label for each in self.controls if each.kind in BUTTONS)

    @property
    def selects(self) -> tuple[Control, ...]:
        """Its menus."""
        return tuple(each for each in self.controls if each.kind in MENUS)
