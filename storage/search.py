"""Searches messages and answers, inside a transaction. `storage.search_index` has the
index.

The index returns the blocks of messages in which all words occur. These blocks are
read, newest first, until enough messages with all of the words are found.
"""

from collections import defaultdict
from collections.abc import Sequence

from bot.domain.scope import Scope, ThreadKey
from bot.domain.search import Hit, Hits
from bot.text.words import Term, fold
from storage.broken import calendar_time
from storage.connection import Connection, Row
from storage.scope_columns import scope_of
from storage.search_index import BLOCK_BITS, block_rows, waiting_blocks, waiting_rows

# SQLite allows 500 parts in a compound query. A block that contains this many of the
# terms is searched in any case.
_MOST_RANGES = 50

# Greater than the number of any block.
_NEWEST = 2**62

# The most messages outside the index that a search reads, block by block.
MOST_WAITING = 1_000

# The most blocks that one search reads, of 256 messages each. They take about 50 ms.
MOST_BLOCKS = 40

_PLACES = """
    SELECT id, platform, workspace, channel, '' AS thread FROM search_places
    WHERE platform = ? AND workspace = ?
"""
# The blocks with words in one range. SQLite intersects and sorts them several times
# faster than they could be fetched: a common word is in most blocks.
_BLOCKS = """
    SELECT block FROM search_words
    WHERE place = :place AND word >= :first{nth} AND word < :last{nth}
      AND block <= :newest
"""
_POSTED = """
    SELECT message, text FROM replies
    WHERE turn_id = ? AND message IS NOT NULL ORDER BY part
"""


def channels_with(db: Connection, place: Scope, terms: Sequence[Term]) -> list[Scope]:
    newest = []
    for row in db.execute(_PLACES, [place.platform, place.workspace]).fetchall():
        if blocks := _blocks(db, row["id"], terms, most=1):
            newest.append((blocks[0], scope_of(row)))
    for row in waiting_rows(db, place, MOST_WAITING):
        channel = Scope(row["platform"], row["workspace"], row["channel"])
        if _has(row["said"] or "", terms):
            newest.append((row["id"] >> BLOCK_BITS, channel))
    newest.sort(reverse=True)
    return list(dict.fromkeys(channel for _, channel in newest))


def search(
    db: Connection,
    channels: Sequence[Scope],
    terms: Sequence[Term],
    most: int,
    before: int | None = None,
) -> Hits:
    if not channels:
        return Hits(())
    place, wanted = channels[0], {each.channel for each in channels}
    # By block, the channels in which the block contains all terms.
    blocks: dict[int, list[str]] = defaultdict(list)
    for row in db.execute(_PLACES, [place.platform, place.workspace]).fetchall():
        if row["channel"] in wanted:
            # The limit applies to the blocks of all channels together.
            for block in _blocks(db, row["id"], terms, MOST_BLOCKS + 1, before):
                blocks[block].append(row["channel"])
    newest = _newest(before)
    for block in waiting_blocks(db, MOST_WAITING):
        if block <= newest:
            blocks[block] = sorted(wanted)
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


def _blocks(
    db: Connection,
    place: int,
    terms: Sequence[Term],
    most: int,
    before: int | None = None,
) -> list[int]:
    """Return the newest `most` blocks in which all of `terms` occur in a channel,
    newest first.

    With `before`, only blocks that contain messages with lower numbers.
    """
    ranges = [each for term in terms for each in term.ranges][:_MOST_RANGES]
    if not ranges:
        return []
    newest = _newest(before)
    values: dict[str, object] = {"place": place, "newest": newest, "most": most}
    for nth, (first, last) in enumerate(ranges):
        values |= {f"first{nth}": first, f"last{nth}": last}
    found = " INTERSECT ".join(_BLOCKS.format(nth=nth) for nth in range(len(ranges)))
    if len(ranges) == 1:
        # A block appears once for each of its words in the range.
        found = found.replace("SELECT", "SELECT DISTINCT")
    query = f"{found} ORDER BY block DESC LIMIT :most"
    return [block for (block,) in db.execute(query, values)]


def _newest(before: int | None) -> int:
    """Return the newest block with messages before the number `before`."""
    return _NEWEST if before is None else (before - 1) >> BLOCK_BITS


def _has(text: str, terms: Sequence[Term]) -> bool:
    folded = fold(text)
    return all(term.is_in(folded) for term in terms)


def _hit(db: Connection, row: Row, terms: Sequence[Term]) -> Hit:
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
