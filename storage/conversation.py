"""The messages of a thread that the model reads, inside a transaction.

Rule: what is returned for a thread only grows, byte for byte, except where people edit
or delete, and where a turn is the first to use a summary.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from bot.domain.completion import ChatMessage, Compaction, RequestFile
from bot.domain.scope import ThreadKey
from bot.domain.summary import ReadTurn
from storage import files
from storage.broken import log_broken
from storage.connection import Connection
from storage.dialect import plain_rows
from storage.thread_queries import THREAD_ID, named

#: The summary that turns of a thread read now.
_USED = f"""
    SELECT {{}} FROM summaries
    WHERE thread_id = ({THREAD_ID}) AND used_by IS NOT NULL
    ORDER BY until DESC LIMIT 1
"""
USED, UNTIL = _USED.format("*"), _USED.format("until")

# CROSS JOIN fixes the order of the join, whatever SQLite's statistics say: in this
# order, the index yields sorted rows.
CONVERSATION = f"""
    SELECT messages.turn_id, role, content, preface, messages.id, files <> '[]'
    FROM threads CROSS JOIN messages ON messages.thread_id = threads.id
      CROSS JOIN turns ON turns.id = messages.turn_id
    WHERE platform = :platform AND channel = :channel
      AND workspace = :workspace AND thread = :thread
      AND messages.turn_id > coalesce(({UNTIL}), 0)
      AND messages.id > reads_after
      AND place IS NOT NULL
      AND coalesce(ended, '') <> 'refused'
    ORDER BY messages.turn_id, place
"""


def conversation(db: Connection, thread: ThreadKey) -> list[ChatMessage]:
    return [entry for _, entries, _, _ in _turns(db, thread) for entry in entries]


def turns_read(db: Connection, thread: ThreadKey) -> list[ReadTurn]:
    """Return what the model reads of `thread`, by turn; a summary is the first."""
    return [
        ReadTurn(turn, tuple(entries), messages, is_summary=is_summary)
        for turn, entries, messages, is_summary in _turns(db, thread)
    ]


def _turns(
    db: Connection, thread: ThreadKey
) -> Iterator[tuple[int, Sequence[ChatMessage], int, bool]]:
    """Yield the fields of what `turns_read` returns: of a long thread, making values of
    all of them takes time."""
    # All is asked for before any is read: on PostgreSQL one round trip brings it.
    used = db.execute(USED, named(thread))
    rows = list(plain_rows(db, CONVERSATION, named(thread)))
    shown = {id: files.ask_files(db, id) for *_, id, has_files in rows if has_files}
    if summary := used.fetchone():
        block = summary["block"]
        made = Compaction(summary["model"], block) if block else None
        entry = ChatMessage("user", summary["content"], compaction=made)
        yield summary["until"], (entry,), summary["messages"], True
    for turn, group in groupby(rows, itemgetter(0)):
        asked: list[str | None] = []
        answers: list[str | None] = []
        read: list[RequestFile] = []
        preface: str | None = None
        for _, role, content, told, id, _ in group:
            preface = told
            if role == "user":
                asked.append(content)
            elif role == "assistant":
                answers.append(content)
            else:
                log_broken("messages", id)
                continue
            if id in shown:
                read += files.read_files(shown[id], id)
        answer = answers[0] if answers else None
        if entries := _exchange(preface, asked, answer, read):
            left = len(asked) - asked.count(None)
            yield turn, entries, left + bool(answer), False


def _exchange(
    preface: str | None,
    contents: Sequence[str | None],
    answer: str | None,
    shown: Sequence[RequestFile],
) -> list[ChatMessage]:
    """Return what the model reads of one turn; the content of a deleted message is
    None.

    An answer always has a "user" entry before it: without one, it would open the
    conversation or seem to answer another question.
    """
    left = [content for content in contents if content is not None]
    if contents and not left and preface and answer:
        return [ChatMessage("user", preface), ChatMessage("assistant", answer)]
    if not left:
        return []
    text = "\n".join([preface, *left] if preface else left)
    asked = ChatMessage("user", text, tuple(shown))
    return [asked, ChatMessage("assistant", answer)] if answer else [asked]
