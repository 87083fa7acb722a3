"""`threadkeep now`, `budgets` and `quality`."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from bot.cli.environment import run
from bot.cli.options import MOST
from bot.config import Config, read_environment
from bot.domain.budget import Period
from bot.domain.listed_process import ListedProcess
from bot.domain.reports import AnswerReport, Pace, Quality
from bot.domain.scope import EVERYWHERE
from bot.domain.vitals import Ages, Vitals
from bot.messages import cli, command_help, dates
from bot.messages import reports as messages
from bot.reports.money import MoneyReports
from bot.reports.plain import plain
from bot.runtime import terminal
from bot.ui import formatting, time_range
from bot.vitals import status_file
from storage.opening import open_shared_store

JSON = click.option("--json", "as_json", is_flag=True, help=cli.JSON_HELP)

# The percentiles of durations that `quality` prints.
_SHARES = ("50 %", "90 %", "99 %")


@click.command(help=command_help.NOW)
@JSON
def now(as_json: bool) -> None:
    sys.exit(run(print_now(read_environment(), as_json)))


@click.command(help=command_help.BUDGETS)
@JSON
def budgets(as_json: bool) -> None:
    sys.exit(run(print_budgets(read_environment(), as_json)))


@click.command(help=command_help.QUALITY)
@click.option(
    "--since", default=time_range.MONTH, show_default=True, help=cli.SINCE_HELP
)
@click.option("--most", type=MOST, default=20, show_default=True, help=cli.MOST_HELP)
@JSON
def quality(since: str, most: int, as_json: bool) -> None:
    sys.exit(run(print_quality(read_environment(), since, most, as_json)))


async def print_now(env: Mapping[str, str], as_json: bool) -> int:
    """Print the state of the running processes; return 1 if none is running."""
    database = Config.from_env(env).database
    known = isinstance(database, Path)
    vitals = status_file.read(database) if isinstance(database, Path) else None
    async with open_shared_store(database) as store:
        turns, processes = await store.open_turns(), await store.processes()
    runs = bool(vitals if known else processes)
    if as_json:
        found = {
            "running": vitals and plain(vitals),
            "processes": plain(processes),
            "turns": plain(turns),
        }
        terminal.write(terminal.as_json(found, indent=2))
        return 0 if runs else 1
    out = terminal.console()
    if not runs:
        terminal.say(messages.NOT_RUNNING)
    elif vitals is None:
        out.print(_processes(processes))
        if any(each.turns for each in processes):
            out.print("", _answers_of(processes))
        terminal.say(f"\n{messages.NOT_HERE}")
    else:
        moment = dates.utc(time=formatting.timestamp(vitals.started))
        line = messages.running(
            version=vitals.version,
            pid=vitals.pid,
            since=moment,
            lag=round(1000 * vitals.lag),
        )
        terminal.say(line)
        out.print("", _connections(vitals))
    if turns:
        out.print("", _turns(turns))
    if vitals and vitals.budgets:
        out.print("", _budgets(vitals))
    if vitals and (logged := [each for each in vitals.log if each.hour]):
        table = _table(messages.ERROR, messages.LEVEL, messages.THIS_HOUR, cli.WHEN)
        for each in logged:
            last = formatting.timestamp(each.last)
            table.add_row(each.event, each.level, f"{each.hour:,}", last)
        out.print("", table)
    return 0 if runs else 1


async def print_budgets(env: Mapping[str, str], as_json: bool) -> int:
    """Print each budget, its spending, and the projected spending of its period."""
    settings = Config.from_env(env)
    async with open_shared_store(settings.database) as store:
        reports = MoneyReports(store, store, store, settings.operator.values)
        found = await reports.budgets()
    if as_json:
        rows = [
            {**plain(each), "projected_usd": round(each.projected, 6)} for each in found
        ]
        terminal.write(terminal.as_json(rows, indent=2))
        return 0
    if not found:
        terminal.say(messages.NO_BUDGETS)
        return 0
    terminal.console().print(_paces(found))
    return 0


async def print_quality(
    env: Mapping[str, str], since: str, most: int, as_json: bool
) -> int:
    """Print the outcomes and durations of answers, and lists of notable answers."""
    begin = time_range.since(since, time.time())
    settings = Config.from_env(env)
    async with open_shared_store(settings.database) as store:
        reports = MoneyReports(store, store, store, settings.operator.values)
        found = await reports.quality(begin, most)
    if as_json:
        terminal.write(terminal.as_json(plain(found), indent=2))
        return 0
    if not found.ended:
        start = dates.utc(time=formatting.timestamp(begin))
        terminal.say(messages.no_answers(since=start))
        return 0
    out = terminal.console()
    out.print(_endings(found))
    for title, rows in (
        (messages.SLOWEST, found.slowest),
        (messages.UNFINISHED, found.unfinished),
        (messages.DISLIKED, found.disliked),
    ):
        if rows:
            out.print("", Text(title, "bold"), _answers(rows))
    return 0


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for each in columns:
        table.add_column(each, overflow="fold")
    return table


def _connections(vitals: Vitals) -> Table:
    table = _table(
        *(messages.PLATFORM, messages.CONNECTED, messages.HEARD, messages.RECONNECTS)
    )
    for each in vitals.connections:
        since = each.failure or (messages.LOCAL if each.is_local else messages.NO)
        if each.since is not None:
            since = formatting.timestamp(each.since)
        heard = formatting.timestamp(each.heard) if each.heard else ""
        table.add_row(each.platform, Text(since), heard, f"{each.reconnects:,}")
    return table


def _processes(processes: Sequence[ListedProcess]) -> Table:
    table = _table(
        *(messages.ROLE, messages.PROCESS, messages.STARTED),
        *(messages.SEEN, messages.ANSWERING),
    )
    for each in processes:
        times = (formatting.timestamp(at) for at in (each.started, each.seen))
        table.add_row(each.role, Text(each.name), *times, f"{each.threads:,}")
    return table


def _answers_of(processes: Sequence[ListedProcess]) -> Table:
    table = _table(
        *(messages.PROCESS, messages.PLATFORM, messages.TURNS),
        *(messages.COUNT, messages.OLDEST),
    )
    for process in processes:
        for each in process.turns:
            oldest = formatting.timestamp(each.oldest)
            row = (each.platform, each.state, f"{each.count:,}", oldest)
            table.add_row(Text(process.name), *row)
    return table


def _turns(turns: Sequence[Ages]) -> Table:
    table = _table(
        *(messages.PLATFORM, messages.TURNS, messages.COUNT, messages.OLDEST)
    )
    for each in turns:
        oldest = formatting.timestamp(each.oldest)
        table.add_row(each.platform, each.state, f"{each.count:,}", oldest)
    return table


def _budgets(vitals: Vitals) -> Table:
    table = _table(
        *(messages.WRITES, messages.SCOPE, messages.LEFT, messages.WAITING),
    )
    for each in vitals.budgets:
        left = f"{each.left:.0f}/{each.most:.0f}"
        name = f"{each.platform} {each.kind}"
        table.add_row(name, Text(each.scope), left, f"{each.waiting:,}")
    return table


def _paces(found: Sequence[Pace]) -> Table:
    table = _table(
        *(cli.WHERE, messages.PERIOD, messages.SPENT, messages.BUDGET),
        *(messages.BY_THE_END, ""),
    )
    for each in found:
        budget = each.budget
        place = each.name or str(budget.place)
        if budget.place == EVERYWHERE:
            place = messages.EVERYWHERE
        day = budget.period is Period.DAY
        share = budget.share(each.projected)
        table.add_row(
            *(Text(place), messages.DAY if day else messages.MONTH),
            *(f"{each.balance.spent:.4f}", f"{budget.usd:g}"),
            f"{each.projected:.4f}",
            Text(f"{share:.0%}", "red" if share > 1 else ""),
        )
    return table


def _endings(found: Quality) -> Table:
    table = _table("", "")
    for ended, count in sorted(found.ended.items(), key=lambda each: -each[1]):
        table.add_row(ended.value, f"{count:,}")
    table.add_row(messages.RATED, f"{found.good:,} / {found.bad:,}")
    for share, words, end in zip(
        _SHARES, found.first_words, found.seconds, strict=False
    ):
        table.add_row(messages.within(share=share), f"{words:.1f} s / {end:.1f} s")
    return table


def _answers(rows: Sequence[AnswerReport]) -> Table:
    table = _table(
        *(cli.WHEN, cli.WHERE, messages.TURN, cli.MODEL, messages.SECONDS),
        messages.REASON,
    )
    for each in rows:
        cells: list[Any] = [
            formatting.timestamp(each.at),
            Text(each.name or str(each.thread)),
            each.turn,
            each.model,
            f"{each.seconds:.1f}",
            Text(each.reason),
        ]
        table.add_row(*cells)
    return table
