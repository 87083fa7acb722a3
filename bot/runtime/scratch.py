"""Temporary files for one piece of work.

Rule: no file is left behind, even if the process is killed. Where the system allows it,
the file has no name while it is in use.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

_OPEN_FILES = Path("/proc/self/fd")


@contextlib.contextmanager
def scratch_file() -> Iterator[tuple[BinaryIO, Path]]:
    """Create an empty private file, and yield it with a path for reading it.

    The file is deleted afterwards. Raises OSError.
    """
    with tempfile.NamedTemporaryFile(prefix="threadkeep-", delete=False) as file:
        named = Path(file.name)
        path = _OPEN_FILES / str(file.fileno())
        try:
            if path.exists():
                named.unlink()
            else:
                path = named
            yield cast(BinaryIO, file), path
        finally:
            named.unlink(missing_ok=True)
