"""Reads the machine's certificates once in a process.

Every client reads all of them, for a twentieth of a second of a processor, and no
connection of a test leaves loopback.
"""

import functools
import ssl

import httpcore2


def read_once() -> None:
    """Let clients that ask for the same certificates share what was read first."""
    ssl.create_default_context = functools.cache(  # type: ignore[assignment]
        ssl.create_default_context
    )
    httpcore2.default_ssl_context = functools.cache(httpcore2.default_ssl_context)


def read() -> None:
    """Read them for the processes that are forked from this one."""
    ssl.create_default_context()
    httpcore2.default_ssl_context()
