"""Makes large database files, and damages them where a start does not read."""

from contextlib import closing
from pathlib import Path

from storage.database import SEARCHED_AT_ONCE, open_for_writing

# Each text takes many overflow pages, which are read only with the text itself.
TEXT = "x" * 100_000


def make_large(path: Path) -> None:
    """Make a database at `path` that is too large to be searched for damage when it is
    opened."""
    with closing(open_for_writing(path)) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        count = SEARCHED_AT_ONCE // len(TEXT) + 2
        rows = ({"turn_id": n, "part": 0, "text": TEXT} for n in range(count))
        db.table("replies").insert_all(rows)
        assert path.stat().st_size > SEARCHED_AT_ONCE


def damage_large(path: Path) -> None:
    """Make such a database, and overwrite some of its pages."""
    make_large(path)
    with path.open("r+b") as file:
        # This offset is within the texts, behind the tables' own pages.
        file.seek(SEARCHED_AT_ONCE // 2)
        file.write(b"\xa5" * 64 * 1024)
