"""`threadkeep usage`, `audit` and `feedback`."""

import time
from collections.abc import Mapping

from bot.cli import output, reports
from bot.config import Config
from bot.domain.scope import Scope
from bot.errors import ConfigError
from bot.messages import cli as messages
from bot.runtime import terminal
from bot.ui import time_range
from bot.ui.formatting import timestamp
from storage.store import open_shared_store, read_balances, read_opinions, read_spending


async def print_usage(
    env: Mapping[str, str], by: str | None, since: str, form: str
) -> int:
    begin = time_range.since(since, time.time())
    settings = Config.from_env(env)
    rows = await read_spending(settings.database, begin)
    keys = [by] if by else ["day", "channel", "person"]
    if form != output.TABLE:
        output.rows(reports.spending_rows(rows, keys[0]), form)
        return 0
    out = terminal.console()
    if not rows:
        terminal.say(messages.nothing_asked(since=_moment(begin)))
    for key in keys if rows else []:
        out.print(reports.spending(rows, key, plain=terminal.plain(out)), "")
    budgets = settings.database, settings.totals, time.time()
    for cap, balance in await read_balances(*budgets):
        terminal.say(reports.total(cap, balance))
    return 0


async def print_audit(
    env: Mapping[str, str],
    within: str,
    most: int,
    refused: bool,
    since: str,
    form: str,
) -> int:
    begin = time_range.since(since, time.time())
    parts = within.split(":", 3) if within else []
    async with open_shared_store(Config.from_env(env).database) as store:
        refusals = await store.refusals(Scope(*parts), begin, most)
        entries = await store.audit(Scope(*parts), begin, most)
    if refused:
        rows, table = reports.refusal_rows(refusals), reports.refusals(refusals)
        nothing = messages.nobody_refused(since=_moment(begin))
        output.either(rows, table, nothing, form=form)
        return 0
    rows, table = reports.audit_rows(entries), reports.audit(entries)
    nothing = messages.nothing_changed(since=_moment(begin))
    output.either(rows, table, nothing, form=form)
    return 0


async def print_feedback(
    env: Mapping[str, str], texts: bool, since: str, form: str
) -> int:
    begin = time_range.since(since, time.time())
    found = await read_opinions(Config.from_env(env).database, begin)
    if texts and form == output.TABLE:
        raise ConfigError(messages.TEXTS_NEED_FORMAT)
    rows = reports.opinion_rows(found, texts=texts)
    nothing = messages.no_feedback(since=_moment(begin))
    output.either(rows, reports.opinions(found), nothing, form=form)
    return 0


def _moment(at: float) -> str:
    return f"{timestamp(at)} UTC"
