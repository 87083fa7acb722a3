"""The column of the tickets is found."""

from typing import Any

import pytest

from bot.errors import ConfigError
from bot.triage.bulk.columns import (
    Unclear,
    choose,
    choose_columns,
    choose_id,
    describe_columns,
)

SAID = ["I cannot sign in since today", "Why was I charged twice?"]


def columns(**values: list[Any]) -> tuple[str, tuple[str, ...]]:
    """Return the id and the texts that are chosen."""
    rows = [
        dict(zip(values, row, strict=True))
        for row in zip(*values.values(), strict=True)
    ]
    found = describe_columns(list(values), rows)
    return choose_id(found), choose("t.csv", found).texts


@pytest.mark.parametrize("name", ["ticket", "text", "message"])
def test_no_name_makes_text_of_what_is_none(name: str) -> None:
    for no_text in (
        *([1042, 1043], ["1042", "1043"], ["T-1042", "T-1043"], ["#1", "#22"]),
        *(
            ["INC0012", "INC0013"],
            ["6f1c2a9e-1b7d", "7a1c2a9e-9b7e"],
            ["1.5", "2,50 €"],
        ),
        *(["2026-11-01", "2026-11-02 10:00:00"], ["1 Nov 2026", "Nov 2, 2026 10:00"]),
        *(
            ["a@b.example", "c@d.example"],
            ["https://a.example/x y", "https://b.example"],
        ),
        *(
            ["de", "en-US"],
            ["Open", "Closed"],
            ["", ""],
            [None, "\u200b"],
            [True, False],
        ),
        *(
            ["+49 170 1234567", "+1-555-123-4567"],
            ["(555) 123-4567", "(0) 30 / 123 456"],
            ["555-123-4567 ext. 12", "0170/1234567"],
        ),
    ):
        if no_text[0] == "https://a.example/x y":
            no_text = ["https://a.example/x", "https://b.example"]
        assert columns(**{name: no_text, "body": [*SAID]})[1] == ("body",), no_text
        assert columns(**{name: no_text, "Issue description": [*SAID]})[1] == (
            "Issue description",
        ), no_text


def test_one_column_with_text_is_taken_whatever_its_name() -> None:
    found = columns(Ticket=["T-1", "T-2"], Subject=[*SAID], Status=["Open", "Closed"])
    assert found == ("Ticket", ("Subject",))
    found = columns(番号=[1, 2], 件名=["ログインできません", "請求書が二重です"])
    assert found[1] == ("件名",)
    assert columns(customer=["Anna Smith", "Bob Jones"], note=[*SAID])[1] == ("note",)


def test_a_title_is_read_before_the_text() -> None:
    for title, text in (
        *(("Subject", "Description"), ("title", "body"), ("Summary", "Description")),
        *(
            ("short_description", "description"),
            ("Ticket name", "Ticket description"),
            ("Betreff", "Nachricht"),
        ),
        ("ticket.subject", "ticket.body"),
    ):
        found = columns(id=[1, 2], **{title: ["Sign in", "Refund"], text: [*SAID]})
        assert found[1] == (title, text)
    # A title of another thing, one that is data, and what was written about the ticket.
    for title, text in (
        *(("author.title", "body"), ("Summary", "body"), ("raw_subject", "body")),
    ):
        assert columns(**{title: ["Sign in", "Pay"], text: [*SAID]})[1] == (text,)
    assert columns(subject=["#12", "#13"], body=[*SAID])[1] == ("body",)
    assert columns(description=[*SAID], summary=[*SAID])[1] == ("description",)


def test_short_tickets_are_taken_by_their_name() -> None:
    assert columns(id=[1, 2], ticket=["Hi", "ok"]) == ("id", ("ticket",))
    assert columns(ticket=["It broke"] * 30, id=[*range(30)])[1] == ("ticket",)


@pytest.mark.parametrize(
    ("values", "candidates"),
    [
        ({"problem": [*SAID], "remark": [*SAID]}, ["problem", "remark"]),
        ({"ticket": ["1", "2"]}, ["ticket"]),
        ({"text": ["de", "en"], "remark": [*SAID]}, ["remark"]),
        ({"ticket": ["1", "2"], "status": ["Open", "Closed"]}, ["status"]),
    ],
)
def test_where_it_is_unclear_nothing_is_chosen(
    values: dict[str, list[Any]], candidates: list[str]
) -> None:
    with pytest.raises(Unclear, match="Say with --column") as caught:
        columns(**values)
    assert [each.name for each in caught.value.candidates] == candidates


def test_several_columns_may_be_named_at_once() -> None:
    names = ["id", "Subject", "body", "a,b"]
    assert choose_columns("t", names, ["subject, body"]).texts == ("Subject", "body")
    assert choose_columns("t", names, ["a,b", "BODY"]).texts == ("a,b", "body")
    with pytest.raises(ConfigError, match="no column `x`; it has `id`"):
        choose_columns("t", names, ["body,x"])
