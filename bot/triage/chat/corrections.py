"""Exports corrections as labelled tickets, which `triage eval` reads. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.domain.triage_case import TriageCase
from bot.text import csv_cells


def as_csv(cases: Sequence[TriageCase]) -> str:
    """Return each corrected message with its current values, the person who corrected
    it, and the admin who approved it as an example."""
    fields = list(dict.fromkeys(name for case in cases for name in case.current))
    return csv_cells.as_csv(
        [
            {
                **{"id": case.id, "place": str(case.place), "ticket": case.text},
                **{name: case.current.get(name, "") for name in fields},
                "corrected": " ".join(case.corrected),
                "by": case.corrected_by,
                "at": datetime.fromtimestamp(case.corrected_at, UTC).isoformat(
                    timespec="seconds"
                ),
                "agreed_by": case.agreed_by,
            }
            for case in cases
        ]
    )
