"""Reads the machine's certificates once per process.

Every client would read all of them, which takes 50 ms of processor time, although no
connection of a test leaves loopback.
"""

import functools
import ssl

import httpcore2


def read_once() -> None:
    """Make clients that ask for the same certificates share one SSL context."""
    ssl.create_default_context = functools.cache(  # type: ignore[assignment]
        ssl.create_default_context
    )
    httpcore2.default_ssl_context = functools.cache(httpcore2.default_ssl_context)


def read() -> None:
    """Read the certificates for the processes that are forked from this one."""
    ssl.create_default_context()
    httpcore2.default_ssl_context()
