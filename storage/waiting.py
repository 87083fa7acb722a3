"""Threads that wait for an answer, in an order that is fair to people."""

from collections.abc import Collection
from itertools import islice

from bot.domain.scope import ThreadKey
from bot.domain.turn import WaitingThread
from bot.ports.store import Serves, all_threads
from storage.connection import Connection
from storage.dialect import among

# A thread counts for the person who asked its oldest open turn, which is answered next.
WAITING_THREADS = """
    WITH waits AS (
        SELECT thread_id, min(asked_at) AS at, min(turns.id) AS turn
        FROM turns INDEXED BY idx_turns_open
        WHERE state <> 'delivered'
        GROUP BY thread_id
    ), asked AS (
        SELECT waits.*, platform, workspace, channel, thread, coalesce((
            SELECT author FROM messages
            WHERE messages.thread_id = waits.thread_id
              AND messages.turn_id = waits.turn AND asks = 1
            ORDER BY deleted_at IS NOT NULL, messages.at, messages.id LIMIT 1
          ), '') AS asker
        FROM waits CROSS JOIN threads ON threads.id = waits.thread_id
        WHERE {platforms}
    )
    SELECT platform, workspace, channel, thread, asker, at
    FROM asked
    ORDER BY
        row_number() OVER (PARTITION BY platform, asker ORDER BY at, turn), at, turn
"""


def waiting_threads(
    db: Connection,
    platforms: Collection[str],
    most: int,
    serves: Serves = all_threads,
) -> list[WaitingThread]:
    of_platforms, values = among("platform", sorted(platforms))
    rows = db.execute(WAITING_THREADS.format(platforms=of_platforms), values)
    found = (
        WaitingThread(
            ThreadKey(row["platform"], row["workspace"], row["channel"], row["thread"]),
            asker=row["asker"],
            at=row["at"],
        )
        for row in rows
    )
    return list(islice((each for each in found if serves(each.thread)), most))
