"""Edits that add or remove a mention of the bot in a stored message, inside a
transaction.

Rule: a message is a question only once. A message that a turn answers, or has answered,
begins no other turn.
"""

from dataclasses import replace

from bot.domain.message import Disposition, Message, Verdict
from bot.domain.scope import Scope
from bot.ports.inbox import Judge
from storage import attachments, inbox, locks, settings, thread_queries
from storage.connection import Connection, Row
from storage.dialect import SAME


def readdress(db: Connection, message: Message, judge: Judge, now: float) -> Verdict:
    locks.storing(db, Scope.of(message.thread))
    thread = locks.thread(db, message.thread)
    row = _stored_row(db, thread["id"], message.message) if thread else None
    if thread is None or row is None:
        return (
            inbox.receive(db, message, judge, now)
            if message.addressed
            else inbox.IGNORED
        )
    asked = bool(row["addressed"] or row["asks"])
    takes_back = row["addressed"] and row["asks"] and row["state"] == "waiting"
    if row["deleted_at"] is not None:
        return inbox.IGNORED
    if message.addressed is asked or not (message.addressed or takes_back):
        return inbox.IGNORED
    if message.opens:
        # The root decides whether the bot follows the thread.
        db.execute(
            "UPDATE threads SET follows = ? WHERE id = ?",
            [message.addressed, thread["id"]],
        )
        thread = thread_queries.thread(db, message.thread)
        assert thread is not None
    facts = thread_queries.thread_facts(
        thread, thread_queries.ask_automated(db, message.thread, message.at)
    )
    stored = settings.ask_stored(db, Scope.of(message.thread))
    verdict = judge(message, facts, settings.read_stored(stored))
    if verdict.disposition is Disposition.IGNORE:
        verdict = replace(verdict, disposition=Disposition.KEEP)
    answers = verdict.disposition is Disposition.ANSWER
    turn = row["turn_id"]
    if answers and not row["asks"]:
        (waiting,) = inbox.ask_waiting(db, message.thread).fetchone()
        inbox.queue_turn(db, thread["id"], message, now=now, waiting=waiting)
        (turn,) = inbox.ask_waiting(db, message.thread).fetchone()
    elif row["asks"] and not answers:
        # The next turn reads the message.
        turn = None
    db.execute(
        f"""
        UPDATE messages
        SET addressed = :addressed, asks = :asks, rule = :rule, text = :text,
            files = :files, edited_at = :now,
            place = CASE WHEN turn_id {SAME} :turn THEN place END,
            content = CASE WHEN turn_id {SAME} :turn THEN content END,
            turn_id = :turn
        WHERE id = :id
        """,
        {
            "id": row["id"],
            "addressed": message.addressed,
            "asks": answers,
            "rule": verdict.rule,
            "text": message.text,
            "files": attachments.encode(message.files),
            "now": now,
            "turn": turn,
        },
    )
    if verdict.change is not None:
        settings.change_settings(db, [verdict.change], who=message.author, now=now)
    return verdict


def _stored_row(db: Connection, thread_id: int, message: str) -> Row | None:
    found: Row | None = db.execute(
        """
        SELECT messages.id, addressed, asks, deleted_at, turn_id, state
        FROM messages LEFT JOIN turns ON turns.id = turn_id
        WHERE messages.thread_id = ? AND message = ?
        """,
        [thread_id, message],
    ).fetchone()
    return found
