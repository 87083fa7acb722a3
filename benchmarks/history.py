"""Makes databases with old turns.

Rule: the store's own methods write one turn per thread, and SQLite then copies its
rows. So the rows are those of the product, whatever their columns, and a hundred
thousand turns take twenty seconds instead of minutes.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import MappingProxyType

from sqlite_utils import Database

from bot.context import prompt
from bot.domain.attachment import Attachment, FileContent
from bot.domain.budget import NO_LIMITS
from bot.domain.completion import Usage
from bot.domain.message import Message
from bot.domain.reply import PostedPart
from bot.domain.scope import ScopeLevel, ThreadKey
from bot.domain.setting import AppliedSetting
from bot.domain.turn import Ended, Outcome
from bot.ports.store import Store
from storage import read_counts
from storage.database import open_for_writing
from storage.opening import open_store
from tests.support.store_helpers import answer

# A typical question in a chat, and a brief answer of Claude.
QUESTION = "how do we roll the release back when a migration ran already? " * 3
ANSWER = "Stop the workers first, then restore the newest snapshot of the table. " * 6

# The age in seconds: a month, so that all of it is older than the measured messages.
AGE = 30 * 86400.0


async def fill(path: Path, threads: Sequence[ThreadKey], turns: int) -> None:
    """Make a database at `path` in which each of `threads` has had `turns` turns.

    The turns of different threads are interleaved, as they would be in time.
    """
    async with open_store(path) as store:
        for thread in threads:
            await exchange(store, thread, thread.thread, time.time() - AGE)
    with closing(open_for_writing(path)) as db, db.atomic():
        _multiply(db, len(threads), turns)


async def exchange(
    store: Store,
    thread: ThreadKey,
    message: str,
    at: float,
    files: Mapping[Attachment, FileContent] = MappingProxyType({}),
) -> None:
    """Store one turn, from its question `message` with `files` to its delivery."""
    heard = Message(
        thread=thread,
        message=message,
        at=at,
        author="U00000002",
        text=QUESTION,
        addressed=True,
        opens=True,
        files=tuple(files),
    )
    await store.receive(heard, answer)
    turn = await store.next_turn(thread)
    assert turn is not None
    await store.begin_turn(turn, at)
    for file, content in files.items():
        digest = hashlib.sha256(content.data).hexdigest()
        await store.store_file(
            thread, message, file, digest, len(content.data), content
        )
    stored = (await store.stored_files(thread, [message]))[message]
    text = prompt.label(heard, "Alice", QUESTION, stored)
    await store.store_prompt(turn, prompt.preface(at), {message: text})
    await store.reserve(turn, heard.author, 0.1, NO_LIMITS, at)
    part = PostedPart(0, f"{message}-reply", ANSWER)
    await store.store_part(turn, part, ANSWER, at)
    outcome = Outcome(
        Ended.DONE,
        text=ANSWER,
        replay=ANSWER,
        model="claude-sonnet-5-5",
        stop_reason="end_turn",
        usage=Usage(output=100),
        cost=0.01,
        applied=(AppliedSetting("model", "", ScopeLevel.OPERATOR, ""),),
    )
    await store.finish_turn(turn, outcome, at)
    await store.mark_delivered(turn, at)


def _multiply(db: Database, threads: int, turns: int) -> None:
    """Copy the first `threads` turns until each thread has `turns`."""
    rest = _columns(db, "turns", without={"id", "key"})
    db.execute(
        f"""
        WITH RECURSIVE copies (n) AS (
            SELECT 2 UNION ALL SELECT n + 1 FROM copies WHERE n < :turns
        )
        INSERT INTO turns (key, {", ".join(rest)})
        SELECT lower(hex(randomblob(8))), {", ".join(rest)}
        FROM copies CROSS JOIN turns
        ORDER BY n, turns.id
        """,
        {"turns": turns},
    )
    rest = _columns(db, "messages", without={"id", "turn_id", "message", "at"})
    db.execute(
        f"""
        INSERT INTO messages (turn_id, message, at, {", ".join(rest)})
        SELECT turns.id, message || '-' || turns.id, at + turns.id,
            {", ".join(f"messages.{column}" for column in rest)}
        FROM turns JOIN messages ON messages.thread_id = turns.thread_id
        WHERE turns.id > :threads
        ORDER BY turns.id, messages.id
        """,
        {"threads": threads},
    )
    db.execute(
        """
        INSERT INTO replies (turn_id, part, message, text)
        SELECT turns.id, part, replies.message || '-' || turns.id, replies.text
        FROM turns
        JOIN turns AS first ON first.thread_id = turns.thread_id
        JOIN replies ON replies.turn_id = first.id
        WHERE turns.id > :threads AND first.id <= :threads
        """,
        {"threads": threads},
    )
    _count(db)


def _count(db: Database) -> None:
    """Store the sums that the last question of each thread would have stored."""
    for thread, last in db.execute(
        "SELECT thread_id, max(turn_id) FROM messages GROUP BY thread_id"
    ).fetchall():
        at = {"thread": thread, "turn": last, "after": 0, "behind": 0}
        sums = db.execute(read_counts.COUNTS, at).fetchone()
        of = {"thread_id": thread, "turn_id": last, "reads_after": 0}
        names = (*read_counts.COUNTED, "upto")
        db.execute(read_counts.KEEP, {**of, **{name: sums[name] for name in names}})


def _columns(db: Database, table: str, *, without: set[str]) -> list[str]:
    return [name for name in db.table(table).columns_dict if name not in without]
