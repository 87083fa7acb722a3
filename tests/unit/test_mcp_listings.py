"""The tools of MCP servers are learnt once, at the operator's cost."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from bot.claude.catalog import ModelAvailability
from bot.claude.client import ClaudeModel, client
from bot.domain.mcp import McpServer
from bot.domain.scope import EVERYWHERE
from bot.errors import StorageFull
from bot.mcp_listings import REST, RETRY, McpListings
from bot.settings.effective import Operator, totals
from storage import accounts
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.mcp_servers import Server
from tests.support.memory_store import MemoryStore

WIKI = McpServer("wiki", "Wiki", "https://wiki.example/mcp", ("read",))
READ = {"name": "read", "description": "Old.", "input_schema": {"type": "object"}}
FIND = {"name": "find", "input_schema": {"type": "object"}}


class Desk:
    """The listings under test, a clock, and the alerts to the operator."""

    def __init__(self, claude: ClaudeEmulator, model: ClaudeModel) -> None:
        self.claude = claude
        self.model = model
        self.store = MemoryStore()
        self.now = 1_800_000_000.0
        self.alerts: list[tuple[str, str]] = []
        self.waits: list[float] = []
        self.waiting = asyncio.Event()
        self.server = claude.mcp[WIKI.url] = Server([READ])

    def listings(
        self,
        server: McpServer = WIKI,
        values: Mapping[str, str] = MappingProxyType({}),
        survey: ModelAvailability | None = None,
    ) -> McpListings:
        return McpListings(
            *(self.store, self.model, Operator(values, servers=(server,))),
            *(lambda *alert: self.alerts.append(alert), lambda: survey),
            now=lambda: self.now,
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.waiting.set()
        if len(self.waits) >= 3:
            await asyncio.Event().wait()

    def tools(self, listings: McpListings) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(listings.known[-1].tools)
        return found


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with (
        ClaudeEmulator() as claude,
        client(claude.api_key, claude.base_url) as opened,
    ):
        yield Desk(claude, ClaudeModel(opened))


async def test_a_server_is_asked_once(desk: Desk) -> None:
    first = desk.listings()
    await first.learn()
    await first.learn()
    await desk.listings().learn()
    assert desk.server.lists == len(desk.claude.questions) == 1
    assert desk.tools(first) == [READ]
    body = desk.claude.questions[0].body
    assert (body["model"], body["max_tokens"]) == ("claude-haiku-5-5", 1)
    # A tool that is not in the file is not on, not even there.
    assert body["tools"][0]["default_config"] == {"enabled": False}
    assert desk.alerts == []


async def test_a_new_tool_is_learnt_and_the_others_stay(desk: Desk) -> None:
    await desk.listings().learn()
    desk.server.tools = [{**READ, "description": "New."}, FIND]
    more = replace(WIKI, tools=("find", "read"))
    later = desk.listings(more)
    await later.learn()
    assert desk.tools(later) == [FIND, READ]
    assert desk.server.lists == 2


async def test_what_cannot_be_learnt_is_tried_again_and_said(desk: Desk) -> None:
    desk.server.down = True
    listings = desk.listings()
    task = asyncio.create_task(listings.watch())
    await desk.waiting.wait()
    desk.server.down = False
    while len(desk.waits) < 3:
        await desk.waiting.wait()
        desk.waiting.clear()
    task.cancel()
    assert desk.waits == [RETRY] * 3
    assert desk.tools(listings) == [READ]
    [(name, problem)] = desk.alerts
    assert name == "mcp wiki"
    assert problem == (
        "The tools of the MCP server wiki are not known: the API cannot use it: check "
        "its address, its token and whether it runs."
    )


async def test_a_tool_that_a_server_lacks_is_said(desk: Desk) -> None:
    listings = desk.listings(replace(WIKI, tools=("gone", "read")))
    await listings.learn()
    assert desk.tools(listings) == [READ]
    assert desk.alerts == [
        (
            "mcp wiki",
            "The MCP server wiki has no tool gone: correct its list in the file.",
        )
    ]
    desk.server.tools = []
    none = desk.listings(replace(WIKI, url=WIKI.url, tools=("gone",), name="other"))
    await none.learn()
    assert "has none of the tools" in desk.alerts[-1][1]


async def test_it_counts_on_the_operators_budgets_alone(desk: Desk) -> None:
    values = {"budget_total_day": "0.0001"}
    listings = desk.listings(values=values)
    await listings.learn()
    assert listings.known == ()
    assert "the operator's budget leaves no room" in desk.alerts[0][1]
    await desk.listings().learn()
    [row] = await desk.store.spending(0.0)
    assert (row.kind, row.place, row.person) == ("mcp", EVERYWHERE, "")
    [(_, balance)] = accounts.balances(desk.store.db, totals(values), desk.now)
    assert balance.spent == pytest.approx(row.cost)
    assert 0 < row.cost < 0.001


async def test_another_model_asks_where_there_is_no_cheap_one(desk: Desk) -> None:
    survey = ModelAvailability(unlisted=frozenset({"claude-haiku-5-5"}))
    values = {"model": "claude-opus-4-8"}
    await desk.listings(values=values, survey=survey).learn()
    assert desk.claude.questions[0].body["model"] == values["model"]


async def test_a_server_that_failed_rests(desk: Desk) -> None:
    listings = desk.listings()
    listings.rest(["wiki", "unknown"])
    assert listings.resting == {"wiki"}
    desk.now += REST
    assert listings.resting == frozenset()


async def test_what_another_process_takes_over_is_seen(desk: Desk) -> None:
    listings = desk.listings()
    await listings.learn()
    taken = replace(listings.known[0], tools=json.dumps([FIND]), at=desk.now + 1)
    await desk.store.pin_listing(taken)
    await listings.learn()
    assert listings.known[-1] == taken


async def test_a_store_that_fails_ends_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    listings = desk.listings()

    async def full() -> None:
        monkeypatch.undo()
        raise StorageFull("no space")

    monkeypatch.setattr(desk.store, "listings", full)
    task = asyncio.create_task(listings.watch())
    while len(desk.waits) < 2:
        await desk.waiting.wait()
        desk.waiting.clear()
    task.cancel()
    assert desk.tools(listings) == [READ]
