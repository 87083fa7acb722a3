"""Native streams: chat.startStream, appendStream and stopStream (A7).

Where the facts are silent: after a person has stopped a stream, an append is refused
and a stop is accepted; the five minutes of a stream count from its start; its text may
be as long as that of a message with a markdown block. A stream has no metadata before
it is stopped, so it cannot be found by its metadata.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.emulators.slack import blocks as kit
from tests.emulators.slack.blocks import MOST_MARKDOWN, Json
from tests.emulators.slack.calls import Call, Refused
from tests.emulators.slack.chat import Chat, Method, metadata_of
from tests.emulators.slack.world import Message, World

#: A7.2: a stream ends by itself about five minutes after its start.
LIFETIME = 300.0


@dataclass(slots=True)
class _Live:
    """A stream that has not been stopped."""

    message: Message
    began: float
    #: Whether it was started with `chunks` (True) or `markdown_text`.
    chunks: bool
    #: Whether a person pressed Slack's Stop (A8.1).
    stopped: bool = False
    #: Its cards as blocks, by id.
    cards: dict[str, Json] = field(default_factory=dict)


class Streams:
    """The methods for native streams."""

    def __init__(self, world: World, chat: Chat, tell: Callable[[Json], None]) -> None:
        #: Kinds of channels that refuse streams (A7.2: some apps can stream in direct
        #: messages only).
        self.refused: set[str] = set()
        #: Whether a stream accepts cards. It is not documented that every app may send
        #: them.
        self.takes_cards = True
        self._world = world
        self._chat = chat
        self._tell = tell
        self._live: dict[tuple[str, str], _Live] = {}
        chat.is_streaming = self.is_live

    def methods(self) -> Mapping[str, Method]:
        """Return the methods by name."""
        return {
            "chat.startStream": self._start,
            "chat.appendStream": self._append,
            "chat.stopStream": self._stop,
        }

    def is_live(self, message: Message) -> bool:
        """Return whether `message` is being streamed."""
        live = self._live.get((message.channel, message.ts))
        return live is not None and self._world.clock() - live.began < LIFETIME

    def press_stop(self, user: str, channel: str, ts: str) -> None:
        """Press Slack's Stop below a stream (A1.4, A8.1)."""
        live = self._live[channel, ts]
        live.stopped = True
        self._tell(
            {
                "type": "agent_session_stopped",
                "channel": channel,
                "thread_ts": live.message.root,
                "user": user,
                "streaming_message_ts": [ts],
                "event_ts": self._world.next_ts(),
            }
        )

    def _start(self, call: Call) -> Json:
        channel = self._chat.writable(call.text("channel"))
        if channel.kind in self.refused:
            raise Refused("channel_type_not_supported")
        thread = self._chat.parent(call.text("thread_ts"), channel)
        if not call.text("thread_ts"):
            raise Refused("invalid_thread_ts")
        if channel.kind != "im":
            for name in ("recipient_team_id", "recipient_user_id"):
                if not call.text(name):
                    raise Refused(f"missing_{name}")
            # A9: the person's own team, which for Slack Connect is not the app's.
            # Slack's error for a wrong team is not known; this is its error for a
            # missing one.
            reader = self._world.users.get(call.text("recipient_user_id"))
            if reader is None or reader.team != call.text("recipient_team_id"):
                raise Refused("missing_recipient_team_id")
        text, chunks = _text(call)
        cards = self._cards(call)
        message = Message(
            ts=self._world.next_ts(),
            channel=channel.id,
            user=self._world.bot.id,
            text=text,
            blocks=[*cards.values(), *_markdown(text)],
            thread_ts=thread,
            streaming=True,
        )
        self._world.post(message)
        live = _Live(message, self._world.clock(), chunks, cards=cards)
        self._live[channel.id, message.ts] = live
        return {"ok": True, "channel": channel.id, "ts": message.ts}

    def _append(self, call: Call) -> Json:
        live = self._found(call)
        if live.stopped:
            raise Refused("stopped_by_user")
        text, chunks = _text(call)
        if chunks is not live.chunks:
            raise Refused("streaming_mode_mismatch")
        live.cards |= self._cards(call)
        self._write(live, text)
        return {"ok": True, "channel": live.message.channel, "ts": live.message.ts}

    def _stop(self, call: Call) -> Json:
        live = self._found(call)
        text = _text(call)[0]
        live.cards |= self._cards(call)
        blocks = call.value("blocks")
        if blocks and (wrong := kit.problem(blocks)):
            raise Refused("invalid_blocks", response_metadata={"messages": [wrong]})
        message = live.message
        whole = message.text + text
        if len(whole) > MOST_MARKDOWN:
            raise Refused("msg_too_long")
        below = kit.stored(blocks, self._world.number)
        self._world.edit(
            message,
            text=whole,
            blocks=[*live.cards.values(), *_markdown(whole), *below],
            metadata=metadata_of(call),
            streaming=False,
        )
        del self._live[message.channel, message.ts]
        return self._chat.shown(message)

    def _found(self, call: Call) -> _Live:
        message = self._chat.own(call, "message_not_owned_by_app")
        live = self._live.get((message.channel, message.ts))
        if live is None or not self.is_live(message):
            raise Refused("message_not_in_streaming_state")
        return live

    def _write(self, live: _Live, text: str) -> None:
        whole = live.message.text + text
        if len(whole) > MOST_MARKDOWN:
            raise Refused("msg_too_long")
        blocks = [*live.cards.values(), *_markdown(whole)]
        self._world.edit(live.message, text=whole, blocks=blocks)

    def _cards(self, call: Call) -> dict[str, Json]:
        """Return the cards that a call adds, by id, as blocks (A5.4, A7.1)."""
        chunks = call.value("chunks") or ()
        found = {}
        for chunk in (each for each in chunks if each["type"] == "task_update"):
            if not self.takes_cards:
                raise Refused("invalid_chunks")
            shown = {"task_id": chunk["id"], "title": chunk["title"]}
            status = chunk["status"]
            found[chunk["id"]] = {"type": "task_card", **shown, "status": status}
        return found


def _text(call: Call) -> tuple[str, bool]:
    """Return the text that a call adds, and whether it comes in chunks."""
    chunks = call.value("chunks")
    text = call.text("markdown_text")
    if chunks and text:
        raise Refused("markdown_text_conflict")
    if chunks is not None and not isinstance(chunks, list):
        raise Refused("invalid_chunks")
    for chunk in chunks or ():
        if chunk.get("type") == "task_update":
            _require_card(chunk)
            continue
        if chunk.get("type") != "markdown_text" or not chunk.get("text"):
            raise Refused("invalid_chunks")
        text += chunk["text"]
    if len(text) > MOST_MARKDOWN:
        raise Refused("msg_too_long")
    return text, bool(chunks)


def _require_card(chunk: Json) -> None:
    """Raise Refused unless a card has strings of at most 256 characters and one of the
    four statuses (A7.1)."""
    fields = {"type", "id", "title", "status", "details", "output"}
    texts = [value for name, value in chunk.items() if name != "sources"]
    fit = all(isinstance(text, str) and 0 < len(text) <= 256 for text in texts)
    known = chunk.get("status") in ("pending", "in_progress", "complete", "error")
    if set(chunk) - fields - {"sources"} or not {"id", "title"} <= set(chunk):
        raise Refused("invalid_chunks")
    if not (fit and known):
        raise Refused("invalid_chunks")


def _markdown(text: str) -> list[Json]:
    return [{"type": "markdown", "text": text}] if text else []
