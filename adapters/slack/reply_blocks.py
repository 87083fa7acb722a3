"""Builds the text, blocks and metadata of a reply's messages. Pure."""

import re
from typing import Any

from adapters.slack import blocks as slack_blocks
from adapters.slack import mrkdwn
from adapters.slack.feedback import DOWN, FEEDBACK, UP
from bot.domain.reply import MORE, PLACEHOLDER, READY, Control, Part
from bot.domain.scope import Scope
from bot.domain.turn import Turn
from bot.messages import labels
from bot.ui.buttons import buttons

# chat.update rejects a `text` of over 4,000 characters, although in a message with
# blocks only notifications and screen readers use it (facts A5.3).
FALLBACK_CHARS = 3000

# A quoted line that contains code. Slack shows a message without blocks as empty if it
# has such a line (facts A6).
_QUOTED_CODE = re.compile(r"^(?=[ \t]*+&gt;[^\n`]*+`)", re.MULTILINE)

EVENT_TYPE = "threadkeep_reply"


def body(part: Part, turn: Turn) -> dict[str, Any]:
    """Return `part` of the reply to `turn` as text and blocks, with its controls."""
    if part.calls:
        # The only message that notifies anyone: the person who waits for the answer.
        text = f"<@{part.calls}>, {READY}"
        section = {"type": "section", "text": slack_blocks.mrkdwn_text(text)}
        return {"text": text, "blocks": [section]}
    text = part.text if part.text.strip() else PLACEHOLDER
    if not part.final and text is part.text:
        text = text.rstrip() + MORE
    if part.plain:
        # Slack has refused the blocks. `[]` removes blocks from an earlier write.
        return {"text": _readable(text), "blocks": []}
    fallback = mrkdwn.escape(text)[:FALLBACK_CHARS]
    blocks: list[dict[str, Any]] = [{"type": "markdown", "text": text}]
    return {"text": fallback, "blocks": [*blocks, *controls(part, turn)]}


def _readable(text: str) -> str:
    """Return `text` so that Slack shows it literally in a message without blocks."""
    return _QUOTED_CODE.sub("\u200b", mrkdwn.escape(text.strip("\n")))


def controls(part: Part, turn: Turn) -> list[dict[str, Any]]:
    """Return the buttons below an answer as blocks."""
    drawn = buttons(part.offers, turn.key)
    blocks = list(slack_blocks.controls((), drawn, Scope.of(turn.thread)))
    if Control.FEEDBACK in part.controls:
        blocks.insert(0, _thumbs(turn.key))
    return blocks


def chunks(text: str) -> list[dict[str, str]]:
    """Return `text` as chunks of a stream."""
    return [{"type": "markdown_text", "text": text}]


def _thumbs(turn: str) -> dict[str, Any]:
    """Return Slack's own feedback buttons (facts A8.2)."""
    sides = [
        ("positive_button", UP, labels.GOOD_ANSWER),
        ("negative_button", DOWN, labels.BAD_ANSWER),
    ]
    drawn = {
        name: {
            "text": {"type": "plain_text", "text": label.split()[0]},
            "accessibility_label": label,
            "value": f"{mark}{turn}",
        }
        for name, mark, label in sides
    }
    element = {"type": "feedback_buttons", "action_id": FEEDBACK, **drawn}
    return {"type": "context_actions", "elements": [element]}


def metadata(turn: Turn, index: int) -> dict[str, Any]:
    """Return the metadata by which message `index` of the reply can be found again."""
    payload = {"turn": turn.key, "part": index}
    return {"event_type": EVENT_TYPE, "event_payload": payload}


def part_of(message: Any, turn: str) -> tuple[int, str] | None:
    """Return the index of `message` in the reply to the turn with the key `turn`, and
    the ts of the message; None if it does not belong to that reply."""
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    if metadata.get("event_type") != EVENT_TYPE or payload.get("turn") != turn:
        return None
    return int(payload["part"]), str(message["ts"])
