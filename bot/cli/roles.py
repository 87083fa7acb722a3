"""`threadkeep gateway` and `threadkeep work`: `serve`, split into two processes."""

import re
import sys
from collections.abc import Mapping, Sequence

import click

from bot.cli.environment import run
from bot.cli.platforms import WEB, configured_platforms
from bot.cli.serve import serve_until_stopped
from bot.config import load_environment
from bot.errors import ConfigError
from bot.messages import cli as messages
from bot.messages import command_help
from bot.ports.wakeups import GATEWAY, WORK

# The number of queues of threads (`storage.engine.worker`). A worker may serve some.
QUEUES = 16
_RANGE = re.compile(r"(\d{1,2})-(\d{1,2})", re.ASCII)


@click.command(help=command_help.GATEWAY)
@click.option("--shards", default="", help=messages.SHARDS_HELP)
def gateway(shards: str) -> None:
    env, env_file = load_environment()
    if shards:
        env = {**env, "DISCORD_SHARDS": shards}
    names = _remote_platforms(env)
    sys.exit(run(serve_until_stopped(env, env_file, names, role=GATEWAY)))


@click.command(help=command_help.WORK)
@click.option("--queues", default="", help=messages.QUEUES_HELP)
def work(queues: str) -> None:
    env, env_file = load_environment()
    some = read_queues(queues)
    names = _remote_platforms(env)
    sys.exit(run(serve_until_stopped(env, env_file, names, role=WORK, queues=some)))


def read_queues(text: str) -> Sequence[int]:
    """Parse a range of queues such as "0-7".

    Return () for "", which means all queues. Raises ConfigError for an invalid range.
    """
    if not text:
        return ()
    found = _RANGE.fullmatch(text)
    first, last = map(int, found.groups()) if found else (1, 0)
    if not first <= last < QUEUES:
        raise ConfigError(messages.no_queues(text=text, last=QUEUES - 1))
    return range(first, last + 1)


def _remote_platforms(env: Mapping[str, str]) -> Sequence[str]:
    """Return the configured platforms except the web.

    Raises ConfigError if there are none.
    """
    names = [name for name in configured_platforms(env) if name != WEB]
    if not names:
        raise ConfigError(messages.NO_REMOTE_PLATFORM)
    return names
