"""Posts messages that are not replies: texts with controls, files, and reactions.

Rule: no message here shows a preview or notifies anyone.
"""

import logging
from functools import partial
from typing import Any

from adapters.slack import blocks, files
from adapters.slack.client import SlackClient, next_cursor
from adapters.slack.display_names import DisplayNames
from bot.domain.message import Message
from bot.domain.post_key import PostKey
from bot.domain.scope import Scope, ScopeLevel
from bot.errors import DeliveryError, ThreadGone, Unfit
from bot.messages.controls import NO_FILE
from bot.ui.elements import Response

log = logging.getLogger(__name__)

#: Metadata that distinguishes such a post from an open stream, which has none yet.
TOLD = "threadkeep_told"

# How many messages are searched for a post of unknown outcome, in pages.
PAGE, MOST_PAGES = 200, 5
# How far our clock and Slack's may differ, in seconds.
SKEW = 5.0

#: Slack's names of emoji.
NAMES = {
    "🔴": "red_circle",
    "🟠": "large_orange_circle",
    "🟡": "large_yellow_circle",
    "⚪": "white_circle",
    "⏳": "hourglass_flowing_sand",
}


async def post(
    client: SlackClient,
    display_names: DisplayNames,
    place: Scope,
    response: Response,
    key: PostKey | None = None,
) -> None:
    """Post `response` in a thread or at the top of a channel, and its file below;
    nothing if it is already there under `key`. Raises DeliveryError."""
    if key is not None and key.again and await _is_posted(client, place, key):
        return
    names = await display_names.find(response.whole)
    drawn = blocks.message(response, place, names, attached=True)
    payload = {} if key is None else {"key": key.name}
    metadata = {"event_type": TOLD, "event_payload": payload}
    post_here = partial(
        client.post_in_thread, place.channel, place.thread, metadata=metadata
    )
    try:
        await client.when_allowed(partial(post_here, **drawn))
    except Unfit as error:
        log.error("slack.unfit_post place=%s %s", place, error)
        for plain in blocks.plain_messages(response, names):
            await client.when_allowed(partial(post_here, **plain))
    if response.file is None:
        return
    try:
        await files.put(client, place, response.file)
    except DeliveryError as error:
        log.warning("slack.no_file %s", error)
        await post(client, display_names, place, Response(NO_FILE, public=True))


async def _is_posted(client: SlackClient, place: Scope, key: PostKey) -> bool:
    """Return whether a message with `key` in its metadata is in the thread or channel
    `place`. Raises DeliveryError."""
    method = "conversations.replies" if place.thread else "conversations.history"
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        try:
            page = await client.call_when_allowed(
                method,
                channel=place.channel,
                ts=place.thread or None,
                oldest=f"{max(0.0, key.since - SKEW):.6f}",
                include_all_metadata="true",
                limit=PAGE,
                cursor=cursor,
            )
        except ThreadGone as error:
            # Without permission to read, a duplicate is better than no post.
            log.warning("slack.cannot_look place=%s %s", place, error)
            return False
        for message in page.get("messages") or ():
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            if metadata.get("event_type") == TOLD and payload.get("key") == key.name:
                return True
        cursor = next_cursor(page)
        if not cursor:
            break
    return False


async def whisper(
    client: SlackClient, place: Scope, user: str, response: Response
) -> None:
    """Show `response` at `place` to `user` only. Raises DeliveryError."""
    where = {"channel": place.channel, "thread_ts": place.thread or None, "user": user}
    method = "chat.postEphemeral"
    try:
        drawn = blocks.message(response, place)
        await client.call_when_allowed(method, **where, **drawn)
    except Unfit as error:
        log.error("slack.unfit_post place=%s %s", place, error)
        for plain in blocks.plain_messages(response):
            await client.call_when_allowed(method, **where, **plain)


async def mark(client: SlackClient, place: Scope, message: str, sign: str) -> None:
    """Add the emoji `sign` to a message. Raises DeliveryError."""
    given: dict[str, Any] = {"channel": place.channel, "timestamp": message}
    try:
        await client.call_when_allowed("reactions.add", name=NAMES[sign], **given)
    except DeliveryError as error:
        # An earlier try added it.
        if "already_reacted" not in str(error):
            raise


async def unmark(client: SlackClient, place: Scope, message: str, sign: str) -> None:
    """Remove the bot's emoji `sign` from a message, if it is there. Raises
    DeliveryError."""
    given: dict[str, Any] = {"channel": place.channel, "timestamp": message}
    try:
        await client.call_when_allowed("reactions.remove", name=NAMES[sign], **given)
    except DeliveryError as error:
        # An earlier try removed it, or it never was there.
        if "no_reaction" not in str(error):
            raise


class SlackMessenger:
    """`bot.ports.platform.Messenger` of one workspace."""

    private = True

    def __init__(self, client: SlackClient, names: DisplayNames) -> None:
        self._client = client
        self._names = names

    async def notice(
        self, message: Message, response: Response, *, in_thread: bool = False
    ) -> None:
        """Show `response` to the author of `message` only. Raises DeliveryError."""
        # In threads, an ephemeral message is only shown "if there is already an active
        # thread" (Slack's reference of chat.postEphemeral).
        place = Scope.of(message.thread)
        if message.opens and not in_thread:
            place = place.at(ScopeLevel.CHANNEL)
        await whisper(self._client, place, message.author, response)

    async def mark(self, place: Scope, message: str, sign: str) -> None:
        """Add the emoji `sign` to `message`. Raises DeliveryError."""
        await mark(self._client, place, message, sign)

    async def unmark(self, place: Scope, message: str, sign: str) -> None:
        """Remove the emoji `sign` from `message`. Raises DeliveryError."""
        await unmark(self._client, place, message, sign)

    async def post(
        self,
        place: Scope,
        response: Response,
        about: str = "",
        key: PostKey | None = None,
    ) -> None:
        """Post `response` for everybody. `about` is not used: on Slack it is already
        the root of the thread. Raises DeliveryError."""
        await post(self._client, self._names, place, response, key)

    async def link(self, place: Scope, message: str) -> str:
        """Return the permalink of `message`. Raises DeliveryError."""
        found = await self._client.call_when_allowed(
            "chat.getPermalink", channel=place.channel, message_ts=message
        )
        return str(found["permalink"])
