"""Triage remembered in a SQLite file of its own, so that a hundred thousand tickets
are no burden to whoever answers people in the meantime.

Rule: an answer is kept under what was asked (`bot.triage.answer.digest`), apart from
the runs that asked it, so that nobody pays twice for the same question.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import asdict, replace
from pathlib import Path

from sqlite_utils import Database

from bot.ports.archive import DONE, Row, Run, Sent, Tally
from bot.triage.answer import Answer
from storage import triage_runs
from storage.database import (
    make_directory,
    open_beside,
    open_for_reading,
    open_for_writing,
)
from storage.lock import locked
from storage.reader import Reader
from storage.writer import Writer


@asynccontextmanager
async def open_archive(path: Path) -> AsyncIterator["TriageArchive"]:
    """Open the archive at `path`, created if it is new, for this process alone.

    Raises ConfigError when it cannot be used.
    """
    make_directory(path)
    with ExitStack() as stack:
        stack.enter_context(locked(path))
        writer = stack.enter_context(
            closing(Writer(open_for_writing(path, triage_runs.steps)))
        )
        reader = stack.enter_context(closing(Reader(open_for_reading(path))))
        yield TriageArchive(writer, reader)


async def read_runs(path: Path) -> list[tuple[Run, Tally, list[Sent]]]:
    """Every run, the newest first, also while another process has the archive.

    Raises ConfigError when there is none at `path`.
    """
    with closing(Reader(open_beside(path, triage_runs.steps))) as reader:
        return await reader.read(
            lambda db: [
                (run, triage_runs.tally(db, run.id), triage_runs.sent(db, run.id))
                for run in triage_runs.runs(db)
            ]
        )


class TriageArchive:
    """An Archive in a file; made by `open_archive`."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._write = writer.write
        self._read = reader.read

    async def begin(self, run: Run, rows: Iterable[tuple[Row, Answer | None]]) -> Run:
        return await self._write(lambda db: triage_runs.begin(db, run, rows))

    async def run(self, id: str) -> Run | None:
        found = await self.runs()
        return next((run for run in found if run.id == id), None)

    async def runs(self) -> list[Run]:
        return await self._read(triage_runs.runs)

    async def finish(self, run: str) -> None:
        def write(db: Database) -> None:
            db.execute("UPDATE runs SET state = ? WHERE id = ?", [DONE, run])
            db.execute("DELETE FROM rows WHERE run = ?", [run])

        await self._write(write)

    async def pending(self, run: str, after: int, most: int) -> list[Row]:
        where = f"{triage_runs.PENDING} AND {triage_runs.FIRST}"
        return await self._read(
            lambda db: triage_runs.rows(db, run, after, most, where)
        )

    async def rows(self, run: str, after: int, most: int) -> list[Row]:
        return await self._read(lambda db: triage_runs.rows(db, run, after, most))

    async def put(
        self, answers: Sequence[tuple[str, Answer]], model: str, at: float, batch: int
    ) -> None:
        def write(db: Database) -> None:
            for digest, answer in answers:
                triage_runs.put(db, digest, model, answer, at, batch)

        await self._write(write)

    async def again(self, run: str, reasons: Sequence[str]) -> int:
        begins = " OR ".join("reason LIKE ?" for _ in reasons)

        def write(db: Database) -> int:
            return db.execute(
                f"""
                UPDATE answers SET tries = 0 WHERE "values" IS NULL AND ({begins})
                AND digest IN (SELECT digest FROM rows WHERE run = ?)
                """,
                [*(f"{reason}%" for reason in reasons), run],
            ).rowcount

        return await self._write(write)

    async def tally(self, run: str) -> Tally:
        return await self._read(lambda db: triage_runs.tally(db, run))

    async def duplicates(self, run: str, column: str) -> list[str]:
        def read(db: Database) -> list[str]:
            found = db.execute(
                """
                SELECT value FROM rows, json_each(rows."row")
                WHERE run = ? AND key = ? GROUP BY value HAVING COUNT(*) > 1 LIMIT 4
                """,
                [run, column],
            )
            return [str(row[0]) for row in found]

        return await self._read(read)

    async def counts(self, run: str, field: str) -> dict[str, int]:
        def read(db: Database) -> dict[str, int]:
            found = db.execute(
                """
                SELECT json_extract(a."values", ?), COUNT(*)
                FROM rows JOIN answers AS a USING (digest)
                WHERE run = ? AND a."values" IS NOT NULL GROUP BY 1
                """,
                [f"$.{field}", run],
            )
            return {str(value): count for value, count in found}

        return await self._read(read)

    async def send(self, sent: Sent) -> Sent:
        def write(db: Database) -> Sent:
            row = asdict(sent)
            del row["key"]
            key = db.table("batches").insert(row).last_pk
            return replace(sent, key=int(str(key)))

        return await self._write(write)

    async def sent(self, run: str | None) -> list[Sent]:
        return await self._read(lambda db: triage_runs.sent(db, run))

    async def arrived(self, key: int, batch: str) -> None:
        def write(db: Database) -> None:
            if batch:
                db.execute("UPDATE batches SET batch = ? WHERE key = ?", [batch, key])
            else:
                db.execute("DELETE FROM batches WHERE key = ?", [key])

        await self._write(write)

    async def lose(self, run: str, usd: float) -> None:
        def write(db: Database) -> None:
            db.execute("UPDATE runs SET lost = lost + ? WHERE id = ?", [usd, run])

        await self._write(write)

    async def collected(self, key: int) -> None:
        def write(db: Database) -> None:
            db.execute("UPDATE batches SET collected = 1 WHERE key = ?", [key])

        await self._write(write)
