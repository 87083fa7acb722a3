"""Builds the responder from its parts."""

import time
from collections.abc import Callable, Mapping

from bot.budgets.alerts import BudgetAlerts
from bot.budgets.guard import BudgetGuard
from bot.claude.catalog import ModelAvailability
from bot.conversation.admission import Admission
from bot.conversation.answer_writer import AnswerWriter
from bot.conversation.composer import Composer
from bot.conversation.file_prices import FilePrices
from bot.conversation.file_reader import FileReader
from bot.conversation.replies import Replies
from bot.conversation.responder import Begun, Responder, Timed
from bot.conversation.summariser import Summariser
from bot.delivery.late_writes import Corrections
from bot.mcp_listings import McpListings
from bot.ports.model import Model
from bot.ports.platform import Adapter
from bot.ports.store import Store
from bot.runtime.background import Background
from bot.runtime.retry import retrying
from bot.settings.access import SettingsAccess
from bot.settings.effective import Operator


def create_responder(
    *,
    store: Store,
    model: Model,
    adapters: Mapping[str, Adapter],
    operator: Operator,
    summariser: Summariser,
    listings: McpListings,
    tasks: Background,
    begun: Begun,
    timed: Timed = lambda turn, first_words, end: None,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], float] = time.time,
    survey: Callable[[], ModelAvailability | None] = lambda: None,
    shared: bool = False,
) -> Responder:
    """Return a responder whose parts retry each write until the store accepts it.

    A finished answer is paid for and exists only in memory, so no part gives up on a
    write.

    `tasks` runs the responder's background work, in which `summariser` makes summaries.
    `begun` is called whenever a turn of a thread stops waiting, `timed` for each turn
    that was answered. `survey` returns the models as the API describes them. `shared`
    says that other processes answer, too.
    """
    durable = retrying(store)
    settings = SettingsAccess(durable, adapters, operator, now)
    guard = BudgetGuard(durable, durable, model, adapters, now)
    files = FileReader(durable, adapters)
    prices = FilePrices(durable, model)
    composer = Composer(
        *(durable, durable, adapters, settings, files, prices, summariser),
        survey,
        operator.secret,
        now,
    )
    admission = Admission(
        *(durable, model, adapters, settings, guard, composer, listings, survey),
        operator.secret,
        now,
    )
    replies = Replies(
        *(store, store, adapters, Corrections(durable, tasks), clock, now),
        shared=shared,
    )
    writer = AnswerWriter(
        *(durable, replies, model, adapters, settings, guard, admission, clock, now)
    )
    return Responder(
        store=durable,
        owned=durable,
        earlier=durable,
        unretried_store=store,
        writer=writer,
        replies=replies,
        adapters=adapters,
        settings=settings,
        guard=guard,
        alerts=BudgetAlerts(settings, adapters, operator),
        admission=admission,
        summariser=summariser,
        tasks=tasks,
        begun=begun,
        timed=timed,
        clock=clock,
        now=now,
    )
