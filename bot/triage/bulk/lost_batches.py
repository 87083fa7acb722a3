"""Finds batches whose creation was cut off before their id was stored."""

import contextlib
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from bot.claude.batches import Batches
from bot.ports.archive import Sent

# The most that two clocks differ when a batch is searched for by its creation time.
_SKEW = timedelta(minutes=10)


async def find_batch(batches: Batches, sent: Sent, known: Collection[str]) -> str:
    """Return the id of the batch of `sent`, whose id was not stored, among the batches
    at the API that are not `known`; "" if there is none. Raises ModelError."""
    earliest = datetime.fromtimestamp(sent.at, UTC) - _SKEW
    async with contextlib.aclosing(batches.newest()) as newest:
        async for each in newest:
            if each.created_at < earliest:
                return ""
            if each.requests == sent.requests and each.id not in known:
                return each.id
    return ""
