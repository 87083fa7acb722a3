"""Learns the tools of the operator's MCP servers, once, and keeps what it learnt.

Rule 1: what Claude is told of a tool is what the server said when it was asked first.
A server that says otherwise later changes nothing; the operator may take it over
(`threadkeep mcp`).
Rule 2: no answer waits for it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from bot.claude import catalog, mcp_listing, one_shot
from bot.claude.catalog import CHEAP_MODEL, ModelAvailability
from bot.claude.mcp_listing import Learnt
from bot.domain.budget import BudgetExceeded, BudgetLimits, Charge
from bot.domain.mcp import Listing, McpServer
from bot.domain.scope import EVERYWHERE
from bot.domain.setting import StoredSettings
from bot.messages import mcp as messages
from bot.ports.ledger import Charges
from bot.ports.mcp import ListingStore
from bot.ports.model import Model
from bot.runtime.background import report
from bot.settings.effective import Operator, resolve, totals

log = logging.getLogger(__name__)

# How often a server is asked whose tools could not be learnt, and what is pinned is
# read again, in seconds.
RETRY = 300.0
# For how long a server that failed is not used, in seconds: each try costs an answer
# the time until the API gives up.
REST = 120.0

#: The kind of such calls among charges.
KIND = "mcp"


class McpStore(ListingStore, Charges, Protocol):
    """The store's methods that it needs."""


async def ask_charged(
    store: McpStore,
    model: Model,
    server: McpServer,
    name: str,
    limits: BudgetLimits,
    now: Callable[[], float] = time.time,
) -> Learnt:
    """Ask `server` for its tools by the model called `name`, at the operator's cost
    within `limits`. Raises StorageError."""
    completion = await one_shot.complete_charged(
        *(store, model, mcp_listing.request(server, name)),
        *(Charge(EVERYWHERE, "", KIND, name), limits),
        timeout=mcp_listing.TIMEOUT,
        now=now,
    )
    if isinstance(completion, BudgetExceeded):
        return Learnt(problem=messages.NO_MONEY)
    return mcp_listing.read(server, completion, now())


class McpListings:
    """The known tools of the operator's servers, asked for within the operator's
    budgets. `alert` tells the operator what only they can correct."""

    def __init__(
        self,
        store: McpStore,
        model: Model,
        operator: Operator,
        alert: Callable[[str, str], None],
        survey: Callable[[], ModelAvailability | None] = lambda: None,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._model = model
        self._operator = operator
        self._limits = BudgetLimits(totals(operator.values))
        self._alert = alert
        self._survey = survey
        self._now = now
        self._sleep = sleep
        #: All that were pinned, the last one of a server at the end.
        self.known: tuple[Listing, ...] = ()
        # By name. Only servers of the operator's file are in it.
        self._rests = dict.fromkeys((each.name for each in operator.servers), 0.0)
        self._left = list(operator.servers)

    @property
    def resting(self) -> frozenset[str]:
        """Return the names of the servers that have just failed."""
        now = self._now()
        return frozenset(name for name, until in self._rests.items() if until > now)

    def rest(self, names: Iterable[str]) -> None:
        """Let the servers called `names`, which failed, rest for a while."""
        for name in self._rests.keys() & set(names):
            self._rests[name] = self._now() + REST

    async def load(self) -> None:
        """Read what was pinned. Raises StorageError."""
        self.known = tuple(await self._store.listings())

    async def watch(self) -> None:
        """Learn what is not known yet, and try again where that fails, and see what
        the operator takes over, until cancelled."""
        while self._operator.servers:
            try:
                await self.learn()
            except Exception as error:
                # The next try may succeed.
                report("mcp listings", error)
            await self._sleep(RETRY)

    async def learn(self) -> None:
        """Ask each server once of whose tools some are not known. Raises
        StorageError."""
        await self.load()
        for server in list(self._left):
            pinned = mcp_listing.last(self.known, server)
            if pinned is not None and not mcp_listing.lacking(pinned, server):
                self._left.remove(server)
                continue
            learnt = await ask_charged(
                *(self._store, self._model, server, self._name()),
                *(self._limits, self._now),
            )
            if learnt.lacking:
                names = ", ".join(learnt.lacking)
                self._report(server, messages.lacks(server=server.name, tools=names))
            if learnt.listing is None:
                why = messages.not_listed(server=server.name, why=learnt.problem)
                self._report(server, why)
                continue
            self._left.remove(server)
            listing = mcp_listing.merged(pinned, learnt.listing)
            if pinned is None or listing.digest != pinned.digest:
                await self._store.pin_listing(listing)
                log.info("mcp.pinned server=%s digest=%s", server.name, listing.digest)
                await self.load()

    def _report(self, server: McpServer, problem: str) -> None:
        log.warning("mcp.unlisted server=%s", server.name)
        self._alert(f"mcp {server.name}", problem)

    def _name(self) -> str:
        """Return the model that asks: the cheap one, or the default where the account
        does not have that."""
        survey = self._survey()
        if survey is None or not catalog.refused(CHEAP_MODEL, survey):
            return CHEAP_MODEL
        return resolve(EVERYWHERE, StoredSettings(), self._operator.values).fixed_model
