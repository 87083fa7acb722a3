"""The labelled tickets, of our own writing, on which schemes and models are judged."""

from collections import Counter
from pathlib import Path

from bot.schemes.scheme import default
from bot.triage.answer import Ticket
from bot.triage.bulk.reader import open_source
from bot.triage.bulk.request import MOST_CHARS
from bot.triage.evaluation.metrics import labelled_fields

TICKETS = Path(__file__).parents[3] / "data" / "tickets.csv"


def tickets() -> list[Ticket]:
    with open_source(str(TICKETS)) as source:
        assert source.texts == ("ticket",)
        assert set(labelled_fields(default(), source.columns)) == {
            "category",
            "priority",
        }
        return list(source.tickets())


def test_each_is_one_of_a_kind_and_sorted_as_the_scheme_allows() -> None:
    found = tickets()
    assert len(found) >= 300
    assert len({ticket.text for ticket in found}) == len(found)
    assert len({ticket.row["id"] for ticket in found}) == len(found)
    for ticket in found:
        names = ("category", "priority", "summary")
        default().check({name: ticket.row[name] for name in names})
        assert 0 < len(ticket.text) < MOST_CHARS


def test_there_are_enough_of_everything() -> None:
    rows = [ticket.row for ticket in tickets()]
    languages = Counter(row["lang"] for row in rows)
    assert set(languages) == {"en", "de", "fr", "es", "ja"}
    assert min(languages.values()) >= 50
    kinds = Counter(row["kind"] for row in rows)
    for kind in ("sarcasm", "two_problems", "injection"):
        assert kinds[kind] >= 15
    for field in default().choices:
        counts = Counter(row[field.name] for row in rows)
        assert set(counts) == set(field.values)
        assert min(counts.values()) >= 35
