"""`threadkeep mcp`: checks the tools that MCP servers list, and pins them.

`threadkeep check` reports the same findings.
"""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import click

from bot.claude import mcp_listing
from bot.claude.mcp_listing import Learnt
from bot.cli.environment import run
from bot.cli.platforms import load_module
from bot.cli.print_findings import print_findings
from bot.config import Config, read_environment
from bot.domain.budget import BudgetLimits
from bot.domain.finding import Finding, Grade
from bot.domain.mcp import Listing, McpServer
from bot.errors import ConfigError
from bot.mcp_listings import ask_charged
from bot.messages import check as check_messages
from bot.messages import command_help
from bot.messages import mcp as messages
from bot.settings.mcp_file import token_variable
from storage.mcp_reading import read_listings
from storage.opening import open_shared_store

# The timeout, in seconds, for all servers together; the requests run concurrently.
TIMEOUT = 15.0


@click.command(help=command_help.MCP)
@click.option("--accept", metavar=messages.ACCEPTED, help=messages.ACCEPT_HELP)
def mcp(accept: str | None) -> None:
    sys.exit(run(_mcp(read_environment(), accept)))


async def _mcp(env: Mapping[str, str], accept: str | None) -> int:
    settings = Config.from_env(env)
    if not settings.mcp.servers:
        raise ConfigError(messages.NO_FILE)
    if settings.api_key is None:
        raise ConfigError(messages.NO_KEY)
    if accept is not None:
        await _accept(settings, accept)
    print_findings(await check_servers(settings, offline=False))
    return 0


async def _accept(settings: Config, name: str) -> None:
    """Pin the tools that the server `name` lists now. Raises ConfigError."""
    server = next((e for e in settings.mcp.servers if e.name == name), None)
    if server is None:
        names = ", ".join(each.name for each in settings.mcp.servers)
        raise ConfigError(messages.unknown_server(names=names))
    connect = load_module("bot.claude.client").connect
    availability = load_module("bot.claude.model_list").availability
    address = settings.api_key, settings.base_url, settings.mcp.tokens
    async with (
        connect(*address) as model,
        open_shared_store(settings.database) as store,
    ):
        limits = BudgetLimits(settings.totals)
        survey = await availability(model)
        asked = mcp_listing.model_for(survey, settings.fixed_model)
        learnt = await ask_charged(store, model, server, asked, limits)
        if learnt.listing is None:
            why = messages.not_listed(server=name, why=learnt.problem)
            raise ConfigError(why)
        await store.pin_listing(learnt.listing)


async def check_servers(settings: Config, *, offline: bool) -> list[Finding]:
    """Check each server of the operator's file.

    Unless `offline`, the API requests the tools from each server. Nothing is stored.
    """
    servers = settings.mcp.servers
    if not servers:
        return []
    tokens = settings.mcp.tokens
    pinned = await read_listings(settings.database)
    if offline or settings.api_key is None:
        return [_check_pins(each, tokens, pinned) for each in servers]
    connect = load_module("bot.claude.client").connect
    availability = load_module("bot.claude.model_list").availability
    now = time.time()
    try:
        async with connect(settings.api_key, settings.base_url, tokens) as model:
            survey = await availability(model)
            name = mcp_listing.model_for(survey, settings.fixed_model)
            asked = await asyncio.gather(
                *(mcp_listing.ask(model, each, name, now, TIMEOUT) for each in servers)
            )
    except ConfigError:
        # Errors about the key are reported by another finding.
        return [_check_pins(each, tokens, pinned) for each in servers]
    return [
        _finding(server, learnt, pinned)
        for server, learnt in zip(servers, asked, strict=True)
    ]


def _check_pins(
    server: McpServer, tokens: Mapping[str, str], pinned: Sequence[Listing]
) -> Finding:
    variable = "" if server.name in tokens else token_variable(server.name)
    parts = [
        messages.check_tools(count=len(server.tools)),
        messages.without_token(variable=variable) if variable else messages.TOKEN_SET,
        _pin(mcp_listing.last(pinned, server)),
    ]
    return _of(server, Grade.GOOD, parts)


def _finding(server: McpServer, learnt: Learnt, pinned: Sequence[Listing]) -> Finding:
    before = mcp_listing.last(pinned, server)
    parts = [_pin(before)]
    if learnt.listing is None:
        return _of(server, Grade.NOTE, [learnt.problem, *parts])
    grade = Grade.GOOD
    changed = mcp_listing.changed_tools(before, learnt.listing) if before else []
    if changed:
        grade = Grade.NOTE
        names = ", ".join(changed)
        parts.append(messages.changed(tools=names, name=server.name))
    if learnt.lacking:
        grade = Grade.NOTE
        parts.append(messages.lacking(tools=", ".join(learnt.lacking)))
    return _of(server, grade, [messages.check_tools(count=len(server.tools)), *parts])


def _pin(listing: Listing | None) -> str:
    if listing is None:
        return messages.NOT_PINNED
    return messages.pinned(day=datetime.fromtimestamp(listing.at, UTC).date())


def _of(server: McpServer, grade: Grade, parts: Sequence[str]) -> Finding:
    text = messages.server_finding(
        name=server.name, url=server.url, about="; ".join(parts)
    )
    return Finding(check_messages.MCP_SERVER, grade, text)
