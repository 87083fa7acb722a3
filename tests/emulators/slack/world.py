"""The workspace: its people, its messages, and the views of readers. No I/O.

Rule 1: every visible change goes through the methods of `World`, which pass it to
`listener`. Events are made from these changes.
Rule 2: the methods do not check permissions. Callers check them first.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.changes import Changes
from tests.emulators.slack import blocks as kit
from tests.emulators.slack import notices
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.controls import Control, controls
from tests.emulators.slack.ephemeral import Whisper
from tests.emulators.slack.notation import Names
from tests.emulators.slack.people import Channel, User

SLACKBOT = "USLACKBOT"


@dataclass(frozen=True, slots=True)
class Version:
    """The text of a message since `at`, by the emulator's clock."""

    at: float
    text: str
    #: Whether only the asker sees it, as a stream in a channel (A7.2).
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class Ping:
    """A notification that a message of the bot causes."""

    at: float
    channel: str
    ts: str
    #: For example "!channel" or "@U00000001".
    target: str


@dataclass(frozen=True, slots=True)
class Preview:
    """A preview that Slack fetched for an address."""

    channel: str
    ts: str
    address: str


@dataclass(frozen=True, slots=True)
class Status:
    """A change of the bot's status line; "" clears it (A8.1)."""

    at: float
    channel: str
    thread_ts: str
    status: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as a reader sees it now."""

    ts: str
    author: str
    bot: bool
    #: The text that its blocks show or, without blocks, its text; unchanged.
    text: str
    #: Whether the "(edited)" marker shows (A5.3).
    edited: bool
    buttons: tuple[str, ...]
    #: Whether it has feedback buttons (A8.2).
    feedback: bool
    #: Its buttons and menus.
    controls: tuple[Control, ...]
    #: The names of its files.
    files: tuple[str, ...]
    #: The names of its reactions.
    reactions: tuple[str, ...]
    metadata: Json | None
    #: Whether it looks unfinished (A7).
    streaming: bool
    #: Its texts, oldest first; the last one is the current one.
    versions: tuple[Version, ...]


@dataclass(slots=True)
class Message:
    """A message as Slack stores it."""

    ts: str
    channel: str
    user: str
    text: str
    thread_ts: str | None = None
    blocks: list[Json] | None = None
    metadata: Json | None = None
    files: list[Json] = field(default_factory=list)
    #: Attachments below the text: of apps, forwards, previews (A1.5).
    attachments: list[Json] = field(default_factory=list)
    client_msg_id: str | None = None
    broadcast: bool = False
    #: The ts of the last edit with the "(edited)" marker; None without the marker.
    edited: str | None = None
    #: Whether it is a deleted root whose replies remain (A1.3).
    tombstone: bool = False
    #: Whether it looks unfinished to readers (A7).
    streaming: bool = False
    #: Whether Slack parses bare names in its `text`.
    parsed: bool = False
    #: Whether Slack shows previews. The value at the time of the post stays (A5.3).
    unfurls: bool = False
    reactions: dict[str, set[str]] = field(default_factory=dict)
    versions: list[Version] = field(default_factory=list)

    @property
    def root(self) -> str:
        return self.thread_ts or self.ts

    @property
    def shown(self) -> str:
        """The text that its blocks show or, if they show none, its text."""
        return kit.shown(self.blocks or []) or self.text


@dataclass(frozen=True, slots=True)
class Posted:
    """A message appeared."""

    message: Message


@dataclass(frozen=True, slots=True)
class Edited:
    """A message changed; `before` is its JSON before that."""

    message: Message
    before: Json


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message is gone; `before` is its JSON before that."""

    message: Message
    before: Json


Change = Posted | Edited | Deleted


class World:
    """A workspace with one installed app, whose user is `bot`."""

    def __init__(
        self,
        *,
        name: str,
        clock: Callable[[], float],
        changes: Changes,
        numbers: Iterator[int] | None = None,
        bot: tuple[str, str] | None = None,
    ) -> None:
        self.clock = clock
        self.changes = changes
        self.listener: Callable[[Change], None] = lambda change: None
        #: Shared by all workspaces on one server, so that ids are unique.
        self.numbers = itertools.count(1) if numbers is None else numbers
        self.team = "T00000001" if numbers is None else self.number("T")
        self.app = "A00000001"
        #: The organisation ("" for none), and whether the app is installed on it (A14).
        self.enterprise = ""
        self.is_org_wide = False
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, dict[str, Message]] = {}
        self.pings: list[Ping] = []
        self.previews: list[Preview] = []
        self.statuses: list[Status] = []
        #: Ephemeral messages of the bot.
        self.ephemeral: list[Whisper] = []
        #: The handles of the user groups, by id.
        self.handles: dict[str, str] = {}
        self.names = Names(self.users, self.channels, self.handles)
        self._replies: dict[tuple[str, str], list[Message]] = {}
        # A ts is a wall-clock time, but advances with the injected clock.
        self._epoch = time.time() - clock()
        self._last_ts = 0
        if numbers is None:
            self.bot = self.add_user(name, bot="B00000001", app=self.app)
        else:
            id, program = bot or (self.number("U"), self.number("B"))
            self.bot = self.add_user(name, bot=program, app=self.app, id=id)

    def add_user(self, name: str, **facts: Any) -> User:
        """Add a user to the workspace. `facts` are fields of User."""
        facts = {"real_name": name, "team": self.team, **facts}
        user = User(id=facts.pop("id", "") or self.number("U"), name=name, **facts)
        self.users[user.id] = user
        return user

    def add_channel(
        self, name: str, *, kind: str, members: set[str], creator: str | None = None
    ) -> Channel:
        """Add a channel or direct messages. The default creator is the first member."""
        creator = creator or min(members, default=self.bot.id)
        letter = "D" if kind == "im" else "C"
        channel = Channel(self.number(letter), name, kind, self.team, creator, members)
        self.channels[channel.id] = channel
        self.messages[channel.id] = {}
        return channel

    def direct(self, user: str) -> Channel:
        """Return the direct messages between `user` and the bot."""
        pair = {user, self.bot.id}
        for channel in self.channels.values():
            if channel.kind == "im" and channel.members == pair:
                return channel
        return self.add_channel("", kind="im", members=pair)

    def rename(self, channel: str) -> str:
        """Give a channel and its messages another id, and return that (A1.4)."""
        place = self.channels.pop(channel)
        place.id = self.number("C")
        self.channels[place.id] = place
        moved = self.messages[place.id] = self.messages.pop(channel)
        for message in moved.values():
            message.channel = place.id
        for there, root in list(self._replies):
            if there == channel:
                self._replies[place.id, root] = self._replies.pop((there, root))
        return place.id

    def shared(self, channel: str) -> bool:
        """Return whether people of another organisation are in a channel (A14)."""
        there = (self.users.get(user) for user in self.channels[channel].members)
        return any(user.team != self.team for user in there if user)

    def next_ts(self) -> str:
        """Return a ts that is later than every other one in the workspace."""
        now = int((self._epoch + self.clock()) * 1_000_000)
        self._last_ts = max(self._last_ts + 1, now)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def number(self, letter: str) -> str:
        """Return a fresh id."""
        return f"{letter}{next(self.numbers):08d}"

    def post(self, message: Message) -> Message:
        """Store `message` in its channel."""
        if message.user == self.bot.id:
            self._clear_status(message)
        self.messages[message.channel][message.ts] = message
        if message.thread_ts:
            self.replies(message.channel, message.thread_ts).append(message)
        self._written(message)
        self._changed(Posted(message))
        return message

    def edit(self, message: Message, **fields: Any) -> None:
        """Replace `fields` of `message`."""
        before = self.json(message)
        for name, value in fields.items():
            setattr(message, name, value)
        self._written(message)
        self._changed(Edited(message, before))

    def delete(self, message: Message) -> None:
        """Delete `message`. A root with replies becomes a tombstone (A1.3)."""
        if self.replies(message.channel, message.ts):
            self.edit(
                message,
                text="This message was deleted.",
                user=SLACKBOT,
                blocks=None,
                files=[],
                attachments=[],
                metadata=None,
                tombstone=True,
            )
            return
        before = self.json(message)
        del self.messages[message.channel][message.ts]
        if message.thread_ts:
            self.replies(message.channel, message.thread_ts).remove(message)
        self._changed(Deleted(message, before))

    def whisper(
        self,
        user: str,
        channel: str,
        text: str,
        blocks: list[Json],
        thread_ts: str | None,
    ) -> Whisper:
        """Post an ephemeral message to `user`."""
        whisper = Whisper(
            ts=self.next_ts(),
            channel=channel,
            user=user,
            fallback=text,
            blocks=blocks,
            thread_ts=thread_ts,
            shown=not thread_ts or bool(self.replies(channel, thread_ts)),
        )
        self.ephemeral.append(whisper)
        self.changes.mark()
        return whisper

    def react(self, message: Message, name: str, user: str) -> None:
        """Add a reaction to a message."""
        message.reactions.setdefault(name, set()).add(user)
        self.changes.mark()

    def unreact(self, message: Message, name: str, user: str) -> None:
        """Remove a reaction from a message."""
        message.reactions[name].discard(user)
        if not message.reactions[name]:
            del message.reactions[name]
        self.changes.mark()

    def set_status(self, channel: str, thread_ts: str, status: str) -> None:
        """Set the bot's status line in a thread; "" clears it (A8.1)."""
        self.statuses.append(Status(self.clock(), channel, thread_ts, status))
        self.changes.mark()

    def status(self, channel: str, thread_ts: str) -> str:
        """Return the current status line, or "". It disappears after 2 min (A8.1)."""
        for status in reversed(self.statuses):
            if (status.channel, status.thread_ts) == (channel, thread_ts):
                return status.status if self.clock() - status.at < 120 else ""
        return ""

    def replies(self, channel: str, root: str) -> list[Message]:
        """Return the replies to a root, oldest first."""
        return self._replies.setdefault((channel, root), [])

    def thread(self, channel: str, root: str) -> list[Message]:
        """Return a root, if it exists, and its replies, oldest first."""
        first = self.messages[channel].get(root)
        return [*([first] if first else []), *self.replies(channel, root)]

    def seen(self, message: Message) -> Seen:
        """Return `message` as a reader sees it now."""
        user = self.users.get(message.user)
        found = controls(message.blocks or [])
        return Seen(
            ts=message.ts,
            author=user.name if user else "Slackbot",
            bot=bool(user and user.bot),
            text=message.shown,
            edited=message.edited is not None,
            buttons=tuple(kit.buttons(message.blocks or [])),
            feedback=any(each.kind == "feedback_buttons" for each in found),
            controls=found,
            files=tuple(file.get("name", "") for file in message.files),
            reactions=tuple(message.reactions),
            metadata=message.metadata,
            streaming=message.streaming,
            versions=tuple(message.versions),
        )

    def line(self, message: Message) -> str:
        """Return `message` as a line of a transcript: the author and the visible
        text."""
        seen = self.seen(message)
        from_text = seen.text == message.text
        text = self.names.readable(seen.text) if from_text else seen.text
        names = "".join(f" [{file['name']}]" for file in message.files)
        who = f"{seen.author} (bot)" if seen.bot else seen.author
        return f"{who}: {text}{names}"

    def json(self, message: Message, *, metadata: bool = False) -> Json:
        """Return `message` as the API and the events show it (A1, A5.5)."""
        user = self.users.get(message.user)
        shape: Json = {
            "type": "message",
            "user": message.user,
            "text": message.text,
            "ts": message.ts,
            "team": self.team,
            **self._place(message),
        }
        if user and user.bot:
            shape |= _bot_fields(user)
        if user and user.team != self.team:
            shape |= _stranger_fields(user)
        optional: Mapping[str, Any] = {
            "client_msg_id": message.client_msg_id,
            "blocks": message.blocks,
            "files": message.files,
            "attachments": message.attachments,
            "metadata": message.metadata if metadata else None,
            "edited": message.edited and {"user": message.user, "ts": message.edited},
            "subtype": _subtype(message),
        }
        shape |= {name: value for name, value in optional.items() if value}
        if user and user.classic:
            del shape["user"]
            shape |= {"subtype": "bot_message", "username": user.name}
        return shape

    def _place(self, message: Message) -> Json:
        """Return the fields of a message about its thread."""
        if message.thread_ts:
            root = self.messages[message.channel].get(message.thread_ts)
            parent = {"parent_user_id": root.user} if root else {}
            return {"thread_ts": message.thread_ts, **parent}
        replies = self.replies(message.channel, message.ts)
        if not replies:
            return {}
        return {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users": sorted({reply.user for reply in replies}),
            "latest_reply": replies[-1].ts,
            "subscribed": False,
        }

    def _written(self, message: Message) -> None:
        in_channel = self.channels[message.channel].kind != "im"
        private = message.streaming and in_channel and bool(message.versions)
        version = Version(self.clock(), message.shown, is_private=private)
        message.versions.append(version)
        if message.user != self.bot.id:
            return
        for target in dict.fromkeys(self._pinged(message)):
            self.pings.append(Ping(self.clock(), message.channel, message.ts, target))
        found = notices.addresses(message.text, message.blocks or [])
        for address in dict.fromkeys(found) if message.unfurls else ():
            self.previews.append(Preview(message.channel, message.ts, address))

    def _pinged(self, message: Message) -> Iterator[str]:
        yield from notices.in_text(message.text, parsed=message.parsed)
        yield from notices.in_blocks(message.blocks or [])

    def _clear_status(self, message: Message) -> None:
        """Clear the status of the thread, as the app's next message in it does
        (A8.1)."""
        if message.thread_ts and self.status(message.channel, message.thread_ts):
            self.set_status(message.channel, message.thread_ts, "")

    def _changed(self, change: Change) -> None:
        self.listener(change)
        self.changes.mark()


def _bot_fields(user: User) -> Json:
    profile = {"id": user.bot, "app_id": user.app, "name": user.name}
    return {"bot_id": user.bot, "app_id": user.app, "bot_profile": profile}


def _stranger_fields(user: User) -> Json:
    """Return the fields of a message by somebody from another organisation (A14)."""
    profile = {"name": user.name.lower(), "real_name": user.real_name}
    return {
        "user_team": user.team,
        "source_team": user.team,
        "user_profile": {**profile, "team": user.team},
    }


def _subtype(message: Message) -> str | None:
    if message.tombstone:
        return "tombstone"
    if message.broadcast:
        return "thread_broadcast"
    return "file_share" if message.files else None
