"""The operator's console: what the bot does, what it costs, and its threads.

Rule: the pages show what `bot.ports.operator_reports` returns, and decide nothing.
Everything on them is also available on the command line.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from adapters.web.console_charts import Bar, bars, meter
from adapters.web.console_values import (
    age,
    clock,
    day_bars,
    ended_tiles,
    exported,
    percent,
)
from adapters.web.context import Context, Refused
from adapters.web.guards import give_token, page_token
from adapters.web.tokens import Callers
from bot.domain.reports import Reader, UsageKey
from bot.domain.scope import EVERYWHERE, ThreadKey
from bot.errors import Denied
from bot.messages import console as texts
from bot.messages import reports as report_texts
from bot.ui import formatting

#: The ranges of time that a page offers, in days; the first is the default.
RANGES = (30, 7, 1, 90, 365)
DAY = 86_400.0

# Rows of one page.
MOST_ROWS, MOST_GROUPS, MOST_THREADS = 200, 40, 50
# The most characters of a search, and of the key of a thread.
MOST_CHARS = 400

Page = Callable[[web.Request], Awaitable[web.Response]]


def routes(context: Context) -> list[web.RouteDef]:
    """Return the routes of the console."""
    console = Console(context)
    return [
        web.get("/console", console.now),
        web.get("/console/usage", console.usage),
        web.get("/console/quality", console.quality),
        web.get("/console/threads", console.threads),
        web.get("/console/thread", console.thread),
        web.get("/console/thread.json", console.export),
        web.post("/console/thread/delete", console.delete),
        web.get("/console/settings", console.settings),
        web.get("/console/audit", console.audit),
    ]


@dataclass(frozen=True, slots=True)
class Range:
    """A range of time up to now."""

    days: int
    begin: float
    is_shown: bool


class Console:
    """The pages of the console."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._reports = context.host.reports
        self._callers = Callers(context)

    async def now(self, request: web.Request) -> web.Response:
        """Show what the process does now."""
        monitor = self._reports.monitor
        vitals = monitor.vitals()
        turns = await monitor.open_turns()
        hour = [each for each in vitals.log if each.hour]
        oldest = min((each.oldest for each in turns), default=vitals.at)
        return self._page(
            request,
            "console_now.html",
            {
                "vitals": vitals,
                "turns": turns,
                "problems": await monitor.unready(),
                "errors": sum(each.hour for each in hour),
                "waiting": sum(e.count for e in turns if e.state == "waiting"),
                "oldest": age(vitals.at - oldest) if turns else "",
                "meter": meter,
            },
        )

    async def usage(self, request: web.Request) -> web.Response:
        """Show the costs, by day, channel and person, and the forecast of the
        budgets."""
        since = self._begin(request)
        money = self._reports.money
        days = await money.usage(since, [UsageKey.DAY])
        channels = await money.usage(since, [UsageKey.CHANNEL])
        people = await money.usage(since, [UsageKey.PERSON, UsageKey.MODEL])
        now = self._reports.monitor.vitals().at
        chart: list[Bar] = day_bars(days, since, now)
        return self._page(
            request,
            "console_usage.html",
            {
                "spent": sum(each.cost for each in days),
                "saved": sum(each.saved for each in days),
                "answers": sum(each.answers for each in days),
                "tokens": sum(e.usage.prompt + e.usage.output for e in days),
                "has_usage": bool(days),
                "chart": bars(texts.COST_BY_DAY, chart),
                "budgets": await money.budgets(),
                "channels": channels[:MOST_GROUPS],
                "people": people[:MOST_GROUPS],
                "meter": meter,
                "ranges": self._ranges(request),
            },
        )

    async def quality(self, request: web.Request) -> web.Response:
        """Show how answers ended, how long they took, and how they were rated."""
        found = await self._reports.money.quality(self._begin(request))
        return self._page(
            request,
            "console_quality.html",
            {
                "quality": found,
                "tiles": ended_tiles(found),
                "ranges": self._ranges(request),
            },
        )

    async def threads(self, request: web.Request) -> web.Response:
        """List the newest threads, or those that match a search."""
        wanted = request.query.get("words", "")[:MOST_CHARS]
        before = request.query.get("before", "")
        found = await self._reports.threads.threads(
            await self._reader(request),
            wanted=wanted,
            most=MOST_THREADS,
            before=int(before) if _is_number(before) else None,
        )
        more = len(found) == MOST_THREADS and not wanted.strip()
        return self._page(
            request,
            "console_threads.html",
            {
                "threads": found,
                "words": wanted,
                "before": found[-1].id if more else None,
                "is_first": not before,
                "hides": any(each.is_private and not each.title for each in found),
            },
        )

    async def thread(self, request: web.Request) -> web.Response:
        """Show the stored transcript of one thread."""
        key = _key(request)
        try:
            found = await self._reports.threads.transcript(
                await self._reader(request), key
            )
        except Denied as denied:
            raise Refused(403, "private", denied.user_text) from denied
        if found is None:
            raise Refused(404, "no_thread", report_texts.NO_THREAD)
        return self._page(request, "console_thread.html", {"transcript": found})

    async def export(self, request: web.Request) -> web.Response:
        """Return the stored transcript of one thread as a file."""
        try:
            found = await self._reports.threads.transcript(
                await self._reader(request), _key(request), export=True
            )
        except Denied as denied:
            raise Refused(403, "private", denied.user_text) from denied
        if found is None:
            raise Refused(404, "no_thread", report_texts.NO_THREAD)
        return web.Response(
            text=json.dumps(exported(found), ensure_ascii=False, indent=2),
            content_type="application/json",
            headers={"Content-Disposition": 'attachment; filename="thread.json"'},
        )

    async def delete(self, request: web.Request) -> web.Response:
        """Delete everything stored about one thread."""
        try:
            deleted = await self._reports.threads.delete(
                await self._reader(request), _key(request)
            )
        except Denied as denied:
            raise Refused(403, "private", denied.user_text) from denied
        if not deleted:
            raise Refused(404, "no_thread", report_texts.NO_THREAD)
        return web.json_response({"deleted": True})

    async def settings(self, request: web.Request) -> web.Response:
        """Show the settings made in the chat, and their changes."""
        reports = self._reports.settings
        changes = await reports.changes(EVERYWHERE, self._begin(request), MOST_ROWS)
        return self._page(
            request,
            "console_settings.html",
            {
                "settings": await reports.settings(),
                "changes": [each for each in changes if each.name != "thread"],
                "ranges": self._ranges(request),
            },
        )

    async def audit(self, request: web.Request) -> web.Response:
        """Show changes, reads and refusals, with the people behind them."""
        reports, since = self._reports.settings, self._begin(request)
        return self._page(
            request,
            "console_audit.html",
            {
                "changes": await reports.changes(EVERYWHERE, since, MOST_ROWS),
                "refusals": await reports.refusals(EVERYWHERE, since, MOST_ROWS),
                "ranges": self._ranges(request),
            },
        )

    def _page(
        self, request: web.Request, template: str, values: Mapping[str, Any]
    ) -> web.Response:
        token = page_token(request)
        shared = {
            "console": texts,
            "path": request.path,
            "token": token,
            "clock": clock,
            "age": age,
            "percent": percent,
            "usd": formatting.exact_usd,
        }
        response = self._context.page(template, {**shared, **values})
        give_token(request, response, token, self._context.settings)
        return response

    async def _reader(self, request: web.Request) -> Reader:
        caller = await self._callers.visitor(request)
        # The guard of all pages admitted the caller.
        assert caller is not None
        name = caller.token.name
        may = name in self._context.settings.private_readers
        return Reader(caller.person, reads_private=may)

    def _ranges(self, request: web.Request) -> list[Range]:
        now = self._reports.monitor.vitals().at
        shown = _days(request)
        return [Range(days, now - days * DAY, days == shown) for days in sorted(RANGES)]

    def _begin(self, request: web.Request) -> float:
        return self._reports.monitor.vitals().at - _days(request) * DAY


def _days(request: web.Request) -> int:
    written = request.query.get("days", "")
    found = int(written) if _is_number(written) else RANGES[0]
    return found if found in RANGES else RANGES[0]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 15


def _key(request: web.Request) -> ThreadKey:
    """Return the thread that a request is about. Raises Refused."""
    text = request.query.get("key", "")
    parts = text.split(":", 3)
    if len(parts) < 4 or len(text) > MOST_CHARS:
        raise Refused(404, "no_thread", report_texts.NO_THREAD)
    return ThreadKey(*parts)
