"""The archive of bulk triage, in a separate SQLite file.

A run of a hundred thousand tickets therefore does not slow down the answers to people.

Rule: an answer is stored under the digest of its question (`bot.triage.answer.digest`),
apart from the runs that asked it, so that no question is paid for twice.
"""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path

from bot.ports.archive import Run, Sent, Tally
from storage import triage_runs
from storage.database import (
    make_directory,
    open_beside,
    open_for_reading,
    open_for_writing,
)
from storage.lock import locked
from storage.methods import Transaction, read, write
from storage.reader import Reader
from storage.writer import Writer


class TriageArchive:
    """Implements `bot.ports.archive.Archive`. Created by `open_archive`."""

    def __init__(self, read: Transaction, write: Transaction) -> None:
        self._read = read
        self._write = write

    begin = write(triage_runs.begin)
    run = read(triage_runs.run)
    runs = read(triage_runs.runs)
    finish = write(triage_runs.finish)
    again = write(triage_runs.again)

    pending = read(triage_runs.pending)
    put = write(triage_runs.put)
    tally = read(triage_runs.tally)
    lose = write(triage_runs.lose)

    rows = read(triage_runs.rows)
    duplicates = read(triage_runs.duplicates)
    counts = read(triage_runs.counts)

    send = write(triage_runs.send)
    sent = read(triage_runs.sent)
    arrived = write(triage_runs.arrived)
    collected = write(triage_runs.collected)


@asynccontextmanager
async def open_archive(path: Path) -> AsyncIterator[TriageArchive]:
    """Open the archive at `path` for this process alone; create it if it is missing.

    Leaving waits for pending writes. Raises ConfigError if the archive cannot be used.
    """
    make_directory(path)
    with ExitStack() as stack:
        stack.enter_context(locked(path))
        writer = stack.enter_context(
            closing(Writer(open_for_writing(path, triage_runs.steps)))
        )
        reader = stack.enter_context(closing(Reader(open_for_reading(path))))
        yield TriageArchive(reader.read, writer.write)


async def read_runs(path: Path) -> list[tuple[Run, Tally, list[Sent]]]:
    """Return all runs, newest first, with their tallies and batches.

    Another process may have the archive open. Raises ConfigError if there is no archive
    at `path`.
    """
    with closing(Reader(open_beside(path, triage_runs.steps))) as reader:
        return await reader.read(
            lambda db: [
                (run, triage_runs.tally(db, run.id), triage_runs.sent(db, run.id))
                for run in triage_runs.runs(db)
            ]
        )
