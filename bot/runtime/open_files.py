"""The limit of open files of this process. Each connection counts as a file."""

import contextlib
import resource

#: Enough for all answers, readers and calls of one process.
FILES = 8_192


def allow_connections() -> None:
    """Raise the limit of open files as far as needed and allowed.

    The usual 1,024 are fewer than the possible number of streams.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # Some systems have another, hidden limit.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
