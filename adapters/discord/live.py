"""The Discord part of `threadkeep check --live`: a message of the bot must come back as
an event.

Unlike Slack, Discord sends each event to all sessions of a bot (facts B1), so an
additional session takes no events from the running bot.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import discord

from adapters.discord import ids
from adapters.discord.client import Link, open_link, translated
from adapters.discord.config import DiscordConfig
from adapters.discord.errors import Forbidden
from adapters.discord.probes import DiscordProber
from bot.domain.finding import Finding, Grade
from bot.errors import AccessRevoked, ConfigError, DeliveryError, ThreadGone
from bot.messages import check as messages

#: Waits until the running bot receives the message with the given id; returns False if
#: it does not.
Heard = Callable[[str], Awaitable[bool]]

# How long an event may take, and how long the start of a session, in seconds.
PATIENCE, CONNECTING = 15.0, 30.0


async def check(
    env: Mapping[str, str],
    channel: str,
    bot_hears: Heard | None,
    patience: float = PATIENCE,
) -> list[Finding]:
    """Post a message in `channel` and wait until it comes back as an event: to the
    running bot if `bot_hears` is given, otherwise to a session of this check."""
    config = DiscordConfig.from_env(env)
    try:
        async with open_link(config) as link:
            await _require_channel(link, channel)
            return [await _try_channel(link, channel, bot_hears, patience)]
    except _EndedEarly as end:
        return [end.finding]
    except (ConfigError, DeliveryError) as error:
        return [_bad(messages.not_tested(reason=error))]


class _EndedEarly(Exception):
    """The test ended early, with a finding that says why."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.finding = _bad(text)


async def _try_channel(
    link: Link, channel: str, bot_hears: Heard | None, patience: float
) -> Finding:
    name = f"discord:{channel}"
    if bot_hears is not None:
        began = time.monotonic()
        async with _post_probe(link, channel) as message:
            heard = await bot_hears(message)
        if heard:
            text = messages.came_back_to_bot(seconds=_seconds(began), channel=name)
            return Finding(messages.DISCORD_EVENTS, Grade.GOOD, text)
        return _bad(messages.bot_heard_nothing(platform="Discord"))
    async with _session(link) as arrived:
        began = time.monotonic()
        async with _post_probe(link, channel) as message:
            heard = await _hears(arrived, message, patience)
    if heard:
        text = messages.came_back(seconds=_seconds(began), channel=name)
        return Finding(messages.DISCORD_EVENTS, Grade.GOOD, text)
    return _bad(messages.nothing_back(seconds=int(patience)))


async def _require_channel(link: Link, channel: str) -> None:
    """Raise _EndedEarly if the bot does not see `channel`."""
    try:
        async with translated("look up the channel"):
            await link.client.fetch_channel(ids.parse_id(channel))
    except ThreadGone as error:
        text = messages.channel_hidden(channel=f"discord:{channel}")
        raise _EndedEarly(text) from error


@contextlib.asynccontextmanager
async def _session(link: Link) -> AsyncIterator["asyncio.Queue[str]"]:
    """Open a session; yield a queue of the ids of the bot's own messages that
    arrive."""
    arrived: asyncio.Queue[str] = asyncio.Queue()
    ready = asyncio.Event()

    async def on_message(message: discord.Message) -> None:
        if message.author.id == link.us:
            arrived.put_nowait(str(message.id))

    async def on_ready() -> None:
        ready.set()

    link.client.event(on_message)
    link.client.event(on_ready)
    session = asyncio.ensure_future(link.connect())
    waiting = asyncio.ensure_future(ready.wait())
    try:
        await asyncio.wait(
            {session, waiting},
            timeout=CONNECTING,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if session.done():
            _raise_for(session)
        if not ready.is_set():
            raise _EndedEarly(messages.no_session(reason=f"{CONNECTING:g} s"))
        yield arrived
    finally:
        waiting.cancel()
        await link.close()
        session.cancel()
        # Errors of the session were raised above. An error after the check does not
        # matter.
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await session


def _raise_for(session: "asyncio.Future[None]") -> None:
    """Raise _EndedEarly for a session that ended."""
    try:
        session.result()
    except discord.PrivilegedIntentsRequired as error:
        raise _EndedEarly(messages.INTENT_MISSING) from error
    except AccessRevoked as error:
        raise _EndedEarly(str(error)) from error
    except discord.ConnectionClosed as error:
        raise _EndedEarly(messages.no_session(reason=str(error.code))) from error
    except (discord.DiscordException, OSError) as error:
        reason = type(error).__name__
        raise _EndedEarly(messages.no_session(reason=reason)) from error


@contextlib.asynccontextmanager
async def _post_probe(link: Link, channel: str) -> AsyncIterator[str]:
    """Post a probe, yield its id, and delete it on exit."""
    prober = DiscordProber(link)
    try:
        message = await prober.probe(channel)
    except Forbidden as error:
        text = messages.may_not_post(channel=f"discord:{channel}")
        raise _EndedEarly(text) from error
    except ThreadGone as error:
        text = messages.channel_hidden(channel=f"discord:{channel}")
        raise _EndedEarly(text) from error
    try:
        yield message
    finally:
        # Delete the probe in any case, also after an interruption.
        with contextlib.suppress(DeliveryError, AccessRevoked):
            await prober.remove(channel, message)


async def _hears(arrived: "asyncio.Queue[str]", message: str, patience: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience):
            while await arrived.get() != message:
                pass
            return True
    return False


def _bad(text: str) -> Finding:
    return Finding(messages.DISCORD_EVENTS, Grade.BAD, text)


def _seconds(began: float) -> str:
    return f"{time.monotonic() - began:.1f}"
