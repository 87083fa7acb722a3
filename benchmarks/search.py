"""Measures searches in a large database, and the cost of its index."""

import random
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from rich.table import Table

from benchmarks.table import middle, span, table, tail
from bot.domain.scope import Scope
from bot.text.words import terms
from storage.opening import open_store
from storage.search_index import fill
from storage.store import DatabaseStore

#: A question and an answer in turn.
MESSAGES = 100_000
CHANNELS, TURNS = 40, 5
#: The numbers of words in a message and in an answer, and of different words. Their
#: frequency follows Zipf's law, as in prose.
WORDS, VOCABULARY = (20, 110), 50_000
SEARCHES = 200
PLACE = Scope("slack", "T1")


async def measure(platforms: Sequence[str]) -> Table:
    """Fill a database, index it, and search it for common and rare words."""
    with tempfile.TemporaryDirectory() as folder:
        return await searched(Path(folder) / "threadkeep.db", MESSAGES)


async def searched(database: Path, messages: int) -> Table:
    """Make a database of `messages` at `database`, and measure searches in it."""
    async with open_store(database):
        pass
    chance = random.Random(1)
    vocabulary = [_word(nth) for nth in range(VOCABULARY)]
    weights = [1 / (nth + 1) for nth in range(VOCABULARY)]
    said = chance.choices(vocabulary, weights, k=2_000_000)
    _fill(database, messages, said, chance)
    before = _size(database)
    async with open_store(database) as store:
        began = time.process_time()
        while await store._write(partial(fill, most=500)):
            pass
        indexing = time.process_time() - began
        rows = [
            await _row(store, name, words)
            for name, words in {
                "one rare word": [
                    vocabulary[chance.randrange(5_000, VOCABULARY)]
                    for _ in range(SEARCHES)
                ],
                "one common word": [
                    vocabulary[chance.randrange(100)] for _ in range(SEARCHES)
                ],
                "two words": [
                    f"{vocabulary[chance.randrange(2_000)]} "
                    f"{vocabulary[chance.randrange(2_000)]}"
                    for _ in range(SEARCHES)
                ],
            }.items()
        ]
    index = _size(database) - before
    sizes = [f"{each / 2**20:.0f} MiB" for each in (before, index)]
    return table(
        f"search: {messages:,} messages in {CHANNELS} channels of one workspace",
        ("search for", "median", "p99", "hits on the first page"),
        rows,
        caption=f"""CPU time, without the platform's look-ups. The file has
        {sizes[0]} without the index, and {sizes[1]} more with it, which took
        {span(indexing)} of CPU time: {messages / indexing:,.0f} messages a second.""",
    )


def _size(database: Path) -> int:
    return database.stat().st_size


async def _row(
    store: DatabaseStore, name: str, searches: Sequence[str]
) -> Sequence[str]:
    took, hits = [], 0
    for words in searches:
        wanted, began = terms(words), time.process_time()
        channels = await store.channels_with(PLACE, wanted)
        found = await store.search(channels[:30], wanted, 8)
        took.append(time.process_time() - began)
        hits += len(found.found)
    return name, middle(took), tail(took), f"{hits / len(searches):.1f}"


def _word(nth: int) -> str:
    """Return a different word for each number."""
    word = ""
    while nth or len(word) < 4:
        nth, rest = divmod(nth, 20)
        word += f"{'bdklmnprst'[rest // 2]}{'ae'[rest % 2]}"
    return word


def _fill(
    database: Path, messages: int, said: Sequence[str], chance: random.Random
) -> None:
    """Store `messages` without indexing them."""

    def text(length: int) -> str:
        at = chance.randrange(len(said) - length)
        return " ".join(said[at : at + length])

    with closing(sqlite3.connect(database)) as db, db:
        for nth in range(1, messages // 2 + 1):
            thread = (nth - 1) // TURNS + 1
            if nth % TURNS == 1:
                channel = f"C{chance.randrange(CHANNELS)}"
                db.execute(
                    "INSERT INTO threads (id, platform, workspace, channel, thread, "
                    "follows, unread, created_at) "
                    "VALUES (?, 'slack', 'T1', ?, ?, 1, 0, 1)",
                    [thread, channel, str(thread)],
                )
            db.execute(
                "INSERT INTO turns (id, thread_id, key, state, ended, touched, "
                "asked_at, created_at, ended_at, text) "
                "VALUES (?, ?, ?, 'delivered', 'done', 1, 1, 1, 1, ?)",
                [nth, thread, str(nth), text(WORDS[1])],
            )
            for role, words in (("user", text(WORDS[0])), ("assistant", "")):
                db.execute(
                    "INSERT INTO messages (thread_id, turn_id, message, role, author, "
                    "at, text) VALUES (?, ?, ?, ?, 'U1', ?, ?)",
                    [thread, nth, str(nth) if words else None, role, nth, words],
                )
