"""`python -m benchmarks.failover` measures a failover of PostgreSQL.

It kills the server while people ask, promotes the asynchronous replica, and measures
how soon answers continue and what is lost.

With `--behind`, the replica receives nothing for the last seconds before the kill.
Commits in that time are lost, as with a slow network.
"""

import asyncio
import contextlib
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import click
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bot.domain.server_address import ServerAddress
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Pause
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.rates import UNLIMITED
from tests.support import invariants, postgres
from tests.support.process import Nursery
from tests.support.scale_harness import Cluster
from tests.support.witnesses import SlackWitness

# The number of questions before and after the kill, and the seconds between them.
BEFORE, AFTER, GAP = 60, 40, 0.25

# Seconds that the operator or the hosting provider takes to promote the replica.
NOTICED = 3.0

ANSWERED = """
    SELECT count(*) FROM turns WHERE state = 'delivered' AND delivered_at > %s
"""


@dataclass(slots=True)
class Lost:
    """The result of one failover."""

    #: Bytes of the write-ahead log that the replica did not have.
    behind: int
    #: Seconds from the promotion until an answer was complete.
    went_on: float
    unanswered: int
    wrong: list[str]


@contextlib.asynccontextmanager
async def replicated() -> AsyncIterator[tuple[postgres.Server, postgres.Server, str]]:
    """Yield a server, its replica, and the address of a database on the one that
    accepts writes."""
    with (
        tempfile.TemporaryDirectory(prefix="threadkeep-pg-") as first,
        tempfile.TemporaryDirectory(prefix="threadkeep-pg-") as second,
    ):
        settings = {"synchronous_commit": "on", "wal_level": "replica"}
        primary = postgres.start(Path(first), **settings)
        name = primary.create()
        replica = postgres.start_replica(primary, Path(second), **settings)
        hosts = ",".join(
            str(conninfo_to_dict(each.address)["host"]) for each in (primary, replica)
        )
        address = make_conninfo(
            primary.of(name), host=hosts, target_session_attrs="read-write"
        )
        try:
            yield primary, replica, address
        finally:
            for each in (primary, replica):
                assert each.process is not None
                each.process.send_signal(signal.SIGQUIT)
                each.process.wait()


async def fail_over(folder: Path, behind: float) -> Lost:
    """Let people ask, kill the server, promote its replica, and continue. Return the
    result."""
    async with (
        replicated() as (primary, replica, address),
        SlackEmulator(
            ack_timeout=2.0, retries=(0.0, *[1.0] * 600), rates=UNLIMITED
        ) as s,
        ClaudeEmulator() as claude,
        Nursery() as nursery,
    ):
        claude.always(["Restore the newest ", Pause(0.5), "snapshot."])
        town = Cluster(folder, address, s, claude, nursery)
        try:
            for role in ("gateway", "work", "work"):
                await town.start(role)
            asking = asyncio.create_task(_ask(town, BEFORE + AFTER))
            await asyncio.sleep(BEFORE * GAP)
            if behind:
                _hold_back(replica)
                await asyncio.sleep(behind)
            left = _bytes_behind(primary, replica)
            assert primary.process is not None
            primary.process.send_signal(signal.SIGQUIT)
            await asyncio.to_thread(primary.process.wait)
            await asyncio.sleep(NOTICED)
            began, since = time.monotonic(), time.time()
            with psycopg.connect(replica.address, autocommit=True) as connection:
                connection.execute("SELECT pg_promote()")
            await town.until(lambda: _count(town, since))
            went_on = time.monotonic() - began
            await asking
            await s.until(lambda: s.settled, 120)
            await town.delivered()
            for process in list(town.processes):
                await town.stop(process)
            at = ServerAddress(postgres.uri(address))
            wrong = invariants.faults(claude, at, SlackWitness(s))
        finally:
            await town.end()
    unanswered = sum("belongs to 0 turns" in each for each in wrong)
    return Lost(left, went_on, unanswered, wrong)


def _count(town: Cluster, since: float) -> int:
    """Return the number of answers completed since `since`, or 0 while no server
    accepts writes."""
    with contextlib.suppress(psycopg.Error):
        [(count,)] = town.ask(ANSWERED, since)
        return int(str(count))
    return 0


async def _ask(town: Cluster, count: int) -> None:
    for number in range(count):
        town.say(f"question {number}?")
        await asyncio.sleep(GAP)


def _hold_back(replica: postgres.Server) -> None:
    """Stop the replication to `replica`."""
    with psycopg.connect(replica.address, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET primary_conninfo = ''")
        connection.execute("SELECT pg_reload_conf()")


def _bytes_behind(primary: postgres.Server, replica: postgres.Server) -> int:
    with psycopg.connect(replica.address) as there:
        received = there.execute(
            "SELECT coalesce(pg_last_wal_receive_lsn(), '0/0')"
        ).fetchone()
    with psycopg.connect(primary.address) as here:
        row = here.execute(
            "SELECT pg_current_wal_lsn() - %s::pg_lsn", received
        ).fetchone()
    assert row is not None
    return int(row[0])


@click.command()
@click.option("--behind", default=0.0, help="Seconds that the replica does not get.")
def main(behind: float) -> None:
    """Fail over, and print the result."""
    with tempfile.TemporaryDirectory() as folder:
        lost = asyncio.run(fail_over(Path(folder), behind))
    print(
        f"{lost.behind} bytes of changes were not replicated; an answer was complete "
        f"{lost.went_on:.1f} s after the promotion; of {BEFORE + AFTER} questions "
        f"{lost.unanswered} are lost; wrong: {len(lost.wrong)}"
    )
    for sentence in lost.wrong:
        print(sentence)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.failover")
