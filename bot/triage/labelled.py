"""What people corrected, as labelled tickets that `triage eval` reads. Pure."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime

from bot.triage.cases import Case


def as_csv(cases: Sequence[Case]) -> str:
    """Each corrected message with all of its values as people see them now, who
    changed it, and which admin agreed to its being an example."""
    fields = list(dict.fromkeys(name for case in cases for name in case.current))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    head = ["id", "place", "ticket", *fields, "corrected", "by", "at", "agreed_by"]
    writer.writerow(head)
    for case in cases:
        values = [_cell(case.current.get(name, "")) for name in fields]
        at = datetime.fromtimestamp(case.corrected_at, UTC)
        writer.writerow(
            [
                *(case.id, str(case.place), case.text, *values),
                *(" ".join(case.corrected), case.corrected_by),
                *(at.isoformat(timespec="seconds"), case.agreed_by),
            ]
        )
    return out.getvalue()


def _cell(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
