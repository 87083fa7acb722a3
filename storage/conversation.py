"""The messages of a thread that the model reads, inside a transaction.

Rule: the conversation of a thread only grows, byte for byte, except when people edit or
delete messages, and when a turn is the first to use a summary.

The ended turns of a long thread are cached in memory (`passages`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from bot.domain.completion import ChatMessage, Compaction, Encoded, RequestFile
from bot.domain.scope import ThreadKey
from bot.domain.summary import ReadTurn
from storage import files, passages
from storage.broken import log_broken
from storage.connection import Connection, Cursor
from storage.dialect import GREATEST, plain_rows
from storage.thread_queries import THREAD_ID, named

#: The summary that is in use in a thread.
_USED = f"""
    SELECT {{}} FROM summaries
    WHERE thread_id = ({THREAD_ID}) AND used_by IS NOT NULL
    ORDER BY until DESC LIMIT 1
"""
USED, UNTIL = _USED.format("*"), _USED.format("until")

# The values that invalidate a cached passage when they change.
BASIS = f"""
    SELECT id, reads_after, coalesce(({UNTIL}), 0) AS until FROM threads
    WHERE id = ({THREAD_ID})
"""

# CROSS JOIN fixes the order of the join, whatever SQLite's statistics say: in this
# order, the index yields sorted rows.
CONVERSATION = f"""
    SELECT messages.turn_id, role, content, preface, messages.id, files <> '[]'
    FROM threads CROSS JOIN messages ON messages.thread_id = threads.id
      CROSS JOIN turns ON turns.id = messages.turn_id
    WHERE platform = :platform AND channel = :channel
      AND workspace = :workspace AND thread = :thread
      AND messages.turn_id > {GREATEST}(coalesce(({UNTIL}), 0), :behind)
      AND messages.id > reads_after
      AND place IS NOT NULL
      AND coalesce(ended, '') <> 'refused'
    ORDER BY messages.turn_id, place
"""


class _Turn(NamedTuple):
    """The messages of one turn for the model, or the summary of all turns up to it."""

    turn: int
    entries: Sequence[ChatMessage]
    messages: int
    is_summary: bool = False
    #: The ids of the messages whose files the first entry contains.
    files: Sequence[int] = ()


def conversation(db: Connection, thread: ThreadKey) -> list[ChatMessage]:
    kept = passages.of(db)
    if kept is not None:
        return _with_kept(db, thread, kept)
    return [entry for turn in _turns(db, thread) for entry in turn.entries]


def turns_read(db: Connection, thread: ThreadKey) -> list[ReadTurn]:
    """Return the content that the model reads of `thread`, by turn. A summary comes
    first."""
    return [
        ReadTurn(each.turn, tuple(each.entries), each.messages, each.is_summary)
        for each in _turns(db, thread)
    ]


def _with_kept(
    db: Connection, thread: ThreadKey, kept: passages.Passages
) -> list[ChatMessage]:
    """Return the conversation, reading only the turns that `kept` lacks.

    Caches all turns but the last, which may be in progress.
    """
    row = db.execute(BASIS, named(thread)).fetchone()
    if row is None:
        return []
    passage = kept.take(row["id"], row["reads_after"], row["until"])
    before = list(passage.entries)
    for number, ids in passage.files:
        asked = {id: files.ask_files(db, id) for id in ids}
        before[number] = replace(before[number], files=_files(asked, ids))
    turns = list(_turns(db, thread, passage.turn, keeps=True))
    summary = turns.pop(0).entries if turns and turns[0].is_summary else ()
    for each in turns[:-1]:
        passage.add(each.turn, each.entries, each.files)
    kept.put(row["id"], passage)
    return [*summary, *before, *(entry for turn in turns for entry in turn.entries)]


def _turns(
    db: Connection, thread: ThreadKey, behind: int = 0, *, keeps: bool = False
) -> Iterator[_Turn]:
    """Yield the summary of `thread`, if any, and the turns with ids above `behind`.

    With `keeps`, the entries can cache their JSON: encoding all entries of a long
    thread takes time.
    """
    # All queries are sent before any result is read: on PostgreSQL, this takes one
    # round trip.
    used = db.execute(USED, named(thread))
    after = {**named(thread), "behind": behind}
    rows = list(plain_rows(db, CONVERSATION, after))
    asked_files = {id: files.ask_files(db, id) for *_, id, has_any in rows if has_any}
    if summary := used.fetchone():
        block = summary["block"]
        made = Compaction(summary["model"], block) if block else None
        entry = ChatMessage("user", summary["content"], compaction=made)
        messages = summary["messages"]
        yield _Turn(summary["until"], (entry,), messages, is_summary=True)
    for turn, group in groupby(rows, itemgetter(0)):
        asked: list[str | None] = []
        answers: list[str | None] = []
        shown: list[int] = []
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
            if id in asked_files:
                shown.append(id)
        answer = answers[0] if answers else None
        left = len(asked) - asked.count(None)
        entries = _exchange(preface, asked, answer, keeps=keeps)
        if shown and left:
            entries[0] = replace(entries[0], files=_files(asked_files, shown))
        if entries:
            messages = left + bool(answer)
            yield _Turn(turn, entries, messages, files=shown if left else ())


def _files(
    asked: Mapping[int, Cursor], messages: Sequence[int]
) -> tuple[RequestFile, ...]:
    return tuple(file for id in messages for file in files.read_files(asked[id], id))


def _exchange(
    preface: str | None,
    contents: Sequence[str | None],
    answer: str | None,
    *,
    keeps: bool,
) -> list[ChatMessage]:
    """Return what the model reads of one turn, without files.

    The content of a deleted message is None. An answer always has a "user" entry before
    it: without one, the answer would open the conversation or seem to answer another
    question.
    """
    left = [content for content in contents if content is not None]
    if not left and not (contents and preface and answer):
        return []
    said = [("user", "\n".join([preface, *left] if preface else left))]
    if answer:
        said.append(("assistant", answer))
    return [
        ChatMessage(role, text, (), None, Encoded() if keeps else None)
        for role, text in said
    ]
