"""The state of Discord, kept by simcord. No I/O.

Rule: no other module imports simcord. The others import its classes from here, so that
only this file depends on simcord. `Model` extends its `Backend` with features of
Discord that it lacks; `rules.py` adds Discord's refusals.
"""

import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import discord
import simcord.http.routes as _routes  # noqa: F401 - registers them
from simcord import intents as gates
from simcord import interactions as building
from simcord._clock import Clock
from simcord.backend import Backend, serializers
from simcord.backend.access import channel_accessible
from simcord.backend.cdn import CDN_BASE as CDN_BASE
from simcord.backend.command_access import command_access as command_access
from simcord.backend.errors import BackendError
from simcord.backend.errors import SetupError as SetupError
from simcord.backend.models import AllowedMentions as AllowedMentions
from simcord.backend.models import Channel as Channel
from simcord.backend.models import Guild as Guild
from simcord.backend.models import Interaction as Interaction
from simcord.backend.models import Message as Message
from simcord.backend.models import MessageSticker as MessageSticker
from simcord.backend.models import Overwrite as Overwrite
from simcord.backend.models import Poll as Poll
from simcord.backend.models import PollAnswer as PollAnswer
from simcord.enums import ChannelType, OverwriteType
from simcord.http.router import RouteNotImplemented, UnsupportedField, dispatch

Json = dict[str, Any]


def copied(value: Any) -> Any:
    """Return a deep copy of `value`, which is JSON."""
    # Ten times as fast as `copy.deepcopy`.
    if isinstance(value, dict):
        return {key: copied(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [copied(each) for each in value]
    return value


Listener = Callable[[str, Json], None]

#: A refusal by Discord: an HTTP status, a code and a message.
Refused = BackendError

censor_message = gates.censor_message
prune_guild_create = gates.prune_guild_create
required_intent = gates.required_intent

interaction_payload = building.base_payload
nest_options = building.nest_options
store_file = building.store_interaction_attachment
validate_option_value = building.validate_option_value
walk_to_subcommand = building.walk_to_subcommand

#: Errors for gaps in the model, which are not errors of Discord.
GAPS = (RouteNotImplemented, UnsupportedField)

TEXT = int(ChannelType.TEXT)
FORUM = int(ChannelType.FORUM)
NEWS = int(ChannelType.NEWS)
#: Channels in which a thread can be created on a message (B6).
THREADED = (TEXT, NEWS)
#: The types of media channels, which are like forums, and of threads in announcement
#: channels (B6; discord.py, enums.py).
MEDIA, NEWS_THREAD = 16, 10
THREAD = int(ChannelType.PUBLIC_THREAD)
PRIVATE_THREAD = int(ChannelType.PRIVATE_THREAD)
MEMBER = OverwriteType.MEMBER
ROLE = OverwriteType.ROLE

#: B5: the type of the message at the top of a thread that refers to the message on
#: which the thread was made.
THREAD_STARTER = 21

SUPPRESS_EMBEDS = 1 << 2
HAS_THREAD = 1 << 5
LOADING = 1 << 7

#: B5: Discord fetches and previews an address unless it is between < and >.
_ADDRESS = re.compile(r"(?<!<)https?://[^\s<>]+|<https?://[^\s>]+(?=\s|\Z)")

#: B7: the permissions in the smallest invitation of a bot like ours.
INVITED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    read_message_history=True,
    attach_files=True,
    embed_links=True,
    add_reactions=True,
    create_public_threads=True,
).value


@dataclass(frozen=True, slots=True)
class Version:
    """The text of a message since `at`, by the emulator's clock."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Ping:
    """A notification or highlight caused by a message of the bot (B5)."""

    message: str
    #: The mention: "@everyone", "<@7>" or "<@&7>". For a reply it is "<@7>" too.
    what: str


@dataclass(frozen=True, slots=True)
class Preview:
    """A preview that Discord fetched for an address in a message of the bot."""

    message: str
    address: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a request."""

    filename: str
    content: bytes
    description: str | None = None

    @property
    def fp(self) -> io.BytesIO:
        return io.BytesIO(self.content)


@dataclass(frozen=True, slots=True)
class Request:
    """The content of a request, apart from its sender."""

    method: str
    #: The path after `/api/v10`.
    path: str
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Upload, ...] = ()


class _Clock(Clock):
    """The model's clock, which follows the emulator's."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)


class Model(Backend):
    """The guilds, people and messages, and the one bot."""

    def __init__(self, *, name: str, now: Callable[[], float]) -> None:
        self.seconds = now
        self.pings: list[Ping] = []
        self.previews: list[Preview] = []
        self.versions: dict[int, list[Version]] = {}
        #: When the bot last began to type, by channel.
        self.typing: dict[int, float] = {}
        #: Nonces of the bot's messages (B5), for the answer and the event.
        self.nonces: dict[int, str | int] = {}
        self.pending_nonce: str | int | None = None
        #: Users who accept no direct messages from the bot.
        self.deaf: set[int] = set()
        #: The forums that are media channels, a type that simcord does not know.
        self.media: set[int] = set()
        #: Words that AutoMod blocks.
        self.blocked: set[str] = set()
        #: The guilds with an outage, whose events nobody receives (B5.1).
        self.unavailable: set[int] = set()
        #: The most threads of a guild that are not archived (B6: about 1,000).
        self.most_threads = 1_000
        self.listener: Listener = lambda event, payload: None
        super().__init__(clock=_Clock(now))
        self.bot_user.name = name
        self.subscribers.append(self._tell)

    def request(self, request: Request, *, may_read: bool) -> Any:
        """Carry out a request of the bot. Return the response.

        `may_read` says whether the app has the message content intent (B1). Raises
        Refused as Discord would, and one of GAPS for a gap in the model.
        """
        answer = dispatch(
            self,
            request.method,
            request.path,
            json=copied(request.body),
            params=dict(request.query),
            files=list(request.files),
            message_content_access=may_read,
        )
        return self.dressed(answer)

    def read(self, message: Message, *, may_read: bool) -> Json:
        """Return a message as the bot reads it over REST."""
        payload = copied(dict(serializers.message_payload(self, message)))
        if not may_read:
            censor_message(payload, self.bot_user.id, backend=self)
        dressed: Json = self.dressed(payload)
        # Only the response to a post has the nonce, not a later read.
        return dressed | {"nonce": None}

    def message(self, message: Message) -> Json:
        """Return a message uncensored, for parts of events that are always readable."""
        payload: Json = self.dressed(dict(serializers.message_payload(self, message)))
        return payload

    def channel(self, channel: Channel) -> Json:
        """Return a channel or a thread as the API shows it."""
        payload = copied(dict(serializers.channel_payload(self, channel)))
        shown: Json = self.dressed(payload)
        return shown

    def user(self, user: int) -> Json:
        """Return a user as the API shows them."""
        return dict(serializers.user_payload(self.get_user(user)))

    def thing(self, kind: str, number: int, guild: int | None) -> Json | None:
        """Return one of the "users", "roles" or "channels" of a guild, as interactions
        show it, or None if it does not exist."""
        home = self.guilds.get(guild or 0)
        if kind == "users" and number in self.users:
            return self.user(number)
        if kind == "roles" and home is not None and number in home.roles:
            return dict(serializers.role_payload(home.roles[number]))
        if kind == "channels" and number in self.channels:
            return self.channel(self.channels[number]) | {"permissions": "0"}
        return None

    def guild(self, guild: Guild, *, joined: bool = False) -> Json:
        """Return a guild as GUILD_CREATE shows it, with the channels that the bot may
        see. With `joined`, the field `unavailable` is missing, by which discord.py
        recognises a guild that the bot has just joined (state.py,
        parse_guild_create)."""
        payload = copied(dict(serializers.guild_create_payload(self, guild)))
        payload = self.dressed(payload)
        payload["joined_at"] = guild.members[self.bot_user.id].joined_at
        for kind in ("channels", "threads"):
            payload[kind] = [
                each
                for each in payload[kind]
                if self.sees(int(each["id"]))
                and not each.get("thread_metadata", {}).get("archived")
            ]
        if joined:
            del payload["unavailable"]
        shown: Json = payload
        return shown

    def sees(self, channel: int) -> bool:
        """Return whether the bot may see a channel."""
        return channel_accessible(self, channel, self.bot_user.id)

    def may(self, user: int, channel: Channel, *names: str) -> bool:
        """Return whether `user` has these permissions in a channel."""
        if channel.guild_id is None:
            return True
        has = discord.Permissions(
            self.compute_permissions(channel.guild_id, user, channel.id)
        )
        return has.administrator or all(getattr(has, name) for name in names)

    def is_in(self, guild: int) -> bool:
        """Return whether the bot is a member of a guild."""
        return self.bot_user.id in self.guilds[guild].members

    def post(self, channel: int, author: int, text: str, **more: Any) -> Message:
        """Post a message by `author`. `more` is as in simcord."""
        return self.create_message(channel, author, text, **more)

    def starter(self, channel: int, author: int, text: str, **more: Any) -> Message:
        """Return a message that is not posted yet, for the beginning of a forum
        post."""
        return self.prepare_message(channel, author, text, **more)

    # Features of Discord that simcord lacks.

    def create_channel(
        self,
        guild_id: int | None,
        name: str | None,
        *,
        type: int = TEXT,
        announce: bool = True,
        **more: Any,
    ) -> Channel:
        """Create a channel, which may be a media channel."""
        if type != MEDIA:
            more["announce"] = announce
            return super().create_channel(guild_id, name, type=type, **more)
        channel = super().create_channel(
            guild_id, name, type=FORUM, announce=False, **more
        )
        self.media.add(channel.id)
        if announce:
            self.emit("CHANNEL_CREATE", self.channel(channel))
        return channel

    def create_guild(self, name: str, **more: Any) -> Guild:
        """Create a guild with usual permissions and a bot with the smallest
        invitation."""
        told, self.listener = self.listener, lambda event, payload: None
        guild = super().create_guild(name, **more)
        self.listener = told
        # In a new guild everybody may mention everybody, so that mentions in the bot's
        # messages notify unless allowed_mentions forbids them (B5).
        everyone = discord.Permissions(guild.everyone_role.permissions)
        everyone.mention_everyone = True
        guild.everyone_role.permissions = everyone.value
        for role in guild.roles.values():
            if role.managed:
                role.permissions = INVITED
        self.emit("GUILD_CREATE", self.guild(guild, joined=True))
        return guild

    def create_thread(
        self, parent_id: int, name: str, owner_id: int, **more: Any
    ) -> Channel:
        """Open a thread. A thread on a message begins with a message that refers to it,
        and the message itself is updated with its thread (B5, B6)."""
        message_id = more.get("message_id")
        if message_id is None or not more.pop("broadcast", True):
            return super().create_thread(parent_id, name, owner_id, **more)
        thread = super().create_thread(
            parent_id, name, owner_id, broadcast=False, **more
        )
        self.announce_thread_create(thread)
        about = self.get_message(parent_id, message_id)
        self.emit("MESSAGE_UPDATE", dict(serializers.message_payload(self, about)))
        stand_in = Message(
            id=self.snowflake(),
            channel_id=thread.id,
            author_id=about.author_id,
            type=THREAD_STARTER,
            timestamp=self.now_iso(),
            reference={
                "type": 0,
                "guild_id": str(thread.guild_id),
                "channel_id": str(parent_id),
                "message_id": str(message_id),
            },
        )
        self.commit_message(stand_in)
        return thread

    def create_forum_post(
        self,
        forum_id: int,
        name: str,
        starter: Message,
        *,
        uploads: Iterable[tuple[str, bytes, str | None]] = (),
        auto_archive_duration: int = 1440,
        applied_tags: Iterable[int] = (),
        broadcast: bool = True,
    ) -> tuple[Channel, Message]:
        """Open a thread in a forum. Its first message has the id of the thread (B6)."""
        thread = super().create_thread(
            forum_id,
            name,
            starter.author_id,
            auto_archive_duration=auto_archive_duration,
            message_id=starter.id,
            applied_tags=applied_tags,
            broadcast=False,
        )
        starter.channel_id = thread.id
        starter.attachments = [
            self.cdn.store_attachment(self.snowflake(), thread.id, *upload)
            for upload in uploads
        ]
        self.commit_message(starter, broadcast=False)
        self.announce_thread_create(thread)
        if broadcast:
            self.announce_message_create(starter)
        return thread, starter

    def delete_channel(self, channel_id: int) -> None:
        """Delete a channel and the threads in it."""
        for thread in [c for c in self.channels.values() if c.parent_id == channel_id]:
            del self.channels[thread.id]
            self.messages.pop(thread.id, None)
            self.get_guild(thread.guild_id or 0).thread_ids.remove(thread.id)
        super().delete_channel(channel_id)

    def commit_message(self, message: Message, *, broadcast: bool = True) -> Message:
        """Store `message` in its channel."""
        if message.author_id == self.bot_user.id and self.pending_nonce is not None:
            self.nonces[message.id] = self.pending_nonce
        posted = super().commit_message(message, broadcast=broadcast)
        self._written(posted)
        return posted

    def edit_message(
        self, channel_id: int, message_id: int, fields: dict[str, Any]
    ) -> Message:
        """Change a message."""
        message = super().edit_message(channel_id, message_id, fields)
        self._written(message)
        return message

    def unfurl(self, message: Message, embed: Json) -> None:
        """Add Discord's preview of a link to a message (B5)."""
        if not message.flags & SUPPRESS_EMBEDS:
            message.embeds = [*message.embeds, embed]
            payload = dict(serializers.message_payload(self, message))
            self.emit("MESSAGE_UPDATE", payload)

    def dressed(self, payload: Any) -> Any:
        """Return `payload`, and add the fields that simcord leaves out of messages, and
        the types of channels that it does not know."""
        if isinstance(payload, list):
            for each in payload:
                self.dressed(each)
        if not isinstance(payload, dict):
            return payload
        if "content" in payload and "author" in payload:
            self._dress(payload)
        if payload.get("type") in (FORUM, THREAD) and "parent_id" in payload:
            payload["type"] = self._type(payload)
        for each in payload.values():
            self.dressed(each)
        return payload

    def _type(self, channel: Json) -> int:
        """Return the type of a forum or a public thread as Discord shows it."""
        above = self.channels.get(int(channel["parent_id"] or 0))
        if channel["type"] == THREAD:
            is_news = above is not None and above.type == NEWS
            return NEWS_THREAD if is_news else THREAD
        return MEDIA if int(channel["id"]) in self.media else FORUM

    def _dress(self, message: Json) -> None:
        number = int(message["id"])
        message["nonce"] = self.nonces.get(number)
        thread = self.channels.get(number)
        if thread is not None and str(thread.parent_id) == message["channel_id"]:
            message["flags"] = int(message["flags"]) | HAS_THREAD
            message["thread"] = self.channel(thread)

    def _written(self, message: Message) -> None:
        versions = self.versions.setdefault(message.id, [])
        versions.append(Version(self.seconds(), message.content))
        if message.author_id != self.bot_user.id:
            return
        whom = [f"<@{user}>" for user in message.ping_user_ids]
        whom += [f"<@&{role}>" for role in message.ping_role_ids]
        whom += ["@everyone"] if message.mention_everyone else []
        for what in whom:
            ping = Ping(str(message.id), what)
            if ping not in self.pings:
                self.pings.append(ping)
        # An edit whose flags lack this one removes it (B5, B10), and a deferred
        # response begins without it.
        if not message.flags & SUPPRESS_EMBEDS:
            for address in _ADDRESS.findall(message.content):
                self.previews.append(Preview(str(message.id), address))

    def _tell(self, event: str, payload: Mapping[str, Any]) -> None:
        if event == "TYPING_START" and payload["user_id"] == str(self.bot_user.id):
            self.typing[int(payload["channel_id"])] = self.seconds()
        # A copy, because listeners may change the payload, and so may the model.
        self.listener(event, self.dressed(json.loads(json.dumps(payload))))
