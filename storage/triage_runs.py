"""The tables and queries of bulk triage, inside a transaction."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from typing import Any

from sqlite_utils import Database, Migrations

from bot.domain.completion import Usage
from bot.ports.archive import DONE, OPEN, Row, Run, Sent, Tally
from bot.triage.answer import FINAL, TRIES, Answer
from storage.connection import Connection
from storage.dialect import execute_many

steps = Migrations("threadkeep-triage")

_USED = ("input", "cache_write_5m", "cache_write_1h", "cache_read", "output")

# Rows that need a call, joined to `answers` as `a`: rows without an answer, and rows
# that failed and may be retried.
PENDING = f"""(a.digest IS NULL OR (
    a."values" IS NULL AND a.tries < {TRIES}
    AND NOT ({" OR ".join(f"a.reason LIKE '{word}%'" for word in FINAL)})
))"""

# Identical rows need one call, which is made for the first of them.
FIRST = """NOT EXISTS (
    SELECT 1 FROM rows AS twin
    WHERE twin.run = rows.run AND twin.digest = rows.digest
    AND twin.position < rows.position
)"""


# An id of only these characters counts as empty.
_BLANKS = " \t\r\n\u00a0\u00ad\u200b\u200c\u200d\u2060\u3000\ufeff"


@steps()
def m001_runs(db: Database) -> None:
    """Add runs, their rows, answers and batches."""
    db.table("runs").create(
        {
            "id": str,
            "at": float,
            "source": str,
            # The run as JSON; the other columns are for queries.
            "said": str,
            "state": str,
            "rows": int,
            # A hash of the rows in their order.
            "fingerprint": str,
        },
        pk="id",
        not_null={"at", "source", "said", "state", "rows", "fingerprint"},
        strict=True,
    )
    db.table("rows").create(
        {"run": str, "position": int, "digest": str, "row": str},
        pk=("run", "position"),
        not_null={"run", "position", "digest", "row"},
        strict=True,
    )
    db.table("rows").create_index(["run", "digest", "position"])
    db.table("answers").create(
        {
            "digest": str,
            "model": str,
            "at": float,
            # The key of the last batch that returned this answer; 0 for none.
            "batch": int,
            "tries": int,
            **dict.fromkeys(_USED, int),
            # NULL if the price is unknown.
            "cost": float,
            "reason": str,
            # As JSON; NULL if there is a reason.
            "values": str,
        },
        pk="digest",
        not_null={"model", "at", "batch", "tries", *_USED, "reason"},
        strict=True,
    )
    db.table("batches").create(
        {
            "key": int,
            "run": str,
            "batch": str,
            "at": float,
            "requests": int,
            "most": float,
            "collected": bool,
        },
        pk="key",
        not_null={"run", "batch", "at", "requests", "most", "collected"},
        strict=True,
    )


@steps()
def m002_lost(db: Database) -> None:
    """Add the most that a run may be billed beyond its answers, in USD."""
    db.table("runs").add_column("lost", float, not_null_default=0.0)


def begin(db: Connection, run: Run, rows: Iterable[tuple[Row, Answer | None]]) -> Run:
    fingerprint, count = sha256(str(run.batched).encode()), 0

    def values() -> Iterator[tuple[Any, ...]]:
        nonlocal count
        for row, answer in rows:
            count += 1
            fingerprint.update(row.digest.encode())
            if answer is not None:
                _put(db, row.digest, run.model, answer, run.at)
            text = json.dumps(dict(row.row), ensure_ascii=False)
            yield run.id, row.position, row.digest, text

    execute_many(db, "INSERT INTO rows VALUES (?, ?, ?, ?)", values())
    whole = replace(run, rows=count)
    print_of = fingerprint.hexdigest()
    twin = db.execute(
        "SELECT id FROM runs WHERE fingerprint = ? AND state = ?", [print_of, OPEN]
    ).fetchone()
    if twin is not None:
        # The tickets are the same; ids and other columns are taken from the new rows.
        db.execute("DELETE FROM rows WHERE run = ?", [twin[0]])
        db.execute("UPDATE rows SET run = ? WHERE run = ?", [twin[0], run.id])
        whole = replace(whole, id=twin[0])
    db.execute(
        """
        INSERT INTO runs (id, at, source, said, state, rows, fingerprint)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE
        SET at = excluded.at, source = excluded.source, said = excluded.said,
            state = excluded.state, rows = excluded.rows,
            fingerprint = excluded.fingerprint
        """,
        [
            *(whole.id, whole.at, whole.source, json.dumps(asdict(whole))),
            *(OPEN, count, print_of),
        ],
    )
    return whole


def runs(db: Connection) -> list[Run]:
    found = db.execute("SELECT said, state, rows FROM runs ORDER BY at DESC, id")
    return [_run(json.loads(said), state, rows) for said, state, rows in found]


def _run(said: dict[str, Any], state: str, rows: int) -> Run:
    for name in ("columns", "texts"):
        said[name] = tuple(said[name])
    said["outputs"] = tuple((path, form) for path, form in said["outputs"])
    return Run(**{**said, "state": state, "rows": rows})


def run(db: Connection, id: str) -> Run | None:
    return next((each for each in runs(db) if each.id == id), None)


def finish(db: Connection, run: str) -> None:
    db.execute("UPDATE runs SET state = ? WHERE id = ?", [DONE, run])
    db.execute("DELETE FROM rows WHERE run = ?", [run])


def again(db: Connection, run: str, reasons: Sequence[str]) -> int:
    begins = " OR ".join("reason LIKE ?" for _ in reasons)
    return db.execute(
        f"""
        UPDATE answers SET tries = 0 WHERE "values" IS NULL AND ({begins})
        AND digest IN (SELECT digest FROM rows WHERE run = ?)
        """,
        [*(f"{reason}%" for reason in reasons), run],
    ).rowcount


def lose(db: Connection, run: str, usd: float) -> None:
    db.execute("UPDATE runs SET lost = lost + ? WHERE id = ?", [usd, run])


def rows(db: Connection, run: str, after: int, most: int) -> list[Row]:
    return _rows(db, run, after, most, "1")


def pending(db: Connection, run: str, after: int, most: int) -> list[Row]:
    return _rows(db, run, after, most, f"{PENDING} AND {FIRST}")


def _rows(db: Connection, run: str, after: int, most: int, where: str) -> list[Row]:
    found = db.execute(
        f"""
        SELECT position, rows.digest AS name, "row", a.* FROM rows
        LEFT JOIN answers AS a ON a.digest = rows.digest
        WHERE run = ? AND position > ? AND {where} ORDER BY position LIMIT ?
        """,
        [run, after, most],
    )
    return [
        Row(
            each["position"],
            each["name"],
            json.loads(each["row"]),
            _answer(each) if each["digest"] is not None else None,
        )
        for each in found
    ]


def _answer(row: sqlite3.Row) -> Answer:
    values = row["values"]
    return Answer(
        values=json.loads(values) if values is not None else None,
        reason=row["reason"],
        usage=Usage(**{name: row[name] for name in _USED}),
        cost=row["cost"],
        tries=row["tries"],
    )


def put(
    db: Connection,
    answers: Sequence[tuple[str, Answer]],
    model: str,
    at: float,
    batch: int,
) -> None:
    for digest, answer in answers:
        _put(db, digest, model, answer, at, batch)


def _put(
    db: Connection, digest: str, model: str, answer: Answer, at: float, batch: int = 0
) -> None:
    values = (
        json.dumps(dict(answer.values), ensure_ascii=False)
        if answer.values is not None
        else None
    )
    used = [getattr(answer.usage, name) for name in _USED]
    added = ", ".join(f"{name} = {name} + excluded.{name}" for name in _USED)
    # Usage and cost of all attempts are summed. The results of one batch may be read
    # twice but are billed once.
    db.execute(
        f"""
        INSERT INTO answers (digest, model, at, batch, tries, {", ".join(_USED)}, cost,
            reason, "values")
        VALUES (?, ?, ?, ?, 1, {", ".join("?" * len(_USED))}, ?, ?, ?)
        ON CONFLICT (digest) DO UPDATE SET at = excluded.at, batch = excluded.batch,
            tries = tries + 1, {added}, cost = cost + excluded.cost,
            reason = excluded.reason, "values" = excluded."values"
        WHERE answers."values" IS NULL
            AND (excluded.batch = 0 OR answers.batch <> excluded.batch)
        """,
        [digest, model, at, batch, *used, answer.cost, answer.reason, values],
    )


def tally(db: Connection, run: str) -> Tally:
    rows, good = db.execute(
        """
        SELECT COUNT(*), total(a."values" IS NOT NULL) FROM rows
        LEFT JOIN answers AS a ON a.digest = rows.digest WHERE run = ?
        """,
        [run],
    ).fetchone()
    marked = db.execute(
        f"""
        SELECT a.reason, COUNT(*) FROM rows JOIN answers AS a USING (digest)
        WHERE run = ? AND a."values" IS NULL AND NOT {PENDING}
        GROUP BY 1 ORDER BY 2 DESC
        """,
        [run],
    )
    questions, settled, cost, unpriced, *used = db.execute(
        f"""
        SELECT COUNT(*), total(NOT {PENDING}), total(cost),
            total(a.digest IS NOT NULL AND cost IS NULL),
            {", ".join(f"total({name})" for name in _USED)}
        FROM (SELECT DISTINCT digest FROM rows WHERE run = ?) AS asked
        LEFT JOIN answers AS a ON a.digest = asked.digest
        """,
        [run],
    ).fetchone()
    [lost] = db.execute(
        # Floating-point additions and subtractions may leave a negative sum.
        "SELECT total(max(lost, 0.0)) FROM runs WHERE id = ?",
        [run],
    ).fetchone()
    return Tally(
        rows=rows,
        sorted=int(good),
        marked=dict(tuple(each) for each in marked),
        questions=questions,
        settled=int(settled),
        cost=cost + lost,
        lost=lost,
        unpriced=int(unpriced),
        usage=Usage(**{n: int(v) for n, v in zip(_USED, used, strict=True)}),
    )


def sent(db: Connection, run: str | None) -> list[Sent]:
    found = db.execute(
        "SELECT * FROM batches WHERE :run IS NULL OR run = :run ORDER BY key",
        {"run": run},
    )
    return [Sent(**{**dict(row), "collected": bool(row["collected"])}) for row in found]


def duplicates(db: Connection, run: str, column: str) -> list[str]:
    found = db.execute(
        """
        SELECT value FROM rows, json_each(rows."row")
        WHERE run = ? AND key = ? AND trim(coalesce(value, ''), ?) <> ''
        GROUP BY value HAVING COUNT(*) > 1 LIMIT 4
        """,
        [run, column, _BLANKS],
    )
    return [str(row[0]) for row in found]


def counts(db: Connection, run: str, field: str) -> dict[str, int]:
    found = db.execute(
        """
        SELECT json_extract(a."values", ?), COUNT(*)
        FROM rows JOIN answers AS a USING (digest)
        WHERE run = ? AND a."values" IS NOT NULL GROUP BY 1
        """,
        [f"$.{field}", run],
    )
    return {str(value): count for value, count in found}


def send(db: Connection, sent: Sent) -> Sent:
    row = asdict(sent)
    del row["key"]
    columns = ", ".join(row)
    places = ", ".join(f":{column}" for column in row)
    [(key,)] = db.execute(
        f"INSERT INTO batches ({columns}) VALUES ({places}) RETURNING key", row
    ).fetchall()
    return replace(sent, key=key)


def arrived(db: Connection, key: int, batch: str) -> None:
    if batch:
        db.execute("UPDATE batches SET batch = ? WHERE key = ?", [batch, key])
    else:
        db.execute("DELETE FROM batches WHERE key = ?", [key])


def collected(db: Connection, key: int) -> None:
    db.execute("UPDATE batches SET collected = 1 WHERE key = ?", [key])
