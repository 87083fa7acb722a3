"""Computes file prices, so that people are asked before expensive files are read.

Rule: a file's price is first computed from the upper bound of its tokens. Only if that
price is too high, the API is asked for the exact number. No answer depends on the API's
reply.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.claude import file_price
from bot.context.files.unread import quote
from bot.domain.attachment import ThreadFile
from bot.domain.completion import CacheTtl
from bot.domain.scope import ThreadKey
from bot.errors import ModelError, Unread
from bot.messages import files as messages
from bot.messages import plurals
from bot.ports.files import FileChoices
from bot.ports.model import Model
from bot.ui import formatting
from bot.ui.buttons import FIRST_PAGES, has_first

log = logging.getLogger(__name__)

# The longest time for counting the files of a turn, in seconds: a person waits.
PATIENCE = 5.0
# The largest file that is sent to be counted, in bytes, and the most files of a turn.
MOST_BYTES, MOST_COUNTED = 8_000_000, 5

# The most files whose prices are named one by one.
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Pricing:
    """The values that decide the price of a file."""

    model: str
    #: How long the prompt cache should keep the request's messages; None for not at
    #: all.
    ttl: CacheTtl | None
    #: The price in USD above which people are asked.
    most: float
    #: Seconds since 1970.
    at: float

    def is_dear(self, tokens: int) -> bool:
        """Return whether people are asked before a file of `tokens` tokens is read.

        Returns False if the price is unknown: the budgets then decide.
        """
        amount = file_price.price(self.model, tokens, self.ttl, self.at)
        return amount is not None and amount > self.most


@dataclass(frozen=True, slots=True)
class PricedFile:
    """A file that waits for a decision about its price."""

    file: ThreadFile
    #: The thread's model, and the file's price with that model in USD: an upper bound
    #: unless `is_counted`.
    model: str
    usd: float
    is_counted: bool
    #: The cheapest model, and the file's price with that model; None if there is none.
    cheapest: tuple[str, float] | None


def price_sentences(files: Sequence[PricedFile], *, has_buttons: bool) -> list[str]:
    """Return sentences that name the prices of `files` and how to decide about them.

    Each of the first few files gets a sentence of its own.
    """
    said = [_price_sentence(each) for each in files[:MOST_NAMED]]
    if len(files) > MOST_NAMED:
        said.append(messages.more_dear(count=len(files) - MOST_NAMED))
    has_more = any(has_first(each.file.pages) for each in files)
    if has_buttons:
        said.append(messages.CHOOSE_BELOW)
    elif has_more:
        said.append(messages.read_by_command(pages=FIRST_PAGES))
    else:
        said.append(messages.READ_BY_COMMAND)
    return said


def _price_sentence(priced: PricedFile) -> str:
    file = priced.file
    prices = [(priced.model, priced.usd)]
    if priced.cheapest and priced.cheapest[0] != priced.model:
        prices.append(priced.cheapest)
    amounts = [
        messages.price_with(amount=formatting.usd(usd), model=model)
        for model, usd in prices
    ]
    return messages.dear(
        file=quote(file.name),
        pages=plurals.PAGES(file.pages) if file.pages else "",
        prices=messages.in_comparison(prices=amounts),
        is_bound=not priced.is_counted,
    )


class FilePrices:
    """Computes the prices of the expensive files of a turn."""

    def __init__(
        self, store: FileChoices, model: Model, patience: float = PATIENCE
    ) -> None:
        self._store = store
        self._model = model
        self._patience = patience

    async def waiting(
        self, thread: ThreadKey, messages: Collection[str], pricing: Pricing
    ) -> list[PricedFile]:
        """Return the files of `messages` that wait for a decision about their price.

        Files that turn out to be cheap are stored as accepted for reading.
        """
        files = await self._store.thread_files(thread)
        found = {
            each.digest: each
            for each in files
            if each.message in messages and each.unread is Unread.WAITING
        }
        # One asyncio.timeout around the loop would also interrupt the store's writes.
        until = asyncio.get_running_loop().time() + self._patience
        waiting = []
        for nth, file in enumerate(found.values()):
            counted = None
            if pricing.is_dear(file.tokens) and nth < MOST_COUNTED:
                counted = await self._count(file, pricing.model, until)
            tokens = file.tokens if counted is None else counted
            if not pricing.is_dear(tokens):
                await self._store.decide_file(thread, file.digest, None)
                continue
            usd = file_price.price(pricing.model, tokens, pricing.ttl, pricing.at)
            waiting.append(
                PricedFile(
                    file,
                    pricing.model,
                    usd or 0.0,
                    counted is not None,
                    file_price.cheapest(tokens, pricing.ttl, pricing.at),
                )
            )
        if waiting:
            log.info("file.waiting thread=%s count=%d", thread, len(waiting))
        return waiting

    async def _count(self, file: ThreadFile, model: str, until: float) -> int | None:
        """Return the exact number of tokens of `file`; None if the API does not say in
        time."""
        found = await self._store.file_data([file.digest])
        data = found.get(file.digest, b"")
        if not data or len(data) > MOST_BYTES:
            return None
        request = file_price.count_request(model, file, data)
        try:
            async with asyncio.timeout_at(until):
                return min(file.tokens, await self._model.count(request, files=True))
        except (ModelError, TimeoutError) as error:
            log.info("file.not_counted %s", type(error).__name__)
            return None
