"""The methods that write: chat.*, reactions.* and assistant.threads.setStatus.

Sizes, errors and the effects of edits: A5.3, A5.4; the status line: A8.1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.emulators.slack import blocks as kit
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.calls import Call, Refused
from tests.emulators.slack.people import Channel
from tests.emulators.slack.world import Message, World

Method = Callable[[Call], Json]

#: A5.3: `text` of chat.postMessage is cut off here, silently.
MOST_POSTED = 40_000
#: A5.3: a longer `text` in chat.update is refused.
MOST_UPDATED = 4_000
#: A5.3: characters over all blocks. Undocumented, but more were refused.
MOST_OF_BLOCKS = 13_171
#: A5.3: characters of `markdown_text`.
MOST_MARKDOWN = 12_000


class Chat:
    """The methods with which the app writes."""

    def __init__(self, world: World, *, granted: set[str]) -> None:
        #: The error of setStatus, for example where the feature is off; None for none.
        self.status_error: str | None = None
        #: Returns whether a message is being streamed.
        self.is_streaming: Callable[[Message], bool] = lambda message: False
        self._world = world
        self._granted = granted

    def methods(self) -> Mapping[str, Method]:
        """Return the methods by name."""
        return {
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "chat.postEphemeral": self._whisper,
            "reactions.add": self._react,
            "reactions.remove": self._take_reaction_back,
            "assistant.threads.setStatus": self._set_status,
        }

    def _post(self, call: Call) -> Json:
        channel = self.writable(call.text("channel"))
        content = _content(call)
        thread = self.parent(call.text("thread_ts"), channel)
        message = self._world.post(
            Message(
                ts=self._world.next_ts(),
                channel=channel.id,
                user=self._world.bot.id,
                text=content.text[:MOST_POSTED],
                blocks=kit.stored(content.blocks, self._world.number) or None,
                thread_ts=thread,
                broadcast=bool(thread) and call.flag("reply_broadcast"),
                metadata=metadata_of(call),
                parsed=is_parsed(call),
                unfurls=is_unfurled(call.value),
            )
        )
        return self.shown(message)

    def _update(self, call: Call) -> Json:
        message = self.own(call, "cant_update_message")
        if self.is_streaming(message):
            raise Refused("streaming_state_conflict")
        content = _content(call)
        if len(content.text) > MOST_UPDATED:
            raise Refused("msg_too_long")
        # A5.3: text alone drops the blocks and shows the "(edited)" marker. Missing
        # metadata stays; {} removes it.
        self._world.edit(
            message,
            text=content.text,
            blocks=kit.stored(content.blocks, self._world.number) or None,
            edited=None if content.blocks else self._world.next_ts(),
            # A stream that ended by itself looks unfinished until an update (A7.2).
            streaming=False,
            # Unlike chat.postMessage, it parses names by default (slack.dev,
            # "chat.update": `parse` "defaults to client").
            parsed=is_parsed(call) or call.text("parse") != "none",
            metadata=(
                metadata_of(call) if "metadata" in call.arguments else message.metadata
            ),
        )
        return self.shown(message) | {"text": message.text}

    def _delete(self, call: Call) -> Json:
        message = self.own(call, "cant_delete_message")
        self._world.delete(message)
        return {"ok": True, "channel": message.channel, "ts": message.ts}

    def _whisper(self, call: Call) -> Json:
        channel = self.writable(call.text("channel"))
        content = _content(call)
        user = call.text("user")
        if user not in channel.members:
            raise Refused("user_not_in_channel")
        thread = self.root(call.text("thread_ts"), channel)
        blocks = kit.stored(content.blocks, self._world.number)
        whisper = self._world.whisper(user, channel.id, content.text, blocks, thread)
        return {"ok": True, "message_ts": whisper.ts}

    def _react(self, call: Call) -> Json:
        message, name = self._reaction(call)
        if self._world.bot.id in message.reactions.get(name, ()):
            raise Refused("already_reacted")
        self._world.react(message, name, self._world.bot.id)
        return {"ok": True}

    def _take_reaction_back(self, call: Call) -> Json:
        """Remove the caller's own reaction; without one, the error is no_reaction
        (Slack's page on reactions.remove)."""
        message, name = self._reaction(call)
        if self._world.bot.id not in message.reactions.get(name, ()):
            raise Refused("no_reaction")
        self._world.unreact(message, name, self._world.bot.id)
        return {"ok": True}

    def _reaction(self, call: Call) -> tuple[Message, str]:
        """Return the message and the name of the emoji that a call names. Raises
        Refused."""
        channel = self._channel(call.text("channel"))
        message = self._world.messages[channel.id].get(call.text("timestamp"))
        name = call.text("name")
        if message is None:
            raise Refused("message_not_found")
        if not name.replace("_", "").replace("-", "").isalnum():
            raise Refused("invalid_name")
        return message, name

    def _set_status(self, call: Call) -> Json:
        if self.status_error == "missing_scope":
            provided = ",".join(sorted(self._granted))
            raise Refused("missing_scope", needed="assistant:write", provided=provided)
        if self.status_error:
            raise Refused(self.status_error)
        channel, thread = call.text("channel_id"), call.text("thread_ts")
        if channel not in self._world.channels:
            raise Refused("channel_not_found")
        if thread not in self._world.messages[channel]:
            raise Refused("invalid_thread_ts")
        self._world.set_status(channel, thread, call.text("status"))
        return {"ok": True}

    def _channel(self, name: str) -> Channel:
        """Return the channel with this id, if the bot may know of it. Raises Refused.
        The id of a person is not accepted: the app opens the conversation first."""
        channel = self._world.channels.get(name)
        member = channel is not None and self._world.bot.id in channel.members
        if channel is None or (channel.private and not member):
            raise Refused("channel_not_found")
        if not member and "chat:write.public" not in self._granted:
            raise Refused("not_in_channel")
        return channel

    def writable(self, name: str) -> Channel:
        """Return the channel with this id, if the bot may write to it. Raises
        Refused."""
        channel = self._channel(name)
        if channel.archived:
            raise Refused("is_archived")
        return channel

    def own(self, call: Call, otherwise: str) -> Message:
        """Return the bot's own message that a call names (A5.3). Raises Refused, with
        `otherwise` for a message of somebody else."""
        channel = self.writable(call.text("channel"))
        message = self._world.messages[channel.id].get(call.text("ts"))
        if message is None or message.tombstone:
            raise Refused("message_not_found")
        if message.user != self._world.bot.id:
            raise Refused(otherwise)
        return message

    def parent(self, ts: str, channel: Channel) -> str | None:
        """Return `ts`, or None if no such message exists. Several projects report that
        Slack does not refuse a post below a deleted root, but shows it at the top level
        of the channel. Raises Refused if `ts` is a reply."""
        if ts not in self._world.messages[channel.id]:
            return None
        return self.root(ts, channel)

    def root(self, ts: str, channel: Channel) -> str | None:
        """Return `ts`, or None for "". Raises Refused unless it is a root (A5.3)."""
        if not ts:
            return None
        root = self._world.messages[channel.id].get(ts)
        if root is None:
            raise Refused("thread_not_found")
        if root.thread_ts:
            raise Refused("cannot_reply_to_message")
        return ts

    def shown(self, message: Message) -> Json:
        """Return the answer to a call that wrote `message`."""
        shape = self._world.json(message, metadata=True)
        return {
            "ok": True,
            "channel": message.channel,
            "ts": message.ts,
            "message": shape,
        }


@dataclass(frozen=True, slots=True)
class _Content:
    """The content of a message that a call writes."""

    text: str
    blocks: list[Json] | None


def _content(call: Call) -> _Content:
    text, markdown = call.text("text"), call.text("markdown_text")
    blocks = call.value("blocks")
    if markdown:
        if text or blocks:
            raise Refused("markdown_text_conflict")
        if len(markdown) > MOST_MARKDOWN:
            raise Refused("msg_too_long")
        return _Content(markdown, [{"type": "markdown", "text": markdown}])
    if blocks and (wrong := kit.problem(blocks)):
        raise Refused("invalid_blocks", response_metadata={"messages": [wrong]})
    if blocks and kit.size(blocks) > MOST_OF_BLOCKS:
        raise Refused("msg_blocks_too_long")
    if not text.strip() and not blocks:
        raise Refused("no_text")
    return _Content(text, blocks or None)


def is_parsed(call: Call) -> bool:
    """Return whether Slack parses bare names in the text of a call (A6)."""
    return call.flag("link_names") or call.text("parse") == "full"


def is_unfurled(value: Callable[[str], object]) -> bool:
    """Return whether Slack may show previews below a message: unless previews of links
    and of media are both switched off (A6)."""
    return not (value("unfurl_links") is False and value("unfurl_media") is False)


def metadata_of(call: Call) -> Json | None:
    """Return the metadata of a call, or None if it is missing or {}. Raises Refused."""
    metadata = call.value("metadata")
    if not metadata:
        return None
    if not isinstance(metadata, dict) or set(metadata) != {
        "event_type",
        "event_payload",
    }:
        raise Refused("invalid_metadata_format")
    return metadata
