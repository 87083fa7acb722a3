"""Metrics of a classification against labelled tickets. Pure.

An unclassified row counts as wrong: a person has to classify it. A row without a label
in a field does not count for that field.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as held
from typing import Any

from bot.errors import ConfigError
from bot.messages import triage_files as messages
from bot.ports.archive import Row
from bot.schemes.field import Field
from bot.schemes.scheme import Scheme

#: The answer that counts for an unclassified row.
NONE = messages.UNSORTED

_EXCERPT = 160


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A row with a label that differs from the answer."""

    row: str
    field: str
    expected: str
    got: str
    #: The beginning of the ticket.
    ticket: str


@dataclass(slots=True)
class FieldScore:
    """The confusion matrix of one field."""

    field: Field
    #: The number of rows by (label, answer).
    pairs: Counter[tuple[str, str]] = held(default_factory=Counter)

    @property
    def labelled(self) -> int:
        return self.pairs.total()

    @property
    def right(self) -> int:
        return sum(n for (label, got), n in self.pairs.items() if label == got)

    @property
    def accuracy(self) -> float | None:
        """The share of labelled rows with the right answer; None without labels."""
        return self.right / self.labelled if self.labelled else None

    def precision(self, value: str) -> float | None:
        """Return the share of answers `value` that are right; None without such
        answers."""
        answers = sum(n for (_, got), n in self.pairs.items() if got == value)
        return self.pairs[value, value] / answers if answers else None

    def recall(self, value: str) -> float | None:
        """Return the share of labels `value` with the right answer; None without such
        labels."""
        labels = self.labelled_as(value)
        return self.pairs[value, value] / labels if labels else None

    def labelled_as(self, value: str) -> int:
        """Return the number of labels `value`."""
        return sum(n for (label, _), n in self.pairs.items() if label == value)


@dataclass(slots=True)
class Metrics:
    """Metrics of one scheme and model on one file of labelled tickets."""

    scheme: str
    model: str
    fields: dict[str, FieldScore]
    rows: int = 0
    not_sorted: int = 0
    disagreements: list[Disagreement] = held(default_factory=list)
    #: (right, labelled) by column, value of the column and field.
    groups: dict[str, dict[str, dict[str, tuple[int, int]]]] = held(
        default_factory=dict
    )
    #: In USD per 1,000 tickets.
    cost_per_1000: float | None = None
    #: None if all answers were reused.
    seconds_per_1000: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "scheme": self.scheme,
            "model": self.model,
            "rows": self.rows,
            "not_sorted": self.not_sorted,
            "cost_per_1000_usd": self.cost_per_1000,
            "seconds_per_1000": self.seconds_per_1000,
            "fields": {name: _plain(each) for name, each in self.fields.items()},
            "groups": self.groups,
            "disagreements": [
                {
                    "row": each.row,
                    "field": each.field,
                    "expected": each.expected,
                    "got": each.got,
                    "ticket": each.ticket,
                }
                for each in self.disagreements
            ],
        }


def _plain(score: FieldScore) -> dict[str, Any]:
    values = score.field.values
    return {
        "labelled": score.labelled,
        "accuracy": score.accuracy,
        "values": {
            value: {
                "labelled": score.labelled_as(value),
                "precision": score.precision(value),
                "recall": score.recall(value),
            }
            for value in values
        },
        "confusion": {
            value: {
                got: n
                for (label, got), n in sorted(score.pairs.items())
                if label == value
            }
            for value in values
        },
    }


def labelled_fields(scheme: Scheme, columns: Iterable[str]) -> dict[str, str]:
    """Return the label columns by field. Raises ConfigError if there are none."""
    known = {column.casefold(): column for column in columns}
    found = {f.name: known[f.name] for f in scheme.choices if f.name in known}
    if not found:
        names = " or ".join(f"`{field.name}`" for field in scheme.choices)
        raise ConfigError(messages.no_labels(columns=names))
    return found


class MetricsBuilder:
    """Builds `Metrics` row by row."""

    def __init__(
        self,
        name: str,
        scheme: Scheme,
        model: str,
        labels: Mapping[str, str],
        *,
        by: str = "",
    ) -> None:
        self._labels = labels
        self._by = by
        fields = {f.name: FieldScore(f) for f in scheme.choices if f.name in labels}
        self.score = Metrics(name, model, fields)
        self._groups: dict[str, dict[str, list[int]]] = defaultdict(dict)

    def add(self, row: Row, name: str, ticket: str) -> None:
        """Add one row, which people know as `name`. Raises ConfigError for a label that
        the scheme does not have."""
        score = self.score
        values = row.answer.values if row.answer else None
        score.rows += 1
        score.not_sorted += values is None
        for each in score.fields.values():
            label = _label(each.field, row.row.get(self._labels[each.field.name]), name)
            if not label:
                continue
            got = str(values[each.field.name]) if values else NONE
            each.pairs[label, got] += 1
            if label != got:
                begin = " ".join(ticket[: 2 * _EXCERPT].split())[:_EXCERPT]
                score.disagreements.append(
                    Disagreement(name, each.field.name, label, got, begin)
                )
            if self._by:
                group = self._groups[str(row.row.get(self._by))]
                counts = group.setdefault(each.field.name, [0, 0])
                counts[0] += label == got
                counts[1] += 1

    def build(self) -> Metrics:
        """Return the metrics of all rows."""
        if self._by:
            self.score.groups[self._by] = {
                value: {name: (right, of) for name, (right, of) in group.items()}
                for value, group in sorted(self._groups.items())
            }
        return self.score


def _label(field: Field, cell: Any, row: str) -> str:
    text = str(cell if cell is not None else "").strip()
    for value in field.values:
        if value.casefold() == text.casefold():
            return value
    if text:
        raise ConfigError(
            messages.no_such_label(
                row=row,
                field=field.name,
                label=repr(text),
                values=", ".join(field.values),
            )
        )
    return ""
