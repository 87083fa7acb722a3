"""Waits for rows that another process writes to its database."""

import asyncio

from sqlite_utils import Database

PATIENCE = 300.0


async def found(db: Database, query: str, *values: object, tick: float) -> None:
    """Wait until `query` finds a row, with a query every `tick` seconds."""
    async with asyncio.timeout(PATIENCE):
        while not db.execute(query, values).fetchone():  # noqa: ASYNC110
            await asyncio.sleep(tick)


async def stored(db: Database, message: str, *, tick: float) -> None:
    """Wait until `message` is stored."""
    await found(db, "SELECT 1 FROM messages WHERE message = ?", message, tick=tick)
