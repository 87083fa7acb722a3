"""The Slack part of `threadkeep check --live`: a message of the bot must come back.

The Web API and the socket work without event subscriptions, so a missing subscription
goes unnoticed (facts A4). Only an event that arrives proves that events arrive.

Rule: events about other messages are not acknowledged, so that Slack sends them again,
to the bot itself (facts A4).
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import aiohttp

from adapters.slack import events, live_http
from adapters.slack.check import SCOPES, lacking
from adapters.slack.client import Identity, SlackClient, open_client
from adapters.slack.config import SlackConfig
from adapters.slack.probes import SlackProber
from adapters.slack.signing_in import sign_in
from bot.domain.finding import Finding, Grade
from bot.errors import AccessRevoked, ConfigError, DeliveryError, ThreadGone
from bot.messages import check as messages

#: Waits until the running bot has received the event about the message with this id.
#: Returns False if it did not in time.
Heard = Callable[[str], Awaitable[bool]]

# The time limits for an event and for a connection, in seconds. Slack's events take
# less than one.
PATIENCE, CONNECTING = 15.0, 15.0

# The scope and the subscription that events of a channel need, by type of channel
# (facts A1.2, A12).
_NEEDS = {
    "channel": ("channels:history", "message.channels"),
    "group": ("groups:history", "message.groups"),
    "im": ("im:history", "message.im"),
    "mpim": ("mpim:history", "message.mpim"),
}


async def check(
    env: Mapping[str, str],
    channel: str,
    bot_hears: Heard | None,
    patience: float = PATIENCE,
) -> list[Finding]:
    """Post a message in `channel` and wait until its event arrives.

    `bot_hears` asks the running bot for the event. If it is None, no bot is running,
    and the event is received on a connection of this process or at the request URL.
    """
    config = SlackConfig.from_env(env)
    if config.is_distributed:
        text = messages.NOT_TRIED_IN_MANY
        return [Finding(messages.SLACK_EVENTS, Grade.NOTE, text)]
    async with open_client(config) as client:
        try:
            us = await sign_in(client)
            return [
                await _try_channel(client, config, us, channel, bot_hears, patience)
            ]
        except _EndedEarly as end:
            return [end.finding]
        except (ConfigError, DeliveryError) as error:
            return [_bad(messages.not_tested(reason=error))]


class _EndedEarly(Exception):
    """No event can arrive, for the reason in `finding`."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.finding = _bad(text)


async def _try_channel(
    client: SlackClient,
    config: SlackConfig,
    us: Identity,
    channel: str,
    bot_hears: Heard | None,
    patience: float,
) -> Finding:
    kind = await _kind(client, us, channel)
    history, event = _NEEDS[kind]
    if bot_hears is not None:
        began = time.monotonic()
        async with _post_probe(client, us, channel) as ts:
            heard = await bot_hears(ts)
        if heard:
            text = messages.came_back_to_bot(
                seconds=_seconds(began), channel=f"slack:{channel}"
            )
            return Finding(messages.SLACK_EVENTS, Grade.GOOD, text)
        if us.scopes and history not in us.scopes:
            return _bad(messages.lacks_history(scope=history))
        return _bad(messages.not_subscribed(event=event))
    if not config.app_token:
        return await _try_over_http(client, config, us, channel, event, patience)
    async with _connect(client, config) as (socket, connections):
        began = time.monotonic()
        async with _post_probe(client, us, channel) as ts:
            heard = await _hears(socket, us, ts, patience)
    if heard:
        text = messages.came_back(seconds=_seconds(began), channel=f"slack:{channel}")
        return Finding(messages.SLACK_EVENTS, Grade.GOOD, text)
    if us.scopes and history not in us.scopes:
        return _bad(messages.lacks_history(scope=history))
    if connections > 1:
        text = messages.others_connected(count=connections)
        return Finding(messages.SLACK_EVENTS, Grade.NOTE, text)
    return _bad(messages.not_subscribed(event=event))


async def _try_over_http(
    client: SlackClient,
    config: SlackConfig,
    us: Identity,
    channel: str,
    event: str,
    patience: float,
) -> Finding:
    async with live_http.open_recorder(client, config, us) as recorder:
        began = time.monotonic()
        async with _post_probe(client, us, channel) as ts:
            heard = await recorder.hears(ts, patience)
    if heard:
        text = messages.came_back(seconds=_seconds(began), channel=f"slack:{channel}")
        return Finding(messages.SLACK_EVENTS, Grade.GOOD, text)
    if recorder.is_reached:
        return _bad(messages.not_subscribed(event=event))
    return _bad(messages.not_reached(address=config.http, event=event))


async def _kind(client: SlackClient, us: Identity, channel: str) -> str:
    """Return the type of `channel`. Raises _EndedEarly if the bot cannot read there."""
    if missing := lacking(us):
        raise _EndedEarly(messages.lacks_scope(scopes=", ".join(missing)))
    needed = set[str]()
    client.on_missing_scope = needed.update
    try:
        answer = await client.call("conversations.info", channel=channel)
    except ThreadGone as error:
        if wanted := ", ".join(sorted(SCOPES & needed)):
            raise _EndedEarly(messages.lacks_scope(scopes=wanted)) from error
        raise _EndedEarly(
            messages.channel_unknown(channel=f"slack:{channel}")
        ) from error
    found: Mapping[str, Any] = answer.get("channel") or {}
    if found.get("is_im"):
        return "im"
    if not found.get("is_member"):
        raise _EndedEarly(
            messages.not_a_member(channel=f"slack:{channel}", name=us.user_name)
        )
    if found.get("is_mpim"):
        return "mpim"
    return "group" if found.get("is_private") else "channel"


@contextlib.asynccontextmanager
async def _post_probe(
    client: SlackClient, us: Identity, channel: str
) -> AsyncIterator[str]:
    """Post a probe and yield its ts. Delete the probe on exit."""
    prober = SlackProber(client)
    try:
        ts = await prober.probe(channel)
    except ThreadGone as error:
        if "not_in_channel" in str(error):
            text = messages.not_a_member(channel=f"slack:{channel}", name=us.user_name)
            raise _EndedEarly(text) from error
        raise
    try:
        yield ts
    finally:
        # Delete the probe whatever the result, and also after an interruption.
        with contextlib.suppress(DeliveryError, AccessRevoked):
            await prober.remove(channel, ts)


@contextlib.asynccontextmanager
async def _connect(
    client: SlackClient, config: SlackConfig
) -> AsyncIterator[tuple[aiohttp.ClientWebSocketResponse, int]]:
    """Yield a connection on which Slack has sent its hello, and the number of
    connections that the app has now."""
    address = await client.open_socket(config.app_token)
    session = client.web.session
    assert session is not None
    try:
        async with asyncio.timeout(CONNECTING):
            socket = await session.ws_connect(address)
            hello = await socket.receive_json()
    except (TimeoutError, aiohttp.ClientError, TypeError, ValueError) as error:
        reason = type(error).__name__
        raise _EndedEarly(messages.no_session(reason=reason)) from error
    try:
        yield socket, int(hello.get("num_connections") or 1)
    finally:
        await socket.close()


async def _hears(
    socket: aiohttp.ClientWebSocketResponse, us: Identity, ts: str, patience: float
) -> bool:
    """Return whether an event about the message `ts` arrives in time."""
    with contextlib.suppress(TimeoutError, TypeError, ValueError):
        async with asyncio.timeout(patience):
            while True:
                frame = await socket.receive_json()
                if events.probe(frame.get("payload") or {}, us) == ts:
                    return True
    return False


def _bad(text: str) -> Finding:
    return Finding(messages.SLACK_EVENTS, Grade.BAD, text)


def _seconds(began: float) -> str:
    return f"{time.monotonic() - began:.1f}"
