"""The methods that read: auth.test, conversations.* and users.info.

Rule: a private channel without the bot does not exist for it (`channel_not_found`).
Only members read the messages of a public one (`not_in_channel`) (A5.2, A5.3).
"""

from collections.abc import Callable, Mapping

from tests.emulators.slack import scopes
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.calls import Call, Refused
from tests.emulators.slack.people import Channel
from tests.emulators.slack.world import Message, World

#: A5.2: the largest page.
MOST_PAGE = 1_000


class Reads:
    """The methods with which the app reads."""

    def __init__(
        self,
        world: World,
        *,
        granted: set[str],
        replies_cap: int | None,
        repeats_root: bool,
    ) -> None:
        self._world = world
        self._granted = granted
        self._cap = replies_cap
        # Reports differ on whether later pages of a thread repeat its root, so a client
        # must handle both.
        self._repeats_root = repeats_root
        self.name = "Emulated"

    def methods(self) -> Mapping[str, Callable[[Call], Json]]:
        """Return the methods by name."""
        return {
            "auth.test": self._whoami,
            "conversations.replies": self._replies,
            "conversations.history": self._history,
            "conversations.info": self._info,
            "conversations.members": self._members,
            "conversations.open": self._open,
            "chat.getPermalink": self._link,
            "users.info": self._user,
        }

    def _whoami(self, call: Call) -> Json:
        org = self._world.enterprise if self._world.is_org_wide else ""
        return {
            "ok": True,
            "url": "https://emulated.slack.com/",
            "team": self.name,
            "user": self._world.bot.name,
            # A14: the organisation's id if the app is installed on it.
            "team_id": org or self._world.team,
            "user_id": self._world.bot.id,
            "bot_id": self._world.bot.bot,
            "is_enterprise_install": bool(org),
        }

    def _replies(self, call: Call) -> Json:
        channel = self._readable(call)
        named = self._world.messages[channel.id].get(call.text("ts"))
        if named is None:
            raise Refused("thread_not_found")
        # A5.2: any message of the thread identifies it. The first message returned is
        # the root, wherever the window begins.
        root, *replies = self._world.thread(channel.id, named.root)
        cursor = call.text("cursor")
        wanted = [reply for reply in replies if _within(call, reply)]
        first = [root] if self._repeats_root or not cursor else []
        return self._page(call, first, wanted)

    def _history(self, call: Call) -> Json:
        channel = self._readable(call)
        roots = [
            message
            for message in reversed(self._world.messages[channel.id].values())
            if (not message.thread_ts or message.broadcast) and _within(call, message)
        ]
        return self._page(call, [], roots)

    def _page(self, call: Call, first: list[Message], rest: list[Message]) -> Json:
        """Return a page with `first` and the part of `rest` that fits, from the cursor
        on."""
        # A page with the root alone would make no progress.
        room = max(1, self._limit(call) - len(first))
        start = _position(call.text("cursor"))
        page, more = rest[start : start + room], len(rest) > start + room
        metadata = call.flag("include_all_metadata")
        return {
            "ok": True,
            "messages": [
                self._world.json(message, metadata=metadata)
                for message in [*first, *page]
            ],
            "has_more": more,
            "response_metadata": {
                "next_cursor": f"next:{start + room}" if more else ""
            },
        }

    def _link(self, call: Call) -> Json:
        channel = self._known(call)
        ts = call.text("message_ts")
        if ts not in self._world.messages[channel.id]:
            raise Refused("message_not_found")
        address = f"https://emulated.slack.com/archives/{channel.id}/p"
        link = address + ts.replace(".", "")
        return {"ok": True, "channel": channel.id, "permalink": link}

    def _limit(self, call: Call) -> int:
        limit = call.number("limit", self._cap or MOST_PAGE)
        if not 1 <= limit <= MOST_PAGE:
            raise Refused("invalid_limit")
        return min(limit, self._cap or MOST_PAGE)

    def _info(self, call: Call) -> Json:
        channel = self._known(call)
        self._need(scopes.READ[channel.kind])
        shape = channel.json(self._world.bot.id)
        if "is_ext_shared" in shape:
            shared = self._world.shared(channel.id)
            shape |= {"is_shared": shared, "is_ext_shared": shared}
        return {"ok": True, "channel": shape}

    def _members(self, call: Call) -> Json:
        """Return the members of a channel, in pages (A5.1)."""
        channel = self._known(call)
        self._need(scopes.READ[channel.kind])
        limit = call.number("limit", 100)
        if not 1 <= limit <= MOST_PAGE:
            raise Refused("invalid_limit")
        everybody = sorted(channel.members)
        start = _position(call.text("cursor"))
        end = start + limit
        following = f"next:{end}" if len(everybody) > end else ""
        return {
            "ok": True,
            "members": everybody[start:end],
            "response_metadata": {"next_cursor": following},
        }

    def _open(self, call: Call) -> Json:
        names = call.text("users").split(",")
        if len(names) > 1:
            self._need("mpim:write")
        user = self._world.users.get(names[0])
        if user is None or user.id == self._world.bot.id:
            raise Refused("user_not_found" if names[0] else "users_list_not_supplied")
        if user.deleted:
            raise Refused("user_disabled")
        return {"ok": True, "channel": {"id": self._world.direct(user.id).id}}

    def _user(self, call: Call) -> Json:
        user = self._world.users.get(call.text("user"))
        if user is None or user.unknown:
            raise Refused("user_not_found")
        return {"ok": True, "user": user.json(self._world.team)}

    def _known(self, call: Call) -> Channel:
        channel = self._world.channels.get(call.text("channel"))
        if channel is None or (channel.private and not self._joined(channel)):
            raise Refused("channel_not_found")
        return channel

    def _readable(self, call: Call) -> Channel:
        channel = self._known(call)
        self._need(scopes.HISTORY[channel.kind])
        if not self._joined(channel):
            raise Refused("not_in_channel")
        return channel

    def _joined(self, channel: Channel) -> bool:
        return self._world.bot.id in channel.members

    def _need(self, scope: str) -> None:
        if scope not in self._granted:
            provided = ",".join(sorted(self._granted))
            raise Refused("missing_scope", needed=scope, provided=provided)


def _within(call: Call, message: Message) -> bool:
    """Return whether `message` lies between `oldest` and `latest`."""
    ts = float(message.ts)
    oldest, latest = _moment(call, "oldest", "0"), _moment(call, "latest", "inf")
    return oldest < ts < latest or (call.flag("inclusive") and ts in (oldest, latest))


def _moment(call: Call, name: str, default: str) -> float:
    try:
        return float(call.text(name) or default)
    except ValueError:
        raise Refused(f"invalid_ts_{name}") from None


def _position(cursor: str) -> int:
    if not cursor:
        return 0
    name, _, position = cursor.partition(":")
    if name != "next" or not position.isdecimal():
        raise Refused("invalid_cursor")
    return int(position)
