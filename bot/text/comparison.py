"""Line-by-line comparison of two texts. Pure.

Rule: the time is bounded for any texts. The equal beginning and end are removed first,
in linear time. The rest is compared only if it is small, since the time is proportional
to the product of both numbers of lines.
"""

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

#: The largest product of the numbers of lines to compare: 1,000 changed lines on both
#: sides. A pair takes about 0.15 µs at worst (measured), so this is about 0.2 s, off
#: the event loop.
MOST_PAIRS = 1_000_000

#: The number of unchanged lines shown around a change.
CONTEXT = 2


@lru_cache(maxsize=64)
def unified_diff(old: str, new: str) -> tuple[str, ...] | None:
    """Return the lines of a unified diff from `old` to `new`, without header.

    Lines have no line ends. Return () for equal texts, and None for texts that are too
    different to be compared line by line. The result is cached.
    """
    before, after = old.splitlines(), new.splitlines()
    if before == after:
        return ()
    same = _common(before, after)
    behind = _common(before[same:][::-1], after[same:][::-1])
    # Keep as many equal lines as the context shows.
    same, behind = max(0, same - CONTEXT), max(0, behind - CONTEXT)
    ours = before[same : len(before) - behind]
    theirs = after[same : len(after) - behind]
    if len(ours) * len(theirs) > MOST_PAIRS:
        return None
    return tuple(_hunks(ours, theirs, same))


def count_changed_lines(old: str, new: str) -> tuple[int, int]:
    """Return the numbers of added and of removed lines, in linear time.

    A line that only moved counts as neither.
    """
    before, after = Counter(old.splitlines()), Counter(new.splitlines())
    return (after - before).total(), (before - after).total()


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the number of equal lines at the beginning of both."""
    shorter = min(len(one), len(other))
    return next((n for n in range(shorter) if one[n] != other[n]), shorter)


def _hunks(ours: Sequence[str], theirs: Sequence[str], skipped: int) -> Iterator[str]:
    matcher = difflib.SequenceMatcher(None, ours, theirs)
    for group in matcher.get_grouped_opcodes(CONTEXT):
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
    """Return the range `start` to `stop`, counted from 0, in unified diff notation."""
    length = stop - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"
