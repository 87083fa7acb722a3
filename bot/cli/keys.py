"""`threadkeep keys`: makes keys for encrypting tokens, and encrypts tokens anew."""

import asyncio
import base64
import secrets
import sys
import time
from collections.abc import Mapping

import click

from bot.cli.environment import run
from bot.cli.platforms import SLACK
from bot.cli.sealing import open_sealer
from bot.config import Config, read_environment
from bot.domain.installation import Installation, Tokens
from bot.errors import KeyLost
from bot.messages import command_help
from bot.messages import installations as messages
from bot.ports.installations import InstallationStore, Sealer
from bot.runtime import terminal
from storage.opening import open_shared_store

# The seconds for which a workspace's tokens are locked while they are encrypted anew;
# the pause, in seconds, between attempts while a process renews them; and the number of
# attempts.
HELD, PAUSE, TRIES = 10.0, 1.0, 120


@click.group(help=command_help.KEYS)
def keys() -> None:
    """Group the commands for keys."""


@keys.command("new", help=command_help.KEYS_NEW)
def new_key() -> None:
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    # Only the key goes to standard output, so that it can be piped to a secret store.
    terminal.say(key)
    terminal.say(messages.NEW_KEY, err=True)


@keys.command("rotate", help=command_help.KEYS_ROTATE)
def rotate() -> None:
    sys.exit(run(_rotate(read_environment())))


async def _rotate(env: Mapping[str, str]) -> int:
    config = Config.from_env(env)
    sealer = open_sealer(config.keys)
    done, lost = 0, []
    async with open_shared_store(config.database) as store:
        for each in await store.installations(SLACK):
            try:
                done += await _seal_again(store, sealer, each)
            except KeyLost:
                lost.append(f"{each.name} ({each.place})")
    terminal.say(messages.rotated(count=done))
    for place in lost:
        terminal.complain(messages.key_lost(place=place))
    return 1 if lost else 0


async def _seal_again(
    store: InstallationStore, sealer: Sealer, old: Installation
) -> bool:
    """Encrypt the tokens of an installation with the newest key.

    Return False if the newest key encrypts them already or the installation has ended.
    Raises KeyLost.
    """
    for _ in range(TRIES):
        had, place = old.tokens, old.place
        sealed = [each for each in (had.access, had.refresh) if each]
        if old.ended_at is not None or all(map(sealer.is_current, sealed)):
            return False
        again = [sealer.seal(sealer.open(each, place), place) for each in sealed]
        tokens = Tokens(again[0], again[1] if had.refresh else "", had.expires_at)
        now = time.time()
        # Without the claim, the tokens that another process is renewing now would be
        # overwritten.
        if await store.claim_refresh(place, old.version, now, now + HELD):
            await store.replace_tokens(place, old.version, tokens)
            return True
        await asyncio.sleep(PAUSE)
        found = await store.installations(SLACK, old.version)
        old = next((each for each in found if each.place == place), old)
    raise KeyLost(messages.key_lost(place=str(old.place)))
