"""Compares two texts line by line. Pure.

Rule: the time has a bound whatever the texts are. What is equal at the beginning and
at the end is set aside first, in linear time; what is left is compared only while it
is small, for that takes up to the product of its lines, several times over.
"""

import difflib
from collections.abc import Iterator, Sequence
from functools import lru_cache

#: The most lines of one side times lines of the other that are compared: 1,000 changed
#: lines on both sides. A pair takes about 0.15 µs at worst (measured), so that is some
#: 0.2 s, off the event loop.
MOST_PAIRS = 1_000_000

#: How many lines around a change are shown.
CONTEXT = 2


@lru_cache(maxsize=64)
def compared(old: str, new: str, context: int = CONTEXT) -> tuple[str, ...] | None:
    """Return the difference from `old` to `new` as lines of a unified one, without its
    head and without line ends; () if they read the same, None if they are too
    different to be compared line by line. The result is kept.
    """
    before, after = old.splitlines(), new.splitlines()
    if before == after:
        return ()
    same = _common(before, after)
    behind = _common(before[same:][::-1], after[same:][::-1])
    # As much of what is equal as the context shows.
    same, behind = max(0, same - context), max(0, behind - context)
    ours = before[same : len(before) - behind]
    theirs = after[same : len(after) - behind]
    if len(ours) * len(theirs) > MOST_PAIRS:
        return None
    return tuple(_hunks(ours, theirs, same, context))


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many lines are equal at the beginning of both."""
    shorter = min(len(one), len(other))
    return next((n for n in range(shorter) if one[n] != other[n]), shorter)


def _hunks(
    ours: Sequence[str], theirs: Sequence[str], skipped: int, context: int
) -> Iterator[str]:
    matcher = difflib.SequenceMatcher(None, ours, theirs)
    for group in matcher.get_grouped_opcodes(context):
        first, last = group[0], group[-1]
        old = _range(skipped + first[1], skipped + last[2])
        new = _range(skipped + first[3], skipped + last[4])
        yield f"@@ -{old} +{new} @@"
        for tag, i, j, k, m in group:
            if tag == "equal":
                yield from (f" {line}" for line in ours[i:j])
                continue
            yield from (f"-{line}" for line in ours[i:j])
            yield from (f"+{line}" for line in theirs[k:m])


def _range(start: int, stop: int) -> str:
    """Return lines `start` to `stop`, counted from 0, as a unified difference does."""
    length = stop - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"
