"""The events that the Events API sends to the app on changes in the workspace (A1).

Rule: the app receives events of channels that its bot is in, including its own messages
and edits (A1.3), as far as its scopes allow (A12). Each event has its own id, and so do
the two events of one mention (A1.2).
"""

import contextlib
import hashlib
import random
from collections.abc import Callable, Iterator
from typing import Any

from tests.emulators.slack import scopes
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.people import Channel
from tests.emulators.slack.world import Change, Deleted, Message, Posted, World

#: Fields that an `app_mention` may lack (A1.1).
BESIDE = {"files", "attachments", "subtype"}
#: The subscriptions to messages, by kind of channel (A1.2), and to mentions.
BY_KIND = {
    "channel": "message.channels",
    "group": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}
SUBSCRIPTIONS = frozenset({"app_mention", *BY_KIND.values()})
#: The order of the two events of a mention; Slack promises none (A1.2).
PAIRS = ("message_first", "mention_first", "random")


class Feed:
    """Turns changes into events and hands them to `deliver`."""

    def __init__(
        self,
        world: World,
        *,
        granted: set[str],
        pair: str,
        chance: random.Random,
        deliver: Callable[[Json], object],
    ) -> None:
        assert pair in PAIRS, pair
        self.pair = pair
        #: Whether an `app_mention` has only the text, and the ids of files in its rich
        #: text. The `message` event then has the rest (A1.1).
        self.bare_mentions = False
        #: The bot events that the app subscribes to. Without a subscription, its events
        #: never arrive and everything else works (A4).
        self.subscribed = set(SUBSCRIPTIONS)
        self._world = world
        self._granted = granted
        self._chance = chance
        self._deliver = deliver

    def tell(self, change: Change) -> None:
        """Send the events that Slack would send about `change`."""
        channel = self._world.channels[change.message.channel]
        if self._world.bot.id not in channel.members:
            return
        events = list(self._events(change, channel))
        if len(events) > 1 and self._swapped():
            events.reverse()
        for event in events:
            self.send(event)

    @contextlib.contextmanager
    def backwards(self) -> Iterator[None]:
        """Deliver the events of the block in reverse order: A1.2 promises no order."""
        held: list[Json] = []
        deliver, self._deliver = self._deliver, held.append
        try:
            yield
        finally:
            self._deliver = deliver
            for payload in reversed(held):
                deliver(payload)

    def send(self, event: Json, *, team: str = "", **outer: Any) -> None:
        """Send an inner event in its envelope (A1). It belongs to our workspace, or to
        another `team` that has the app. `outer` is added to the envelope."""
        world = self._world
        team = team or world.team
        channel = str(event.get("channel", ""))
        authorization = {
            "enterprise_id": world.enterprise or None,
            "team_id": team,
            "user_id": world.bot.id,
            "is_bot": True,
            "is_enterprise_install": world.is_org_wide,
        }
        self._deliver(
            {
                "token": "verification",
                "team_id": team,
                "context_team_id": team,
                "context_enterprise_id": world.enterprise or None,
                **({"enterprise_id": world.enterprise} if world.enterprise else {}),
                "api_app_id": world.app,
                "type": "event_callback",
                "event_id": world.number("Ev"),
                "event_time": int(float(event["event_ts"])),
                "event_context": f"4-{hashlib.sha1(world.team.encode()).hexdigest()}",
                "authorizations": [authorization],
                "is_ext_shared_channel": channel in world.channels
                and world.shared(channel),
                "event": event,
                **outer,
            }
        )

    def _swapped(self) -> bool:
        if self.pair == "random":
            return self._chance.random() < 0.5
        return self.pair == "mention_first"

    def _events(self, change: Change, channel: Channel) -> Iterator[Json]:
        message = change.message
        hears = scopes.HISTORY[channel.kind] in self._granted
        if hears and BY_KIND[channel.kind] in self.subscribed:
            yield self._message(change, channel)
        if isinstance(change, Posted) and self._mentions(message, channel):
            # A1.1: no channel_type.
            shape = self._world.json(message)
            if self.bare_mentions:
                named = [{"type": "file", "file_id": f["id"]} for f in message.files]
                section = {"type": "rich_text_section", "elements": named}
                shape = {name: shape[name] for name in shape.keys() - BESIDE}
                if named:
                    block = {"type": "rich_text", "elements": [section]}
                    shape["blocks"] = [*(message.blocks or ()), block]
            yield {
                **shape,
                "type": "app_mention",
                "channel": channel.id,
                "event_ts": message.ts,
            }

    def _mentions(self, message: Message, channel: Channel) -> bool:
        """Return whether a message gives an `app_mention`: not in direct messages, and
        not from the bot itself (A1.1)."""
        return (
            "app_mentions:read" in self._granted
            and "app_mention" in self.subscribed
            and channel.kind != "im"
            and message.user != self._world.bot.id
            and f"<@{self._world.bot.id}>" in message.text
        )

    def _message(self, change: Change, channel: Channel) -> Json:
        message = change.message
        place = {"channel": channel.id, "channel_type": channel.kind}
        if isinstance(change, Posted):
            shape = self._world.json(message) | place | {"event_ts": message.ts}
            if message.broadcast and message.thread_ts:
                root = self._world.messages[channel.id][message.thread_ts]
                shape["root"] = self._world.json(root)
            if message.files:
                shape["upload"] = False
            return shape
        ts = self._world.next_ts()
        happened = {"type": "message", "hidden": True, "ts": ts, "event_ts": ts}
        if isinstance(change, Deleted):
            return {
                **happened,
                **place,
                "subtype": "message_deleted",
                "deleted_ts": message.ts,
                "previous_message": change.before,
            }
        return {
            **happened,
            **place,
            "subtype": "message_changed",
            "message": self._world.json(message),
            "previous_message": change.before,
        }
