"""Waits for what another process writes into its database, and tells nobody."""

import asyncio

from sqlite_utils import Database

PATIENCE = 300.0


async def found(db: Database, query: str, *values: object, tick: float) -> None:
    """Return when `query` finds a row; we look every `tick` seconds."""
    async with asyncio.timeout(PATIENCE):
        while not db.execute(query, values).fetchone():  # noqa: ASYNC110
            await asyncio.sleep(tick)


async def stored(db: Database, message: str, *, tick: float) -> None:
    """Return when what was said in `message` is durable."""
    await found(db, "SELECT 1 FROM messages WHERE message = ?", message, tick=tick)
