"""`threadkeep token`: create, list, revoke."""

import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click
from rich.table import Table

from bot.cli import output
from bot.cli.environment import run
from bot.config import Config, read_environment
from bot.domain.api_token import (
    MOST_RATE,
    RATE,
    ApiToken,
    NewToken,
    TokenScope,
    digest,
    is_name,
)
from bot.errors import ConfigError
from bot.messages import api_tokens as messages
from bot.messages import cli, command_help
from bot.runtime import terminal
from bot.ui import formatting, time_range
from storage.beside import read_tokens
from storage.opening import open_or_share, open_shared_store

#: The default lifetime of a token.
EXPIRES = "90d"


@click.group(help=command_help.TOKEN)
def token() -> None:
    """Group the commands for tokens of the API."""


@token.command("create", help=command_help.TOKEN_CREATE)
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice([scope.value for scope in TokenScope]),
    multiple=True,
    default=(TokenScope.CHAT.value,),
    show_default=True,
    help=messages.SCOPE_HELP,
)
@click.option(
    "--expires", default=EXPIRES, show_default=True, help=messages.EXPIRES_HELP
)
@click.option(
    "--rate",
    type=click.IntRange(1, MOST_RATE),
    default=RATE,
    show_default=True,
    help=messages.RATE_HELP,
)
def create_token(name: str, scopes: tuple[str, ...], expires: str, rate: int) -> None:
    sys.exit(run(_create(read_environment(), name, scopes, expires, rate)))


@token.command("list", help=command_help.TOKEN_LIST)
@click.option("--json", "as_json", is_flag=True, help=cli.JSON_HELP)
def list_tokens(as_json: bool) -> None:
    sys.exit(run(_list(read_environment(), as_json)))


@token.command("revoke", help=command_help.TOKEN_REVOKE)
@click.argument("which")
def revoke_token(which: str) -> None:
    sys.exit(run(_revoke(read_environment(), which)))


async def _create(
    env: Mapping[str, str],
    name: str,
    scopes: tuple[str, ...],
    expires: str,
    rate: int,
) -> int:
    if not is_name(name):
        raise ConfigError(messages.NAME_RULE)
    now = time.time()
    new = NewToken.random()
    made = ApiToken(
        id=new.id,
        name=name,
        scopes=frozenset(map(TokenScope, scopes)),
        created=now,
        expires=expiry(expires, now),
        rate=rate,
    )
    async with open_or_share(Config.from_env(env).database) as store:
        await store.add_token(made, digest(new.text))
    # Only the token goes to standard output, so that it can be piped to a secret store.
    terminal.say(new.text)
    terminal.say(messages.created(name=name, id=new.id), err=True)
    return 0


async def _list(env: Mapping[str, str], as_json: bool) -> int:
    found = await read_tokens(Config.from_env(env).database)
    now = time.time()
    table = Table(box=None, pad_edge=False)
    for column in (
        *(messages.ID, messages.NAME, messages.SCOPES, messages.RATE),
        *(messages.STATE, messages.EXPIRES, messages.USED, messages.CREATED),
    ):
        table.add_column(column, overflow="fold")
    for each in found:
        table.add_row(
            *(each.id, each.name, _scopes(each), messages.rate(count=each.rate)),
            *(_state(each, now), _time(each.expires), _time(each.used)),
            _time(each.created),
        )
    output.either(
        [_values(each, now) for each in found],
        table,
        messages.NO_TOKENS,
        form=output.JSON if as_json else output.TABLE,
    )
    return 0


async def _revoke(env: Mapping[str, str], which: str) -> int:
    async with open_shared_store(Config.from_env(env).database) as store:
        revoked = await store.revoke_tokens(which, time.time())
    if not revoked:
        raise ConfigError(messages.nothing_to_revoke(which=terminal.one_line(which)))
    terminal.say(messages.revoked(count=len(revoked)))
    return 0


def expiry(text: str, now: float) -> float | None:
    """Return the time that `--expires` names; None for never.

    Raises ConfigError if the time is invalid or not after `now`.
    """
    word = text.strip().lower()
    if word == messages.NEVER:
        return None
    try:
        at = time_range.end(word, now)
    except ValueError:
        raise ConfigError(messages.EXPIRES_RULE) from None
    if at <= now:
        raise ConfigError(messages.EXPIRES_RULE)
    return at


def _values(each: ApiToken, now: float) -> dict[str, Any]:
    return {
        "id": each.id,
        "name": each.name,
        "scopes": _scopes(each).split(),
        "rate": each.rate,
        "state": _state(each, now),
        **{
            name: None if at is None else datetime.fromtimestamp(at, UTC).isoformat()
            for name, at in (
                *(("created", each.created), ("expires", each.expires)),
                *(("revoked", each.revoked), ("used", each.used)),
            )
        },
    }


def _scopes(each: ApiToken) -> str:
    return " ".join(sorted(scope.value for scope in each.scopes))


def _state(each: ApiToken, now: float) -> str:
    if each.revoked is not None:
        return messages.REVOKED
    return messages.VALID if each.is_valid(now) else messages.EXPIRED


def _time(at: float | None) -> str:
    return messages.NEVER if at is None else formatting.timestamp(at)
