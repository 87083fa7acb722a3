"""Takes in the payloads that Slack sends over sockets or over HTTP.

Rule: persist, then acknowledge. Bolt acknowledges an event before its listener runs, so
events are handled in a middleware that runs before everything else. An event whose
handling raises there is not acknowledged, and Slack sends it again (platform facts A2,
A4). For the same reason, events over a limit are refused there at once.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from adapters.slack import events, mentions, organisations, placing, shapes
from adapters.slack.client import Identity, SlackClient
from adapters.slack.config import PLATFORM
from adapters.slack.early_edits import EarlyEdits
from adapters.slack.interactions import Interactions
from adapters.slack.mention_pairs import MentionPairs
from adapters.slack.refusal_log import RefusalLog
from adapters.slack.routed import Workspaces
from adapters.slack.workspace import Workspace
from bot.domain.message import Message
from bot.domain.scope import Scope
from bot.errors import StorageError
from bot.ports.host import Host
from bot.runtime.allowance import Allowance
from bot.runtime.background import Background, report
from bot.runtime.offload import offload
from bot.text.numbers import number

log = logging.getLogger(__name__)

# The most events that are handled at once. The SDK starts a task for each (platform
# facts A4), and one may have 40,000 characters. Further events are not acknowledged.
MOST_EVENTS = 2_000

# Seconds, by Slack's clock, within which a question is usually stored. If storing takes
# longer, replies below the question may have arrived, and been ignored, before it.
LATE = 3.0


class _TooManyEvents(Exception):
    """Too many events are being handled; Slack must send this one again."""


class Intake:
    """Passes Slack's payloads to the core, and acknowledges those that are durable."""

    def __init__(
        self,
        host: Host,
        workspaces: Workspaces,
        background: Background,
        absent: Callable[[float], None],
        limited: Callable[[str, float], None],
        late: Callable[[Workspace, Message], None],
    ) -> None:
        self._host = host
        self._workspaces = workspaces
        self._background = background
        self._pairs = MentionPairs()
        self._edits = EarlyEdits()
        #: Tasks of commands that may outlast their acknowledgement.
        self._going_on: set[asyncio.Task[None]] = set()
        self._under_way = Allowance(MOST_EVENTS)
        #: The number of events in a row that could not be stored, and the time of the
        #: first, in seconds since 1970.
        self._unkept = 0
        self._unkept_since = 0.0
        self._impossible = RefusalLog(log, "slack.impossible_payload")
        #: The time at which the last payload arrived, in seconds since 1970.
        self._heard = time.time()
        #: Called with the time since when events may have been lost.
        self._absent = absent
        #: Called with the start of a minute whose events Slack leaves out.
        self._limited = limited
        #: Called with a message that begins a thread and was stored late.
        self._late = late

    def app(self, client: SlackClient) -> AsyncApp:
        """Return the Bolt app that passes verified HTTP requests to this intake."""
        # Without a name, Bolt searches the source of every loaded module for one, which
        # takes half a second at every start.
        app = AsyncApp(
            name="threadkeep",
            client=client.web,
            before_authorize=self.spool,
            authorize=_authorize,
            # Bolt's own loggers would inherit the root's level, and they log messages
            # at DEBUG.
            logger=logging.getLogger("slack_bolt"),
        )
        app.error(self.not_acknowledged)
        return app

    async def spool(
        self, body: dict[str, Any], request: AsyncBoltRequest
    ) -> BoltResponse:
        """Take in `body` and return the response that acknowledges it. Raises if the
        payload is not durable."""
        # The number of the retry (facts A2).
        repeat = number(request.headers.get("x-slack-retry-num", ["0"])[0]) or 0
        return await self._spool(body, repeat)

    async def take(self, body: dict[str, Any], repeat: int) -> BoltResponse:
        """Take in `body` from a socket, and return the response: one that acknowledges
        the payload if it is durable, else one that refuses it. `repeat` is the number
        of Slack's retry, 0 for the first attempt."""
        if wrong := shapes.fault(body):
            self._impossible.note(f"field={wrong}")
            return BoltResponse(status=400)
        try:
            return await self._spool(body, repeat)
        except Exception as error:
            # After any error, Slack has to send the body again.
            return await self.not_acknowledged(error)

    async def _spool(self, body: dict[str, Any], repeat: int) -> BoltResponse:
        self._look_for_a_gap(repeat)
        # Tasks that outlast their acknowledgement are limited in number, too.
        if len(self._going_on) >= MOST_EVENTS:
            self._under_way.refused += 1
            raise _TooManyEvents
        if not self._under_way.take():
            raise _TooManyEvents
        try:
            response = await self._take(body, is_repeat=repeat > 0)
        finally:
            if refused := self._under_way.give():
                log.info("slack.events_taken_again refused=%d", refused)
        if self._unkept:
            log.info("slack.acknowledging_again refused=%d", self._unkept)
            self._unkept = 0
            self._absent(self._unkept_since)
        return response

    def _look_for_a_gap(self, repeat: int) -> None:
        """Report a gap if Slack has retried this event more than once: events before it
        may have been lost since the last one that arrived."""
        heard, self._heard = self._heard, time.time()
        # The second retry comes after a minute (facts A2).
        if repeat >= 2:
            self._absent(heard)

    async def not_acknowledged(self, error: Exception) -> BoltResponse:
        """Return the response that makes Slack retry a payload that failed with
        `error`."""
        if isinstance(error, _TooManyEvents):
            if self._under_way.refused == 1:
                log.error("slack.events_refused under_way=%d", self._under_way.used)
            return BoltResponse(status=503)
        if not isinstance(error, StorageError):
            report("take in an event", error)
            return BoltResponse(status=500)
        # Logged once, since every event fails in the same way while a disk is full.
        self._unkept += 1
        if self._unkept == 1:
            self._unkept_since = time.time()
            log.error("slack.not_acknowledged %s", error)
        return BoltResponse(status=503)

    async def _take(self, body: dict[str, Any], *, is_repeat: bool) -> BoltResponse:
        if body.get("type") == "app_rate_limited":
            # More than 30,000 events an hour (facts A2).
            log.warning("slack.events_limited Slack leaves out events of this minute.")
            since = events.limited_since(body, time.time())
            self._limited(placing.team(body), since)
        there = await self._workspaces.find(body)
        if there is None:
            # Acknowledged, too, since Slack would retry it.
            return BoltResponse(status=200, body="")
        self._host.health.heard(PLATFORM, events.probe(body, there.us))
        interactions = Interactions(there, self._host, self._background, self._going_on)
        if (answer := await interactions.take(body)) is not None:
            return BoltResponse(status=200, body=answer or "")
        if events.is_ours(body, there.us):
            await self._take_event(there, body, is_repeat)
        # Other events are acknowledged, too, since Slack would retry them.
        return BoltResponse(status=200, body="")

    async def _take_event(
        self, there: Workspace, body: dict[str, Any], is_repeat: bool
    ) -> None:
        inbox, us = self._host.inbox, there.us
        if events.is_own_edit(body, us):
            return
        # The inbox knows the new id of a channel when it stores a new message.
        late = math.inf if is_repeat else time.time() - LATE
        if events.may_have_old_id(body, late):
            body = await self._under_new_id(body, us)
        event = body.get("event") or {}
        added = mentions.is_added(event, us)
        message = await _convert(events.read, body, us)
        edited = await _convert(events.edited_message, body, us) if added else None
        if new := message or edited:
            # The other event of this mention may have files or a forward, without which
            # the message may not be a question.
            if await self._pairs.is_known(event, new) and not added:
                return
            there.names.introduce({new.author: new.name})
            there.streams.introduce(new.author, organisations.team(event))
            if added:
                await self._amend(event, new, newly_addressed=True)
            else:
                await inbox.receive(self._edits.newest(new))
            is_late = is_repeat or time.time() - new.at > LATE
            if is_late and new.addressed and new.thread.thread == new.message:
                self._late(there, new)
            self._pairs.handled(event, new)
        elif previewed := await _convert(events.previewed_message, body, us):
            newest = self._edits.note(previewed, events.edited_at(event))
            await inbox.supplement(newest)
        elif edited := await _convert(events.edited_message, body, us):
            await self._amend(event, edited)
        elif gone := events.deleted_message(body):
            channel, ts = gone
            self._edits.drop(us.team, channel, ts)
            await inbox.erase(PLATFORM, us.team, [ts], channel)
        elif deleted := events.deleted_channel(body):
            await inbox.forget(Scope(PLATFORM, us.team, deleted))
        elif moved := events.moved_channel(body):
            old_id, new_id = moved
            await inbox.move(Scope(PLATFORM, us.team, old_id), new_id)

    async def _amend(
        self,
        event: Mapping[str, Any],
        edited: Message,
        *,
        newly_addressed: bool = False,
    ) -> None:
        at = events.edited_at(event)
        newest = self._edits.note(edited, at)
        await self._host.inbox.amend(newest, newly_addressed=newly_addressed)
        # While names were looked up for this edit, a later one may have been stored.
        while later := self._edits.after(edited, at):
            at, newest = later
            await self._host.inbox.amend(newest)

    async def _under_new_id(self, body: dict[str, Any], us: Identity) -> dict[str, Any]:
        """Return `body`, which is about a message, with the id that its channel has
        now."""
        event = body["event"]
        channel = Scope(PLATFORM, us.team, str(event.get("channel") or ""))
        current = await self._host.inbox.current_channel(channel)
        return {**body, "event": {**event, "channel": current}}


async def _authorize() -> AuthorizeResult:
    """Satisfy Bolt, which requires a token look-up for its middleware. Never called."""
    raise AssertionError("Bolt asks for the token of a listener, and there is none")


async def _convert(
    convert: Callable[[Mapping[str, Any], Identity], Message | None],
    body: Mapping[str, Any],
    us: Identity,
) -> Message | None:
    # Reading long attachments takes milliseconds. `repr` is a much faster way to get
    # their size.
    return await offload(partial(convert, body, us), len(repr(body)))
