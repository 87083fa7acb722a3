"""Reads from a database while another process has it open.

Each function raises ConfigError if there is no Threadkeep database at its path.
"""

from collections.abc import Sequence

from bot.domain.api_token import ApiToken
from bot.domain.budget import Balance, Budget, Spending
from bot.domain.installation import Installation
from bot.domain.names import LastName
from bot.domain.receipt import AnswerSummary, Receipt, ReceiptTexts
from bot.domain.scope import ThreadKey
from bot.domain.triage_case import TriageCase
from bot.domain.turn import Opinion
from bot.errors import ConfigError
from storage import (
    accounts,
    api_tokens,
    installations,
    names,
    opinions,
    receipts,
    spending,
    triage_cases,
)
from storage.reading import Where, is_new, reading


async def read_spending(at: Where, since: float) -> list[Spending]:
    """Return `Accounts.spending` of all workspaces since `since`."""
    with reading(at) as read:
        return await read(lambda db: spending.spending(db, since))


async def read_balances(
    at: Where, budgets: Sequence[Budget], now: float
) -> list[tuple[Budget, Balance]]:
    """Return the balance of each of `budgets`. All are zero without a Threadkeep
    database."""
    try:
        with reading(at) as read:
            return await read(lambda db: accounts.balances(db, budgets, now))
    except ConfigError:
        return [(cap, Balance()) for cap in budgets]


async def read_names(at: Where) -> list[LastName]:
    """Return the last known names, newest last."""
    with reading(at) as read:
        return await read(names.names)


async def read_installations(at: Where, platform: str) -> list[Installation]:
    """Return the installations of the app, including those that ended.

    Empty if there is no database. Raises ConfigError if it is not a Threadkeep
    database.
    """
    if is_new(at):
        return []
    with reading(at) as read:
        return await read(lambda db: installations.known(db, platform))


async def read_tokens(at: Where) -> list[ApiToken]:
    """Return all tokens of the web API, oldest first.

    Empty if there is no database, or if the database has no table of tokens yet. Raises
    ConfigError if it is not a Threadkeep database.
    """
    if is_new(at):
        return []
    with reading(at) as read:
        return await read(api_tokens.known_tokens)


async def read_opinions(at: Where, since: float) -> list[Opinion]:
    """Return the ratings of the answers that ended at or after `since`, oldest
    first."""
    with reading(at) as read:
        return await read(lambda db: opinions.opinions(db, since))


async def read_receipt(at: Where, turn: str) -> tuple[Receipt, ReceiptTexts] | None:
    """Return the receipt of the turn with the key `turn`, and the question and answer.

    The turn may be in any thread. None if there is no such turn.
    """
    with reading(at) as read:
        return await read(lambda db: receipts.found(db, turn))


async def read_answers(at: Where, thread: ThreadKey, most: int) -> list[AnswerSummary]:
    """Return the newest `most` ended turns of `thread`, newest first."""
    with reading(at) as read:
        return await read(lambda db: receipts.answers(db, thread, most))


async def read_corrections(at: Where, since: float) -> list[TriageCase]:
    """Return the cases that people corrected at or after `since`, oldest first."""
    with reading(at) as read:
        return await read(lambda db: triage_cases.corrections(db, since))
