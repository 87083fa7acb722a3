"""Fetches the tool definitions of the operator's MCP servers once, and pins them.

Rule 1: Claude reads the definition that a server gave at the first request. A different
definition later has no effect until the operator accepts it (`threadkeep mcp`).
Rule 2: no answer waits for a listing.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from bot.claude import mcp_listing, one_shot
from bot.claude.catalog import ModelAvailability
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

# The pause, in seconds, before missing listings are requested again and pinned ones are
# read again.
RETRY = 300.0
# The seconds for which a failed server is not used. Each attempt delays an answer until
# the API gives up.
REST = 120.0

#: The kind of such calls among charges.
KIND = "mcp"


class McpStore(ListingStore, Charges, Protocol):
    """The store's methods for listings."""


async def ask_charged(
    store: McpStore,
    model: Model,
    server: McpServer,
    name: str,
    limits: BudgetLimits,
    now: Callable[[], float] = time.time,
) -> Learnt:
    """Request the tools of `server` through the model `name`.

    The operator pays, within `limits`. Raises StorageError.
    """
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
    """The known tools of the operator's servers, requested within the total budgets.

    `alert` reports problems that only the operator can correct.
    """

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
        #: All pinned listings, oldest first for each server.
        self.known: tuple[Listing, ...] = ()
        # The end of each server's rest, by name. Has only servers of the operator's
        # file, so that it cannot grow.
        self._rests = dict.fromkeys((each.name for each in operator.servers), 0.0)
        self._left = list(operator.servers)

    @property
    def resting(self) -> frozenset[str]:
        """The names of the servers that failed recently."""
        now = self._now()
        return frozenset(name for name, until in self._rests.items() if until > now)

    def rest(self, names: Iterable[str]) -> None:
        """Do not use the servers `names`, which failed, for `REST` seconds."""
        for name in self._rests.keys() & set(names):
            self._rests[name] = self._now() + REST

    async def load(self) -> None:
        """Load the pinned listings. Raises StorageError."""
        self.known = tuple(await self._store.listings())

    async def watch(self) -> None:
        """Fetch missing listings and reload pinned ones periodically, until cancelled.

        Reloading picks up the listings that the operator has accepted.
        """
        while self._operator.servers:
            try:
                await self.learn()
            except Exception as error:
                # Ignored: the next attempt may succeed.
                report("mcp listings", error)
            await self._sleep(RETRY)

    async def learn(self) -> None:
        """Request the tools of each server with unknown tools, once.

        Raises StorageError.
        """
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
            listing = mcp_listing.merge(pinned, learnt.listing)
            if pinned is None or listing.digest != pinned.digest:
                await self._store.pin_listing(listing)
                log.info("mcp.pinned server=%s digest=%s", server.name, listing.digest)
                await self.load()

    def _report(self, server: McpServer, problem: str) -> None:
        log.warning("mcp.unlisted server=%s", server.name)
        self._alert(f"mcp {server.name}", problem)

    def _name(self) -> str:
        default = resolve(EVERYWHERE, StoredSettings(), self._operator.values)
        return mcp_listing.model_for(self._survey(), default.fixed_model)
