"""A slow connection to PostgreSQL."""

import contextlib
import multiprocessing
import queue
import socket
import time
from collections.abc import Iterator
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path
from threading import Thread

from psycopg.conninfo import conninfo_to_dict, make_conninfo

SOCKET = ".s.PGSQL.5432"
CHUNK = 1 << 16


@contextlib.contextmanager
def distant(address: str, seconds: float, folder: Path) -> Iterator[str]:
    """Yield an address, with a socket in `folder`, at which each round trip to the
    server at `address` takes `seconds` longer."""
    folder.mkdir()
    here = Path(str(conninfo_to_dict(address)["host"]))
    # In a separate process, so that nothing else delays the data.
    spawn = multiprocessing.get_context("spawn")
    listens = spawn.Event()
    ends = str(folder / SOCKET), str(here / SOCKET)
    process = spawn.Process(target=_carry, args=(*ends, seconds, listens), daemon=True)
    process.start()
    try:
        listens.wait()
        yield make_conninfo(address, host=str(folder))
    finally:
        process.kill()
        process.join()


def _carry(near: str, far: str, seconds: float, listens: Event) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(near)
        listener.listen(128)
        listens.set()
        while True:
            client, _ = listener.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(far)
            answers: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
            for work in (
                partial(_send, client, server),
                partial(_receive, server, answers, seconds),
                partial(_deliver, client, answers),
            ):
                Thread(target=work, daemon=True).start()


def _send(client: socket.socket, server: socket.socket) -> None:
    while sent := _received(client):
        server.sendall(sent)
    _end(server)


def _receive(
    server: socket.socket,
    answers: "queue.SimpleQueue[tuple[float, bytes]]",
    seconds: float,
) -> None:
    while answer := _received(server):
        answers.put((time.monotonic() + seconds, answer))
    answers.put((0.0, b""))


def _deliver(
    client: socket.socket, answers: "queue.SimpleQueue[tuple[float, bytes]]"
) -> None:
    while True:
        due, answer = answers.get()
        if not answer:
            break
        time.sleep(max(0.0, due - time.monotonic()))
        with contextlib.suppress(OSError):
            client.sendall(answer)
    _end(client)


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(CHUNK)
    except OSError:
        return b""


def _end(side: socket.socket) -> None:
    with contextlib.suppress(OSError):
        side.shutdown(socket.SHUT_RDWR)
