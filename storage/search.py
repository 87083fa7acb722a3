"""Searches what was said, inside a transaction. `storage.search_index` has the index.

The index names blocks of messages that have all words; these are read, the newest
first, until enough messages are found that have them all.
"""

from collections import defaultdict
from collections.abc import Sequence
from sqlite3 import Row

from sqlite_utils import Database

from bot.domain.scope import Scope, ThreadKey
from bot.domain.search import Hit, Hits
from bot.text.words import Term, fold
from storage.broken import calendar_time
from storage.scope_columns import scope_of
from storage.search_index import BLOCK_BITS, block_rows

# The most blocks that one search reads, of 256 messages each: about 50 ms.
MOST_BLOCKS = 40

_PLACES = """
    SELECT id, platform, workspace, channel, '' AS thread FROM search_places
    WHERE platform = ? AND workspace = ?
"""
_BLOCKS = """
    SELECT DISTINCT block FROM search_words
    WHERE place = ? AND word >= ? AND word < ?
"""
_POSTED = """
    SELECT message, text FROM replies
    WHERE turn_id = ? AND message IS NOT NULL ORDER BY part
"""


def channels_with(db: Database, place: Scope, terms: Sequence[Term]) -> list[Scope]:
    newest = []
    for row in db.execute(_PLACES, [place.platform, place.workspace]).fetchall():
        if blocks := _blocks(db, row["id"], terms):
            newest.append((max(blocks), scope_of(row)))
    newest.sort(reverse=True)
    return [channel for _, channel in newest]


def search(
    db: Database,
    channels: Sequence[Scope],
    terms: Sequence[Term],
    most: int,
    before: int | None = None,
) -> Hits:
    if not channels:
        return Hits(())
    place, wanted = channels[0], {each.channel for each in channels}
    # By block, the channels in which it has all terms.
    blocks: dict[int, list[str]] = defaultdict(list)
    for row in db.execute(_PLACES, [place.platform, place.workspace]).fetchall():
        if row["channel"] in wanted:
            for block in _blocks(db, row["id"], terms):
                if before is None or block << BLOCK_BITS < before:
                    blocks[block].append(row["channel"])
    left = sorted(blocks, reverse=True)
    found: list[Hit] = []
    for block in left[:MOST_BLOCKS]:
        for row in block_rows(db, block, place, blocks[block]):
            if before is not None and row["id"] >= before:
                continue
            if not _has(row["said"] or "", terms):
                continue
            if len(found) == most:
                return Hits(tuple(found), found[-1].number)
            found.append(_hit(db, row, terms))
    rest = len(left) > MOST_BLOCKS
    return Hits(tuple(found), left[MOST_BLOCKS - 1] << BLOCK_BITS if rest else None)


def _blocks(db: Database, place: int, terms: Sequence[Term]) -> set[int]:
    """Return the blocks in which all of `terms` occur in a channel."""
    found: set[int] | None = None
    for first, last in (each for term in terms for each in term.ranges):
        blocks = {block for (block,) in db.execute(_BLOCKS, [place, first, last])}
        found = blocks if found is None else found & blocks
        if not found:
            break
    return found or set()


def _has(text: str, terms: Sequence[Term]) -> bool:
    folded = fold(text)
    return all(term.is_in(folded) for term in terms)


def _hit(db: Database, row: Row, terms: Sequence[Term]) -> Hit:
    message = row["message"] or ""
    if row["role"] == "assistant":
        parts = db.execute(_POSTED, [row["turn_id"]]).fetchall()
        with_word = [
            each["message"]
            for each in parts
            if any(term.is_in(fold(each["text"])) for term in terms)
        ]
        message = next(iter([*with_word, *(each["message"] for each in parts)]), "")
    return Hit(
        ThreadKey(row["platform"], row["workspace"], row["channel"], row["thread"]),
        row["id"],
        message,
        row["author"],
        calendar_time(row["at"]),
        row["said"] or "",
    )
