"""Ports for processes of tests to listen on."""

import asyncio
import contextlib
import random
import socket

# Below the ports that Linux gives to connections (32768 and up). Such a port may be in
# use when the process starts, or may connect to itself while a test waits for the
# process.
FIRST, LAST = 20_000, 32_000


def free_port() -> int:
    """Return a port on which nothing listens.

    Raises OSError if there is none.
    """
    # Not `random` itself, which repeats its numbers in each fork of a process.
    chance = random.SystemRandom()
    for port in chance.sample(range(FIRST, LAST), 100):
        with contextlib.suppress(OSError), socket.socket() as found:
            found.bind(("127.0.0.1", port))
            return port
    raise OSError("no free port")


async def until_listening(address: str) -> None:
    """Wait until something listens on `address`, such as 127.0.0.1:8080."""
    host, _, port = address.partition(":")
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(host, int(port))
                writer.close()
                return
            await asyncio.sleep(0.02)
