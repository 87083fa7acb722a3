"""Actions and views of people in Discord, apart from commands.

People use Discord's client, which allows less than the model. An action that it forbids
raises ValueError here. Ids are strings, as on the wire.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import discord

from tests.emulators.discord import shapes
from tests.emulators.discord.model import (
    FORUM,
    LOADING,
    MEDIA,
    MEMBER,
    NEWS,
    PRIVATE_THREAD,
    ROLE,
    TEXT,
    THREADED,
    AllowedMentions,
    Channel,
    Json,
    Message,
    Model,
    Overwrite,
    Version,
)

#: B5: the types of messages by people and bots. Other types are Discord's notices.
SAID = (0, 19, 20, 23)
#: B5: the seconds for which "is typing" shows.
TYPING_LASTS = 10.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as a reader sees it now."""

    id: str
    channel: str
    author: str
    bot: bool
    text: str
    #: 0 a message, 19 a reply, 20 the response to a command, 23 to a message command
    #: (B5).
    type: int
    flags: int
    embeds: tuple[Json, ...]
    components: tuple[Json, ...]
    #: The names of its files.
    files: tuple[str, ...]
    edited: bool
    #: The id of the only person who sees it; "" if everybody does.
    ephemeral_for: str
    #: Whether it still shows "is thinking…".
    thinking: bool
    #: The id of the message that it replies to; "" for none.
    reply_to: str
    #: The emoji of its reactions.
    reactions: tuple[str, ...]
    #: Its texts, oldest first; the last one is the current one.
    versions: tuple[Version, ...]

    @property
    def buttons(self) -> tuple[str, ...]:
        """The custom_ids of its buttons and menus."""
        return tuple(
            each["custom_id"] for each in parts(self.components) if "custom_id" in each
        )


def parts(components: Iterable[Json]) -> Iterable[Json]:
    """Yield every component at any depth (B8)."""
    for each in components:
        yield each
        yield from parts(each.get("components") or ())
        inner = [each[name] for name in ("component", "accessory") if name in each]
        yield from parts(inner)


def _cleaned(file: Json) -> Json:
    """Return a file without the letters in its name that Discord takes out; the name
    before that is its title, as a rule without its ending (B5)."""
    name = file["filename"]
    if name.isascii():
        return file
    stem, dot, ending = name.rpartition(".") if "." in name else (name, "", "")
    kept = "".join(filter(str.isascii, stem)) or "unknown"
    return {**file, "title": stem, "filename": f"{kept}{dot}{ending}"}


def _reads(message: Message) -> str:
    """Return the text of a message: its content, or the texts of its components (B5: a
    message of newer components has no content)."""
    shown = [
        each["content"] for each in parts(message.components) if each["type"] == 10
    ]
    return "\n".join(shown) or message.content


class People:
    """All users except the bot."""

    def __init__(self, model: Model) -> None:
        self._model = model

    # People and places.

    def add_user(self, name: str, *, bot: bool = False, admin: bool = False) -> str:
        """Add a user to every guild. An `admin` may do anything there."""
        user = self._model.make_user(name, bot=bot)
        for guild in self._model.guilds:
            self._admit(user.id, guild, admin=admin)
        return str(user.id)

    def add_guild(self, name: str, *, shard: tuple[int, int] = (0, 1)) -> str:
        """Create a guild with the bot in it. `shard` is its shard and the number of
        shards."""
        number, count = shard
        guild = self._model.create_guild(name, shard_id=number, shard_count=count)
        return str(guild.id)

    def owner(self, guild: str) -> str:
        """Return the id of the owner of a guild."""
        return str(self._model.guilds[int(guild)].owner_id)

    def add_channel(
        self, name: str, *, guild: str | None = None, kind: str = "text"
    ) -> str:
        """Open a "text", "news" or "media" channel or a "forum", by default in the
        first guild."""
        where = int(guild) if guild else next(iter(self._model.guilds))
        types = {"text": TEXT, "news": NEWS, "forum": FORUM, "media": MEDIA}
        channel = self._model.create_channel(where, name, type=types[kind])
        return str(channel.id)

    def add_role(
        self,
        name: str,
        *users: str,
        mentionable: bool = False,
        permissions: Iterable[str] = (),
        guild: str | None = None,
    ) -> str:
        """Create a role with these permissions, and give it to `users`."""
        where = int(guild) if guild else next(iter(self._model.guilds))
        bits = discord.Permissions(**dict.fromkeys(permissions, True)).value
        role = self._model.create_role(
            where, name, permissions=bits, mentionable=mentionable
        )
        for user in users:
            self._admit(int(user), where)
            self._model.guilds[where].members[int(user)].role_ids.append(role.id)
        return str(role.id)

    def take_role(self, role: str, user: str, *, guild: str | None = None) -> None:
        """Remove a role from a user."""
        where = int(guild) if guild else next(iter(self._model.guilds))
        self._model.remove_member_role(where, int(user), int(role))

    def leave(self, user: str, *, guild: str | None = None) -> None:
        """Let somebody leave a guild."""
        where = int(guild) if guild else next(iter(self._model.guilds))
        self._model.remove_member(where, int(user))

    def refuse_messages(self, user: str) -> None:
        """Make a user refuse direct messages from the bot (B4)."""
        self._model.deaf.add(int(user))

    def limit_bot(self, *names: str) -> None:
        """Remove permissions from all roles of the bot in the first guild, as the
        person who adds it may (B7). Call this before the bot connects."""
        guild = next(iter(self._model.guilds.values()))
        for role in guild.roles.values():
            held = discord.Permissions(role.permissions)
            held.update(**dict.fromkeys(names, False))
            if role.managed or role is guild.everyone_role:
                role.permissions = held.value

    def block_words(self, *words: str) -> None:
        """Make AutoMod block every message with one of `words`, and no others."""
        self._model.blocked = set(words)

    def limit_threads(self, most: int) -> None:
        """Set the most active threads of a guild (B6)."""
        self._model.most_threads = most

    def set_permissions(
        self,
        channel: str,
        *,
        allow: Iterable[str] = (),
        deny: Iterable[str] = (),
        user: str | None = None,
        role: str | None = None,
    ) -> None:
        """Set the permissions of `role`, of `user` or of the bot in a channel, for
        example `deny=["send_messages"]`. Replaces earlier ones."""
        who = int(role or user or self._model.bot_user.id)
        allowed, denied = (
            discord.Permissions(**dict.fromkeys(names, True)).value
            for names in (allow, deny)
        )
        kind = ROLE if role else MEMBER
        overwrite = Overwrite(who, kind, allow=allowed, deny=denied)
        self._model.set_overwrite(int(channel), overwrite)

    def join(self, user: str, guild: str | int | None) -> None:
        """Make `user` a member of a guild; None stands for direct messages."""
        self._admit(int(user), int(guild) if guild else None)

    def open_dm(self, user: str) -> str:
        """Return the direct messages between `user` and the bot."""
        return str(self._model.get_dm_channel(int(user)).id)

    # Actions.

    def say(
        self,
        user: str,
        place: str,
        text: str,
        *,
        reply_to: str | None = None,
        ping: bool = True,
        files: Mapping[str, bytes] | None = None,
    ) -> str:
        """Post `text` in a channel, a thread or direct messages. Return the message's
        id.

        A reply pings the author of the message unless `ping` is False. `files` are
        contents by name.
        """
        channel = self._writable(int(user), int(place))
        if len(text) > 2_000 or not (text.strip() or files):
            raise ValueError("people write 1 to 2,000 characters, or send a file")
        more: dict[str, Any] = {}
        if reply_to is not None:
            self._model.get_message(channel.id, int(reply_to))
            more["reference"] = {"message_id": reply_to}
        if reply_to is not None and not ping:
            more["allowed_mentions"] = AllowedMentions(replied_user=False)
        message = self._model.post(
            channel.id,
            int(user),
            text,
            attachments=[
                _cleaned(each)
                for each in self._model.store_attachments(
                    channel.id, list((files or {}).items())
                )
            ],
            **more,
        )
        if channel.thread_metadata and channel.thread_metadata.archived:
            self._model.edit_channel(
                channel.id, {}, thread_metadata={"archived": False}
            )
        return str(message.id)

    def forward(self, user: str, message: str, place: str, *, comment: str = "") -> str:
        """Forward a message, and return the id of the copy. The copy has the text but
        not the author, and later edits do not change it. A `comment` is a separate
        message right after it, whose id is returned instead (B5)."""
        source = self.find(message)
        where = self._writable(int(user), int(place))
        reference = {
            **{"type": 1, "channel_id": str(source.channel_id)},
            "message_id": str(source.id),
        }
        posted = self._model.post(where.id, int(user), "", reference=reference)
        return self.say(user, place, comment) if comment else str(posted.id)

    def post(self, user: str, place: str, body: Json) -> str:
        """Post a message with the wire format `body`, which may have more than text
        (B5.2). Return its id."""
        channel = self._model.get_channel(int(place))
        self._admit(int(user), channel.guild_id)
        posted = self._model.commit_message(
            shapes.message(self._model, channel, int(user), body)
        )
        return str(posted.id)

    def edit(self, message: str, text: str) -> None:
        """Change the text of a message as its author."""
        changed = self.find(message)
        if changed.author_id == self._model.bot_user.id:
            raise ValueError("only the bot edits its own messages")
        self._model.edit_message(changed.channel_id, changed.id, {"content": text})

    def fill(self, message: str, body: Json) -> None:
        """Replace the "is thinking…" of a program with the content of `body` (B2)."""
        waiting = self.find(message)
        if not waiting.flags & LOADING:
            raise ValueError("only a deferred response is filled")
        waiting.flags &= ~LOADING
        fields = ("content", "embeds", "components")
        changed = {name: body[name] for name in fields if name in body}
        self._model.edit_message(waiting.channel_id, waiting.id, changed)

    def delete(self, *messages: str) -> None:
        """Delete messages one by one."""
        for message in messages:
            gone = self.find(message)
            self._model.delete_message(gone.channel_id, gone.id)

    def bulk_delete(self, *messages: str) -> None:
        """Delete messages of one channel at once, as a moderator does."""
        (channel,) = {self.find(message).channel_id for message in messages}
        self._model.bulk_delete_messages(channel, [int(each) for each in messages])

    def unfurl(self, message: str, url: str) -> None:
        """Make Discord preview a link in a message (B5)."""
        embed = {"type": "link", "url": url, "title": "Behind the link"}
        self._model.unfurl(self.find(message), embed)

    def thread(
        self, user: str, channel: str, name: str, *, message: str | None = None
    ) -> str:
        """Open a thread, on `message` if one is given. Return its id."""
        where = self._writable(int(user), int(channel))
        if where.type not in THREADED:
            raise ValueError("threads are opened in text channels")
        if message and int(message) in self._model.channels:
            raise ValueError("the message has a thread")
        number = int(message) if message else None
        opened = self._model.create_thread(where.id, name, int(user), message_id=number)
        return str(opened.id)

    def private_thread(self, user: str, channel: str, name: str) -> str:
        """Open a private thread for `user` and the bot (B6)."""
        where = self._writable(int(user), int(channel))
        opened = self._model.create_thread(
            where.id, name, int(user), type=PRIVATE_THREAD
        )
        self._model.add_thread_member(opened.id, self._model.bot_user.id)
        return str(opened.id)

    def forum_post(self, user: str, forum: str, title: str, text: str) -> str:
        """Open a thread in a forum. Return its id, which is also that of its first
        message."""
        where = self._model.get_channel(int(forum))
        if where.type != FORUM:
            raise ValueError(f"{forum} is not a forum")
        self._admit(int(user), where.guild_id)
        first = self._model.starter(where.id, int(user), text)
        return str(self._model.create_forum_post(where.id, title, first)[0].id)

    def archive(self, thread: str, archived: bool = True) -> None:
        """Archive a thread until somebody writes in it, or reopen it."""
        self._change(thread, archived=archived)

    def lock(self, thread: str, locked: bool = True) -> None:
        """Lock a thread, so that only moderators write in it, or unlock it."""
        self._change(thread, locked=locked, archived=locked)

    def delete_channel(self, channel: str) -> None:
        """Delete a channel with its threads, or one thread."""
        self._model.delete_channel(int(channel))

    def kick_bot(self, guild: str) -> None:
        """Remove the bot from a guild. Messages remain."""
        del self._model.guilds[int(guild)].members[self._model.bot_user.id]
        self._model.emit("GUILD_DELETE", {"id": guild})

    def invite_bot(self, guild: str) -> None:
        """Bring the bot back into a guild."""
        place = self._model.guilds[int(guild)]
        roles = [role.id for role in place.roles.values() if role.managed]
        self._model.add_member(place.id, self._model.bot_user.id, roles=roles)
        self._model.emit("GUILD_CREATE", self._model.guild(place, joined=True))

    def outage(self, guild: str) -> None:
        """Make a guild unavailable. The bot stays in it, and receives none of its
        events (B5.1)."""
        self._model.unavailable.add(int(guild))
        self._model.emit("GUILD_DELETE", {"id": guild, "unavailable": True})

    def recover(self, guild: str) -> None:
        """Make a guild available again."""
        self._model.unavailable.discard(int(guild))
        place = self._model.guilds[int(guild)]
        self._model.emit("GUILD_CREATE", self._model.guild(place))

    # Views.

    def messages(self, place: str) -> list[Seen]:
        """Return the messages in a channel, a thread or direct messages, oldest first.

        Discord's notices are left out. Empty if the place does not exist.
        """
        posted = self._model.messages.get(int(place), {}).values()
        return [self.seen(message) for message in posted if message.type in SAID]

    def message(self, message: str) -> Seen:
        """Return a message as a reader sees it now. Raises LookupError if it is
        gone."""
        return self.seen(self.find(message))

    def thread_of(self, message: str) -> str:
        """Return the thread on a message. Raises LookupError if there is none."""
        thread = self._model.channels[int(message)]
        if not thread.is_thread:
            raise LookupError(f"{message} has no thread")
        return str(thread.id)

    def name(self, place: str) -> str:
        """Return the name of a channel or a thread. Raises LookupError if it is
        gone."""
        return self._model.channels[int(place)].name or ""

    def threads(self, channel: str) -> list[str]:
        """Return the threads in a channel or a forum, oldest first."""
        return [
            str(each.id)
            for each in self._model.channels.values()
            if each.is_thread and each.parent_id == int(channel)
        ]

    def typing(self, place: str) -> bool:
        """Return whether "is typing…" shows for the bot (B5)."""
        began = self._model.typing.get(int(place))
        if began is None or self._model.seconds() - began >= TYPING_LASTS:
            return False
        written = [
            versions[0].at
            for message in self._model.messages.get(int(place), {}).values()
            if message.author_id == self._model.bot_user.id
            and (versions := self._model.versions.get(message.id))
        ]
        # A message of the bot ends the typing indicator.
        return all(at < began for at in written)

    def find(self, message: str) -> Message:
        """Return a message, wherever it is. Raises LookupError if it is gone."""
        for messages in self._model.messages.values():
            if int(message) in messages:
                return messages[int(message)]
        raise LookupError(message)

    def seen(self, message: Message) -> Seen:
        """Return `message` as a reader sees it now."""
        author = self._model.users[message.author_id]
        invoker = (message.interaction_metadata or {}).get("user", {})
        return Seen(
            id=str(message.id),
            channel=str(message.channel_id),
            author=author.name,
            bot=author.bot,
            text=_reads(message),
            type=message.type,
            flags=message.flags,
            embeds=tuple(message.embeds),
            components=tuple(message.components),
            files=tuple(each["filename"] for each in message.attachments),
            edited=message.edited_timestamp is not None,
            ephemeral_for=str(invoker.get("id", "")) if message.is_ephemeral else "",
            thinking=bool(message.flags & LOADING),
            reply_to=str((message.reference or {}).get("message_id", "")),
            reactions=tuple(str(each.emoji) for each in message.reactions),
            versions=tuple(self._model.versions.get(message.id, ())),
        )

    def attached(self, channel: str, message: str) -> dict[str, bytes]:
        """Return the files attached to a message, by name."""
        found = self._model.get_message(int(channel), int(message))
        contents = {
            f["filename"]: self._model.cdn.get(f["url"]) for f in found.attachments
        }
        return {name: content or b"" for name, content in contents.items()}

    def _admit(self, user: int, guild: int | None, *, admin: bool = False) -> None:
        if guild is None:
            return
        if user not in self._model.guilds[guild].members:
            self._model.add_member(guild, user)
        if admin:
            self.add_role(
                "admin", str(user), permissions=["administrator"], guild=str(guild)
            )

    def _writable(self, user: int, place: int) -> Channel:
        channel = self._model.get_channel(place)
        self._admit(user, channel.guild_id)
        name = "send_messages_in_threads" if channel.is_thread else "send_messages"
        if channel.type == FORUM or not self._model.may(user, channel, name):
            raise ValueError(f"{user} cannot write in {place}")
        metadata = channel.thread_metadata
        moderates = self._model.may(user, channel, "manage_threads")
        if metadata and metadata.locked and not moderates:
            raise ValueError(f"{place} is locked")
        return channel

    def _change(self, thread: str, **metadata: bool) -> None:
        self._model.edit_channel(int(thread), {}, thread_metadata=metadata)
