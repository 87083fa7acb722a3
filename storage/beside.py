"""Reads from a database beside the process that has it open.

Each raises ConfigError if there is no database of ours at its path.
"""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bot.domain.api_token import ApiToken
from bot.domain.budget import Balance, Budget, Spending
from bot.domain.names import LastName
from bot.domain.receipt import AnswerSummary, Receipt, ReceiptTexts
from bot.domain.scope import ThreadKey
from bot.domain.triage_case import TriageCase
from bot.domain.turn import Opinion
from bot.errors import ConfigError
from storage import (
    api_tokens,
    ledger,
    names,
    receipts,
    spending,
    thread_queries,
    triage_cases,
)
from storage.database import open_beside
from storage.reader import Reader


async def read_spending(path: Path, since: float) -> list[Spending]:
    """Return `Accounts.spending` of everything since `since`."""
    with closing(Reader(open_beside(path))) as reader:
        return await reader.read(lambda db: spending.spending(db, since))


async def read_balances(
    path: Path, budgets: Sequence[Budget], now: float
) -> list[tuple[Budget, Balance]]:
    """Return the balance of each of `budgets`; nothing is spent if there is no
    database of ours at `path`."""
    try:
        opened = open_beside(path)
    except ConfigError:
        return [(cap, Balance()) for cap in budgets]
    with closing(Reader(opened)) as reader:
        return await reader.read(lambda db: ledger.balances(db, budgets, now))


async def read_names(path: Path) -> list[LastName]:
    """Return the last known names, the newest at the end."""
    with closing(Reader(open_beside(path))) as reader:
        return await reader.read(names.names)


async def read_tokens(path: Path) -> list[ApiToken]:
    """Return all tokens of the web API, oldest first; none if there is no file at
    `path`, or one from before there were tokens. Raises ConfigError if the file is no
    database of ours."""
    if not await asyncio.to_thread(path.exists):
        return []
    with closing(Reader(open_beside(path))) as reader:
        return await reader.read(api_tokens.known_tokens)


async def read_opinions(path: Path, since: float) -> list[Opinion]:
    """Return the ratings of the answers that ended at or after `since`, oldest
    first."""
    with closing(Reader(open_beside(path))) as reader:
        return await reader.read(lambda db: thread_queries.opinions(db, since))


async def read_receipt(path: Path, turn: str) -> tuple[Receipt, ReceiptTexts] | None:
    """Return the receipt of the turn with the key `turn` in whatever thread, and what
    was asked and answered; None if there is none."""
    with closing(Reader(open_beside(path))) as reader:
        return await reader.read(lambda db: receipts.found(db, turn))


async def read_answers(path: Path, thread: ThreadKey, most: int) -> list[AnswerSummary]:
    """Return the newest `most` turns of `thread` that have ended, the newest first."""
    with closing(Reader(open_beside(path))) as reader:
        return await reader.read(lambda db: receipts.answers(db, thread, most))


async def read_corrections(path: Path, since: float) -> list[TriageCase]:
    """Return the cases that people corrected at or after `since`, oldest first."""
    with closing(Reader(open_beside(path))) as reader:
        return await reader.read(lambda db: triage_cases.corrections(db, since))
