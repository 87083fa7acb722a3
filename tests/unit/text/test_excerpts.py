"""Excerpts stand under their label, line by line."""

from bot.text.excerpts import excerpt


def test_each_line_is_quoted_under_the_label() -> None:
    assert excerpt("Attachment", " CPU is high\n\n90 %\n") == (
        "[Attachment]\n> CPU is high\n>\n> 90 %"
    )


def test_nothing_has_no_label() -> None:
    assert excerpt("Attachment", " \n") == ""
