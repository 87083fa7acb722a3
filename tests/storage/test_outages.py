"""Outages that processes catch up with, one at a time, on both databases."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial

import pytest

from bot.domain.outage import Outage
from storage import leases
from storage.connection import Connection as Database
from storage.outages import end_outage, expire, note_outage, take_outage
from storage.postgres.connection import Connection
from tests.support import postgres
from tests.support.memory_store import MemoryStore


@pytest.fixture(params=["sqlite", "postgres"])
def db(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database that the processes "one" and "two" share."""
    if request.param == "sqlite":
        opened: Database = MemoryStore().db
        leases.enter_alone(opened, "one", 1.0)
        leases.enter(opened, "two", "gateway", 1.0)
        yield opened
        return
    with (
        postgres.emptied(postgres.migrated) as address,
        closing(Connection(address)) as connection,
    ):
        for owner in ("one", "two"):
            leases.enter(connection, owner, "gateway", 1.0)
        yield connection


def dies(db: Database, owner: str) -> None:
    db.execute("DELETE FROM processes WHERE id = ?", [owner])


def test_one_process_at_a_time_takes_an_outage(db: Database) -> None:
    take = partial(take_outage, db, "slack")
    assert take("one") is None
    note_outage(db, "slack", 5.0, "one")
    outage = take("one")
    assert outage == Outage("slack", 5.0, 1)
    assert take("two") is None
    # Another outage is another's.
    note_outage(db, "discord 0/1", 7.0, "two")
    assert take_outage(db, "discord 0/1", "two") == Outage("discord 0/1", 7.0, 1)
    end_outage(db, outage, "one")
    assert take("one") is take("two") is None


def test_what_a_process_that_ended_began_is_anothers(db: Database) -> None:
    note_outage(db, "slack", 5.0, "one")
    outage = take_outage(db, "slack", "one")
    assert outage is not None
    dies(db, "one")
    assert take_outage(db, "slack", "two") == outage
    # The first was taken for dead, and goes on.
    end_outage(db, outage, "one")
    assert take_outage(db, "slack", "two") == outage


def test_an_outage_that_is_covered_is_not_looked_at_again(db: Database) -> None:
    note_outage(db, "slack", 5.0, "one")
    outage = take_outage(db, "slack", "one")
    assert outage is not None
    note_outage(db, "slack", 6.0, "two")
    end_outage(db, outage, "one")
    assert take_outage(db, "slack", "two") is None


@pytest.mark.parametrize(("since", "by"), [(4.0, "two"), (6.0, "one")])
def test_an_outage_that_is_not_covered_is_looked_at_again(
    db: Database, since: float, by: str
) -> None:
    """It began earlier, or who catches up has itself missed what came since."""
    note_outage(db, "slack", 5.0, "one")
    outage = take_outage(db, "slack", "one")
    assert outage is not None
    note_outage(db, "slack", since, by)
    end_outage(db, outage, "one")
    again = take_outage(db, "slack", "one")
    assert again == Outage("slack", min(5.0, since), 2)


def test_of_a_process_that_ended_nothing_is_covered(db: Database) -> None:
    note_outage(db, "slack", 5.0, "one")
    assert take_outage(db, "slack", "one")
    dies(db, "one")
    note_outage(db, "slack", 6.0, "two")
    assert take_outage(db, "slack", "two") == Outage("slack", 5.0, 2)


def test_an_outage_that_nobody_takes_up_is_forgotten(db: Database) -> None:
    note_outage(db, "slack", 5.0, "one")
    note_outage(db, "discord 0/1", 5.0, "one")
    taken = take_outage(db, "slack", "one")
    assert taken
    assert expire(db, before=5.0, most=10) == 0
    assert expire(db, before=6.0, most=10) == 1
    assert take_outage(db, "discord 0/1", "one") is None
    assert take_outage(db, "slack", "one") == taken


def test_the_outage_of_a_part_is_taken_by_its_name(db: Database) -> None:
    for name, since in (("slack//T2", 2.0), ("slack//T1", 1.0), ("slacker", 0.0)):
        note_outage(db, name, since, "one")
    note_outage(db, "slack", 9.0, "one")
    taken = list[tuple[str, float]]()
    while outage := take_outage(db, "slack", "one"):
        taken.append((outage.name, outage.since))
        end_outage(db, outage, "one")
    assert taken == [("slack", 9.0), ("slack//T1", 1.0), ("slack//T2", 2.0)]


def test_a_part_that_another_process_notes_meanwhile_is_fetched_again(
    db: Database,
) -> None:
    for name, again in (("slack", 0), ("slack//T1", 1)):
        note_outage(db, name, 5.0, "one")
        outage = take_outage(db, name, "one")
        assert outage is not None
        note_outage(db, name, 6.0, "two")
        end_outage(db, outage, "one")
        left = db.execute("SELECT count(*) FROM outages WHERE name = ?", [name])
        assert left.fetchone()[0] == again
