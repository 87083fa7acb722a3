"""What people corrected, as labelled tickets that `triage eval` reads. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.domain.triage_case import TriageCase
from bot.triage import csv_cells


def as_csv(cases: Sequence[TriageCase]) -> str:
    """Each corrected message with all of its values as people see them now, who
    changed it, and which admin agreed to its being an example."""
    fields = list(dict.fromkeys(name for case in cases for name in case.current))
    return csv_cells.as_csv(
        [
            {
                **{"id": case.id, "place": str(case.place), "ticket": case.text},
                **{name: _cell(case.current.get(name, "")) for name in fields},
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


def _cell(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
