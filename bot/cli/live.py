"""`threadkeep check --live`: posts a test message and waits for its event."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from bot.cli.platforms import load_module
from bot.config import Config
from bot.domain.finding import Finding, Grade
from bot.domain.server_address import ServerAddress
from bot.messages import check as messages
from bot.vitals import status_file

# The platforms other than this process, with the subject of their findings.
REMOTE = {"slack": messages.SLACK_EVENTS, "discord": messages.DISCORD_EVENTS}

# The timeout for the running bot to receive a message and report it, and the interval
# between checks, in seconds.
PATIENCE = 20.0
LOOK_AGAIN = 0.1


async def check_live(
    env: Mapping[str, str],
    settings: Config,
    names: Sequence[str],
    places: Sequence[str],
) -> list[Finding]:
    """Post a test message on each remote platform of `names`, and wait for its event.

    The channels are `places` if there are any, else the probes of `settings`.
    """
    parts = (place.partition(":") for place in places)
    chosen = [(name, channel) for name, _, channel in parts] or settings.probes
    found: list[Finding] = []
    for name in names:
        if name not in REMOTE:
            continue
        channels = [channel for platform, channel in chosen if platform == name]
        if not channels:
            text = messages.no_probe_place(platform=name)
            found.append(Finding(REMOTE[name], Grade.BAD, text))
        live = load_module(f"adapters.{name}.live")
        for channel in channels:
            found += await live.check(env, channel, _bot(settings.database, name))
    return found


def _bot(
    database: Path | ServerAddress, platform: str
) -> Callable[[str], Awaitable[bool]] | None:
    """Return a function that waits until the running bot has received a message.

    Return None if no bot with this platform and `database` is running.
    """
    vitals = status_file.read(database) if isinstance(database, Path) else None
    if vitals is None or platform not in {e.platform for e in vitals.connections}:
        return None
    assert isinstance(database, Path)
    return partial(_is_stored, database, platform)


async def _is_stored(database: Path, platform: str, message: str) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        vitals = status_file.read(database)
        if vitals is not None and f"{platform}:{message}" in vitals.echoes:
            return True
        await asyncio.sleep(LOOK_AGAIN)
    return False
