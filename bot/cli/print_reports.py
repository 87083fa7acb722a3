"""`threadkeep usage`, `audit` and `feedback`."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import click

from bot.cli import output, reports
from bot.cli.environment import run
from bot.cli.options import MOST, WITHIN
from bot.cli.platforms import load_module
from bot.config import Config, read_environment
from bot.domain.reports import UsageKey
from bot.domain.scope import Scope
from bot.errors import ConfigError
from bot.messages import cli as messages
from bot.messages import command_help, dates
from bot.reports.labels import Labels
from bot.runtime import terminal
from bot.ui import time_range
from bot.ui.formatting import timestamp
from storage.beside import read_balances, read_names, read_opinions, read_spending

SINCE = click.option(
    "--since",
    default=time_range.MONTH,
    show_default=True,
    help=messages.SINCE_HELP,
)


def format_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for the format of a report."""
    formats = click.Choice([output.TABLE, output.CSV, output.JSON])
    form = click.option("--format", "form", type=formats, default=output.TABLE)
    short = click.option(
        "--json", "form", flag_value=output.JSON, help=messages.JSON_HELP
    )
    return form(short(command))


_KEYS = [each.value for each in UsageKey]
_USUAL = (UsageKey.DAY, UsageKey.CHANNEL, UsageKey.PERSON)
IDS = click.option("--ids", is_flag=True, help=messages.IDS_HELP)


@click.command(help=command_help.USAGE)
@click.option("--by", type=click.Choice(_KEYS), multiple=True, help=messages.BY_HELP)
@IDS
@SINCE
@format_options
def usage(by: Sequence[str], ids: bool, since: str, form: str) -> None:
    keys = [UsageKey(each) for each in by]
    sys.exit(run(print_usage(read_environment(), keys, ids, since, form)))


@click.command(help=command_help.AUDIT)
@WITHIN
@click.option(
    "--most", type=MOST, default=100, show_default=True, help=messages.MOST_HELP
)
@click.option("--refused", is_flag=True, help=messages.REFUSED_HELP)
@IDS
@SINCE
@format_options
def audit(
    within: Scope, most: int, refused: bool, ids: bool, since: str, form: str
) -> None:
    wanted = within, most, refused, ids, since, form
    sys.exit(run(print_audit(read_environment(), *wanted)))


@click.command(help=command_help.FEEDBACK)
@click.option("--texts", is_flag=True, help=messages.TEXTS_HELP)
@IDS
@SINCE
@format_options
def feedback(texts: bool, ids: bool, since: str, form: str) -> None:
    sys.exit(run(print_feedback(read_environment(), texts, ids, since, form)))


async def print_usage(
    env: Mapping[str, str], by: Sequence[UsageKey], ids: bool, since: str, form: str
) -> int:
    begin = time_range.since(since, time.time())
    settings = Config.from_env(env)
    rows = await read_spending(settings.database, begin)
    labels = await _labels(settings, ids)
    if form != output.TABLE:
        keys = by or [UsageKey.DAY]
        columns = reports.columns_of_spending(keys, labels)
        output.rows(reports.spending_rows(rows, keys, labels), form, columns)
        return 0
    out = terminal.console()
    if not rows:
        terminal.say(messages.nothing_asked(since=_moment(begin)))
    tables = [by] if by else [[each] for each in _USUAL]
    for wanted in tables if rows else []:
        shown = partial(reports.spending, rows, wanted, labels=labels)
        table = shown(plain=terminal.plain(out))
        if terminal.width_of(table) > out.width:
            table = shown(bars=False)
        # A line that is still too long wraps, so that no figure is cut.
        out.print(table, "", crop=False)
    budgets = settings.database, settings.totals, time.time()
    for cap, balance in await read_balances(*budgets):
        terminal.say(reports.total(cap, balance))
    return 0


async def print_audit(
    env: Mapping[str, str],
    within: Scope,
    most: int,
    refused: bool,
    ids: bool,
    since: str,
    form: str,
) -> int:
    begin = time_range.since(since, time.time())
    settings = Config.from_env(env)
    # Imported here, so that the other two commands do not wait for the import.
    open_shared_store = load_module("storage.opening").open_shared_store
    async with open_shared_store(settings.database) as store:
        refusals = await store.refusals(within, begin, most)
        entries = await store.audit(within, begin, most)
    labels = await _labels(settings, ids)
    if refused:
        rows = reports.refusal_rows(refusals, labels)
        table = reports.refusals(refusals, labels)
        nothing = messages.nobody_refused(since=_moment(begin))
        columns = reports.columns_of_refusals(labels)
        output.either(rows, table, nothing, form=form, columns=columns)
        return 0
    rows, table = reports.audit_rows(entries, labels), reports.audit(entries, labels)
    nothing = messages.nothing_changed(since=_moment(begin))
    columns = reports.columns_of_audit(labels)
    output.either(rows, table, nothing, form=form, columns=columns)
    return 0


async def print_feedback(
    env: Mapping[str, str], texts: bool, ids: bool, since: str, form: str
) -> int:
    begin = time_range.since(since, time.time())
    settings = Config.from_env(env)
    found = await read_opinions(settings.database, begin)
    if texts and form == output.TABLE:
        raise ConfigError(messages.TEXTS_NEED_FORMAT)
    labels = await _labels(settings, ids)
    rows = reports.opinion_rows(found, labels, texts=texts)
    nothing = messages.no_feedback(since=_moment(begin))
    table, columns = reports.opinions(found, labels), reports.columns_of_opinions
    output.either(
        *(rows, table, nothing), form=form, columns=columns(labels, texts=texts)
    )
    return 0


async def _labels(settings: Config, ids: bool) -> Labels | None:
    """Return the names to show; None if only ids are wanted."""
    return None if ids else Labels(await read_names(settings.database))


def _moment(at: float) -> str:
    return dates.utc(time=timestamp(at))
