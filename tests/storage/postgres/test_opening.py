"""A database on a server that cannot be used is refused in a sentence."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bot.domain.server_address import ServerAddress
from bot.errors import ConfigError
from storage.opening import open_shared_store, open_store
from storage.postgres import opening
from storage.postgres.lock_numbers import OURS, SCHEMA
from storage.reading import is_new, look_at
from tests.emulators.pooler import pooling
from tests.support import postgres

PASSWORD = "hunter2-secret"


def refusal(address: str) -> str:
    """Return the refusal of `address`."""
    with pytest.raises(ConfigError) as raised:
        look_at(ServerAddress(address))
    assert PASSWORD not in str(raised.value)
    assert raised.value.__cause__ is None
    return str(raised.value)


@pytest.fixture
def role(address: str) -> Iterator[str]:
    """The address of a role that may log in and no more, with its password."""
    if (of := postgres.server()).directory is None:
        pytest.skip("another server's roles are not ours to change")
    # The server is one for all processes of tests.
    locked = f"{postgres.LOCKED}{conninfo_to_dict(address)['dbname']}"
    name = sql.Identifier(locked)
    with psycopg.connect(of.address, autocommit=True) as db:
        db.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, PASSWORD))
    yield make_conninfo(address, user=locked, password=PASSWORD)
    with psycopg.connect(of.address, autocommit=True) as db:
        db.execute(sql.SQL("DROP ROLE {}").format(name))


async def test_a_new_database_gets_its_tables(address: str) -> None:
    at = ServerAddress(address)
    assert is_new(at)
    assert look_at(at)
    async with open_store(at) as store:
        assert await store.open_threads() == []
    assert not is_new(at)
    assert not look_at(at)
    async with open_shared_store(at) as store:
        assert await store.open_threads() == []


async def test_nobody_has_talked_to_a_new_one(address: str) -> None:
    with pytest.raises(ConfigError, match="nobody has talked"):
        async with open_shared_store(ServerAddress(address)):
            pass


def test_a_wrong_password(role: str) -> None:
    wrong = make_conninfo(role, password=f"{PASSWORD}-wrong")
    assert "does not accept the user or the password" in refusal(wrong)
    unknown = make_conninfo(role, user="nobody-knows")
    assert "does not accept the user or the password" in refusal(unknown)
    nothing = " ".join(p for p in role.split() if not p.startswith("password"))
    assert "does not accept the user or the password" in refusal(nothing)


def test_a_database_that_is_not_there(untouched: str) -> None:
    away = make_conninfo(untouched, dbname="no-such", password=PASSWORD)
    assert refusal(away).startswith("There is no database")


def test_a_role_that_may_not_create_tables(role: str) -> None:
    with (
        pytest.raises(ConfigError, match="may not create tables"),
        opening.open_pool(ServerAddress(role)),
    ):
        pass
    assert "may not create tables" in refusal(role)


async def test_tables_of_another_role(address: str, role: str) -> None:
    async with open_store(ServerAddress(address)):
        pass
    assert "belong to another role" in refusal(role)
    with psycopg.connect(address, autocommit=True) as db:
        db.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC")
        db.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
    # The last change of the tables is still to be made.
    with psycopg.connect(address, autocommit=True) as db:
        db.execute("DELETE FROM threadkeep_steps WHERE name >= 's043'")
    with (
        pytest.raises(ConfigError, match="belong to another role"),
        opening.open_pool(ServerAddress(role)),
    ):
        pass


def test_a_database_whose_host_lets_nobody_write(untouched: str) -> None:
    off = make_conninfo(untouched, options="-c default_transaction_read_only=on")
    assert "takes no writes" in refusal(off)


def test_a_server_that_refuses_what_a_start_needs(untouched: str) -> None:
    hasty = make_conninfo(untouched, options="-c statement_timeout=20")
    with psycopg.connect(untouched) as db:
        db.execute(f"SELECT pg_advisory_lock({OURS}, {SCHEMA})")
        assert "cannot be used: the database refused" in refusal(hasty)


def test_a_refusal_in_another_language_is_no_missing_server() -> None:
    texts = ("SВАЖНО", "VFATAL", "C28P01", "Mпользователь не прошёл проверку")
    fields = b"".join(each.encode() + b"\0" for each in texts) + b"\0"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            client, _ = server.accept()
            with client:
                client.recv(1_000)
                client.sendall(b"E" + (len(fields) + 4).to_bytes(4) + fields)

        thread = threading.Thread(target=refuse)
        thread.start()
        port = server.getsockname()[1]
        told = refusal(
            f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/x"
            "?sslmode=disable&gssencmode=disable"
        )
        thread.join()
    assert "refuses the connection" in told


def test_a_server_that_is_away(tmp_path: Path) -> None:
    assert "No PostgreSQL server answers" in refusal(
        f"postgresql:///x?host={tmp_path}&password={PASSWORD}"
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert "No PostgreSQL server answers at 127.0.0.1" in refusal(
        f"postgresql://u:{PASSWORD}@127.0.0.1:{port}/x"
    )


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://u:{PASSWORD}@[::1/x",
        f"postgresql://u:{PASSWORD}@localhost:port/x",
        f"postgresql://u:{PASSWORD}@localhost/x?{PASSWORD}=1",
        f"postgresql://u:{PASSWORD}%zz@localhost/x",
    ],
)
def test_an_address_that_is_none(address: str) -> None:
    assert "THREADKEEP_DB" in refusal(address)


def test_what_people_read_of_an_address_has_no_password() -> None:
    for address in (
        f"postgresql://u:{PASSWORD}@db.example:5432/threads?sslmode=require",
        f"postgres://u:a@{PASSWORD}@db.example:5432/threads",
        f"postgres://u:a/{PASSWORD}@db.example:5432/threads",
        f"postgresql://db.example:5432/threads?password={PASSWORD}",
    ):
        assert str(ServerAddress(address)) == "db.example:5432/threads"
        assert PASSWORD not in repr(ServerAddress(address))
    for address in (
        f"postgresql://u:{PASSWORD}@[::1/x",
        f"postgresql://u:{PASSWORD}/threads",
        f"postgresql://db.example/threads?password={PASSWORD}@{PASSWORD}",
        f"password={PASSWORD}",
    ):
        assert str(ServerAddress(address)) == "postgresql"


def test_all_connections_are_taken(untouched: str) -> None:
    if (of := postgres.server()).directory is None:
        pytest.skip("another server's limits are not ours to change")
    name = sql.Identifier(str(conninfo_to_dict(untouched)["dbname"]))
    with psycopg.connect(of.address, autocommit=True) as db:
        db.execute(sql.SQL("CREATE ROLE few LOGIN CONNECTION LIMIT 0"))
        db.execute(sql.SQL("GRANT ALL ON DATABASE {} TO few").format(name))
    try:
        assert "no free connections" in refusal(make_conninfo(untouched, user="few"))
    finally:
        with psycopg.connect(of.address, autocommit=True) as db:
            db.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM few").format(name))
            db.execute(sql.SQL("DROP ROLE few"))


def test_an_older_server(untouched: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "OLDEST", 99)
    assert "Threadkeep needs 99 or newer" in refusal(untouched)


def test_another_encoding(untouched: str) -> None:
    other = "threadkeep_test_latin"
    with psycopg.connect(untouched, autocommit=True) as db:
        db.execute(
            f"CREATE DATABASE {other} ENCODING LATIN1 LOCALE 'C' TEMPLATE template0"
        )
    try:
        assert "stores texts as LATIN1" in refusal(
            make_conninfo(untouched, dbname=other)
        )
    finally:
        postgres.server().drop(other)


def test_a_pooler_that_gives_sessions_out_for_transactions(untouched: str) -> None:
    if (of := postgres.server()).directory is None:
        pytest.skip("another server may want a password")
    name = str(conninfo_to_dict(untouched)["dbname"])
    with pooling(str(of.directory / ".s.PGSQL.5432"), "postgres", name) as port:
        through = f"postgresql://postgres:{PASSWORD}@127.0.0.1:{port}/{name}"
        assert "set pool_mode = session" in refusal(through)
