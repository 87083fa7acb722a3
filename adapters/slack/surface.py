"""Writes one reply into a Slack thread: post, then edit.

Slack offers no idempotency key, so every post carries its turn and part as
message metadata, and a post whose outcome is unknown is looked for before it
is made again (platform facts A5.3).
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

from adapters.slack import mrkdwn
from adapters.slack.client import SlackClient, Unfit
from adapters.slack.desk import DOWN, FEEDBACK, UP
from adapters.slack.status import THINKING, Status
from bot.errors import DeliveryError, ThreadGone, Throttled
from bot.values import Part, Turn

log = logging.getLogger(__name__)

PLACEHOLDER = "_Thinking…_"
# Tells a reader that more is coming; edits show no progress of their own.
MORE = " …"

# Seconds that clearing the status line may take at the end of a turn.
CLEARING = 2.0

EVENT_TYPE = "threadkeep_reply"

# chat.update refuses a `text` over 4,000 characters, though with blocks it is
# only what notifications and screen readers use (facts A5.3).
FALLBACK_CHARS = 3000

CUT = "_The rest cannot be shown in Slack._"

# How long before a turn's last sign of life its posts may have been made, by a
# clock that need not agree with Slack's.
LOOK_BACK = 3600.0
PAGE = 100

# How long the end of a turn waits for a line that goes by itself (facts A8.1):
# whoever is told to stop while Slack is silent has better things to do.
CLEARING = 2.0


class SlackSurface:
    """One reply in a Slack thread."""

    def __init__(
        self, client: SlackClient, turn: Turn, thinking: asyncio.Future[None]
    ) -> None:
        self._client = client
        self._turn = turn
        self._thinking = thinking
        #: Whether the status line may still show. A post clears it (facts A8.1),
        #: unless Slack saw the post first.
        self.has_status = True
        self._ts = {s.index: s.message for s in turn.shown if s.message}
        self._unsure = {s.index for s in turn.shown if not s.message}

    async def show(self, part: Part) -> str:
        """See `bot.ports.Surface`."""
        if part.index in self._unsure:
            await self._find(part.index)
        try:
            return await self._write(part.index, _body(part, self._turn.key))
        except Unfit as error:
            # Words without their looks are better than a placeholder for ever.
            log.error("slack.unfit thread=%s %s", self._turn.thread, error)
        try:
            return await self._write(part.index, _plain(part))
        except Unfit as error:
            raise ThreadGone(str(error)) from error

    async def remove(self, index: int) -> None:
        """See `bot.ports.Surface`."""
        if index in self._unsure:
            await self._find(index)
        if ts := self._ts.pop(index, None):
            with contextlib.suppress(ThreadGone):
                await self._client.call(
                    "chat.delete", channel=self._turn.thread.channel, ts=ts
                )

    async def _write(self, index: int, body: dict[str, Any]) -> str:
        if ts := self._ts.get(index):
            await self._client.call(
                "chat.update", channel=self._turn.thread.channel, ts=ts, **body
            )
        else:
            ts = self._ts[index] = await self._post(index, body)
        return ts

    async def _post(self, index: int, body: dict[str, Any]) -> str:
        thread = self._turn.thread
        payload = {"turn": self._turn.key, "part": index}
        was_set = self._thinking.done()
        try:
            answer = await self._client.call(
                "chat.postMessage",
                channel=thread.channel,
                thread_ts=thread.thread,
                unfurl_links=False,
                unfurl_media=False,
                metadata={"event_type": EVENT_TYPE, "event_payload": payload},
                **body,
            )
        except (Throttled, ThreadGone, Unfit):
            raise
        except DeliveryError:
            self._unsure.add(index)
            raise
        self.has_status = self.has_status and not was_set
        return str(answer["ts"])

    async def _find(self, index: int) -> None:
        """Look whether the post of message `index` succeeded after all."""
        thread = self._turn.thread
        cursor: str | None = None
        while True:
            try:
                page = await self._client.call(
                    "conversations.replies",
                    channel=thread.channel,
                    ts=thread.thread,
                    oldest=f"{max(0.0, self._turn.touched - LOOK_BACK):.6f}",
                    include_all_metadata="true",
                    limit=PAGE,
                    cursor=cursor,
                )
            except ThreadGone as error:
                # Without the right to read, a duplicate is possible; silence
                # would be worse.
                log.warning("slack.cannot_look thread=%s %s", thread, error)
                break
            for message in page.get("messages") or ():
                if found := _part_of(message, self._turn.key):
                    self._ts.setdefault(found[0], found[1])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor or index in self._ts:
                break
        self._unsure.discard(index)


@contextlib.asynccontextmanager
async def open_surface(
    client: SlackClient, status: Status, turn: Turn
) -> AsyncIterator[SlackSurface]:
    """A surface for `turn`, with the status line set until something is there."""
    # An answer that is taken up after a crash needs no line, and may need no post
    # to clear the one that the crash left.
    text = "" if any(shown.message for shown in turn.shown) else THINKING
    # Beside the turn, not before it: the placeholder need not wait for it.
    thinking = asyncio.create_task(status.set(turn, text))
    surface = SlackSurface(client, turn, thinking)
    try:
        yield surface
    finally:
        thinking.cancel()
        await asyncio.wait({thinking})
        if text and surface.has_status:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLEARING):
                    await status.set(turn, "")


def _body(part: Part, turn: str) -> dict[str, Any]:
    text = part.text if part.text.strip() else PLACEHOLDER
    if not part.final and text is part.text:
        text = text.rstrip() + MORE
    fallback = mrkdwn.escape(text)[:FALLBACK_CHARS]
    blocks: list[dict[str, Any]] = [{"type": "markdown", "text": text}]
    if part.feedback:
        blocks.append(_thumbs(turn))
    return {"text": fallback, "blocks": blocks}


def _thumbs(turn: str) -> dict[str, Any]:
    """Slack's own buttons for how good an answer was (facts A8.2)."""
    sides = [
        ("positive_button", UP, "Good answer"),
        ("negative_button", DOWN, "Bad answer"),
    ]
    buttons = {
        name: {
            "text": {"type": "plain_text", "text": label.split()[0]},
            "accessibility_label": label,
            "value": f"{mark}{turn}",
        }
        for name, mark, label in sides
    }
    element = {"type": "feedback_buttons", "action_id": FEEDBACK, **buttons}
    return {"type": "context_actions", "elements": [element]}


def _plain(part: Part) -> dict[str, Any]:
    """The same without Markdown, cut to what every message may hold."""
    text = mrkdwn.escape(part.text.strip() or PLACEHOLDER)
    if len(text) > FALLBACK_CHARS:
        text = f"{text[:FALLBACK_CHARS]}\n{CUT}"
    return {"text": text, "blocks": []}


def _part_of(message: Any, turn: str) -> tuple[int, str] | None:
    """Which part of `turn`'s reply `message` is, and its ts."""
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    if metadata.get("event_type") != EVENT_TYPE or payload.get("turn") != turn:
        return None
    return int(payload["part"]), str(message["ts"])
