"""What people deleted on their platform, inside a transaction: known as deleted, and
forgotten wherever words of it were stored.

Rule: only what people said goes. That there was a message is kept, so that everything
else keeps its place, and so is what Claude made of it, unless people delete that, too.
"""

from collections.abc import Sequence

from sqlite_utils import Database

from bot.domain.scope import Scope
from storage import settings, tombstones, triage_cases
from storage.scope_columns import inside, parts

# One message may be remembered in several threads: where it was said, and where it was
# quoted. The bot's own have no id of the platform's here.
SAID = """
    SELECT messages.id FROM messages JOIN threads ON threads.id = thread_id
    WHERE message = :message AND platform = :platform AND workspace = :workspace
      AND (:channel = '' OR channel = :channel)
"""

# Other messages with the same words. What was forwarded may come from another
# workspace, where ids are unique on the whole platform.
HELD = """
    SELECT messages.id FROM holders
      CROSS JOIN messages ON messages.id = message_id
      CROSS JOIN threads ON threads.id = thread_id
    WHERE holder = :message AND platform = :platform
      AND (:channel = '' OR (workspace = :workspace AND channel = :channel))
"""

# What began the thread that stands on a message: a command's question has another id
# than the message that shows it.
OPENED = """
    SELECT messages.id FROM threads CROSS JOIN messages ON thread_id = threads.id
    WHERE thread = :message AND platform = :platform AND workspace = :workspace
      AND (:channel = '' OR channel = :channel) AND opens
"""

# Answers that are complete, and of which people deleted a message. Of one that is still
# being written, its end asks.
ANSWERED = """
    SELECT turn_id FROM replies
      CROSS JOIN turns ON turns.id = turn_id
      CROSS JOIN threads ON threads.id = thread_id
    WHERE message = :message AND state = 'delivered'
      AND platform = :platform AND workspace = :workspace
      AND (:channel = '' OR channel = :channel)
"""


def erase(
    db: Database,
    messages: Sequence[str],
    *,
    platform: str,
    workspace: str,
    channel: str | None,
    now: float,
) -> None:
    """Forget `messages` and what holds their words; see
    `bot.ports.store.ThreadStore.erase`."""
    place = Scope(platform, workspace, channel or "")
    for message in messages:
        where = {**parts(place), "message": message}
        tombstones.note(db, place, message, now=now)
        gone: set[int] = set()
        for query in (SAID, HELD, OPENED):
            gone |= {number for (number,) in db.execute(query, where).fetchall()}
        for number in gone:
            _blank(db, number, now=now)
        for (turn,) in db.execute(ANSWERED, where).fetchall():
            forget_answer(db, turn, now=now)
        triage_cases.erase(db, message, within=place)


def forget(db: Database, place: Scope, *, now: float) -> None:
    """Forget a thread or channel that was deleted, with all that was said in it."""
    tombstones.note(db, place, "", now=now)
    at = parts(place)
    threads = f"SELECT id FROM threads WHERE {inside(place)}"
    db.execute(
        f"""
        UPDATE messages SET text = '', files = '[]', content = NULL,
            deleted_at = coalesce(deleted_at, :now)
        WHERE role = 'user' AND thread_id IN ({threads})
        """,
        {**at, "now": now},
    )
    done = (
        f"SELECT id FROM turns WHERE state = 'delivered' AND thread_id IN ({threads})"
    )
    for (turn,) in db.execute(done, at).fetchall():
        forget_answer(db, turn, now=now)
    triage_cases.erase_in(db, place)
    settings.forget_drafts(db, place)


def forget_answer(db: Database, turn: int, *, now: float) -> None:
    """Forget what was answered in turn number `turn`, which is delivered."""
    db.execute("UPDATE turns SET text = '' WHERE id = ?", [turn])
    db.execute("UPDATE replies SET text = '' WHERE turn_id = ?", [turn])
    db.execute(
        "UPDATE messages SET deleted_at = ?, content = NULL "
        "WHERE thread_id = (SELECT thread_id FROM turns WHERE id = ?) "
        "AND turn_id = ? AND role = 'assistant'",
        [now, turn, turn],
    )


def answer_taken_back(db: Database, turn: int, thread: Scope) -> bool:
    """Whether people deleted a message of the answer in turn number `turn`, or all of
    its thread."""
    shown = db.execute(
        "SELECT message FROM replies WHERE turn_id = ? AND message IS NOT NULL", [turn]
    ).fetchall()
    return tombstones.is_erased(db, thread, ("", *(message for (message,) in shown)))


def hold(db: Database, place: Scope, message: str, holder: str, *, now: float) -> None:
    """Let the stored `message`, in the channel `place`, be forgotten with `holder`."""
    where = {**parts(place), "message": message}
    for (number,) in db.execute(SAID, where).fetchall():
        add_holder(db, number, holder)
        if tombstones.is_erased(db, place, [holder]):
            _blank(db, number, now=now)


def add_holder(db: Database, message_id: int, holder: str) -> None:
    """Note that words of message number `message_id` also stand in `holder`."""
    db.execute("INSERT OR IGNORE INTO holders VALUES (?, ?)", [message_id, holder])


def _blank(db: Database, message_id: int, *, now: float) -> None:
    db.execute(
        """
        UPDATE messages SET deleted_at = ?, text = '', files = '[]', content = NULL
        WHERE id = ? AND deleted_at IS NULL
        """,
        [now, message_id],
    )
