"""Reports read beside what turns wait for."""

import asyncio
import threading
from pathlib import Path

from storage.connection import Connection
from storage.opening import open_store
from tests.support.store_helpers import HERE, exchange, said


async def test_no_turn_waits_for_a_report(tmp_path: Path) -> None:
    began, release = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(db: Connection) -> int:
        db.execute("SELECT count(*) FROM turns").fetchone()
        loop.call_soon_threadsafe(began.set)
        assert release.wait(60)
        return 1

    async with open_store(tmp_path / "threadkeep.db") as store:
        report = asyncio.ensure_future(store._report(slow))
        await began.wait()
        # Reads and writes go on.
        await exchange(store, said("m1"), "One.")
        assert await store.next_turn(HERE) is None
        assert len(await store.transcript(HERE)) == 2
        assert not report.done()
        release.set()
        assert await report == 1
