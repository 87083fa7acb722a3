"""The files that this process may have open: each connection is one."""

import contextlib
import resource

#: Enough for the answers, readers and calls of one process.
FILES = 8_192


def allow_connections() -> None:
    """Let this process have as many connections open as the system lets it have: the
    usual 1,024 are fewer than the streams that may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # A system may have another limit, which it does not tell.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
