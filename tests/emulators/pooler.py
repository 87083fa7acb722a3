"""A pooler for PostgreSQL that lends its one session for one transaction at a time, as
PgBouncer does with `pool_mode = transaction`. It listens on loopback, without
passwords."""

import itertools
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_SSL, _GSS = 80877103, 80877104
_NUMBERS = itertools.count(70_000)


@contextmanager
def pooling(server: str, user: str, database: str) -> Iterator[int]:
    """Run a pooler for `database` on the server with the unix socket `server`. Yield
    its port."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.socket(socket.AF_UNIX) as session,
    ):
        session.connect(server)
        greeting = _open(session, user, database)
        pooler = _Pooler(session, greeting)
        threading.Thread(target=pooler.accept, args=[listening], daemon=True).start()
        yield listening.getsockname()[1]
        # Wakes the accepting thread.
        listening.shutdown(socket.SHUT_RDWR)


class _Pooler:
    """Lends `session` to one client at a time."""

    def __init__(self, session: socket.socket, greeting: bytes) -> None:
        self._session = session
        self._greeting = greeting
        self._lent = threading.Lock()

    def accept(self, listening: socket.socket) -> None:
        """Serve clients until `listening` is closed."""
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                serving = threading.Thread(
                    target=self._serve, args=[client], daemon=True
                )
                serving.start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError, EOFError):
            while struct.unpack("!I", _packet(client)[:4])[0] in (_SSL, _GSS):
                client.sendall(b"N")
            # The process id is invented by the pooler.
            own = _message(b"K", struct.pack("!II", next(_NUMBERS), 1))
            client.sendall(self._greeting + own + _message(b"Z", b"I"))
            while True:
                kind, body = _read(client)
                if kind == b"X":
                    return
                with self._lent:
                    self._transaction(client, kind, body)

    def _transaction(self, client: socket.socket, kind: bytes, body: bytes) -> None:
        """Forward messages until the server reports that no transaction is open."""
        while True:
            self._session.sendall(_message(kind, body))
            if kind in (b"Q", b"S"):
                while True:
                    answer, content = _read(self._session)
                    client.sendall(_message(answer, content))
                    if answer == b"Z":
                        break
                if content == b"I":
                    return
            kind, body = _read(client)


def _open(session: socket.socket, user: str, database: str) -> bytes:
    """Open a session. Return the server's greeting."""
    values = ("user", user, "database", database, "client_encoding", "UTF8")
    named = b"".join(each.encode() + b"\0" for each in values) + b"\0"
    packet = struct.pack("!I", 196608) + named
    session.sendall(struct.pack("!I", len(packet) + 4) + packet)
    told = b""
    while True:
        kind, body = _read(session)
        if kind == b"Z":
            return told
        if kind != b"K":
            told += _message(kind, body)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _read(connection: socket.socket) -> tuple[bytes, bytes]:
    return _exactly(connection, 1), _packet(connection)


def _packet(connection: socket.socket) -> bytes:
    (length,) = struct.unpack("!I", _exactly(connection, 4))
    return _exactly(connection, length - 4)


def _exactly(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        if not (more := connection.recv(count - len(found))):
            raise EOFError
        found += more
    return found
