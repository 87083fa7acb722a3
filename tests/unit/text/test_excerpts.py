"""Excerpts stand under their label, line by line."""

import pytest

from bot.text.excerpts import excerpt, reads_alike


def test_each_line_is_quoted_under_the_label() -> None:
    assert excerpt("Attachment", " CPU is high\n\n90 %\n") == (
        "[Attachment]\n> CPU is high\n>\n> 90 %"
    )


def test_nothing_has_no_label() -> None:
    assert excerpt("Attachment", " \n") == ""


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("of Spain?", " of\n Spain ?", True),
        ("of Spain?", "of France?", False),
        ("see https://e.com", "see https://e.com\n[Link preview: e]\n> Spain", True),
        ("see\n[Preview of a link]\n> one", "see\n\n[Preview of a link]\n> two", True),
        ("see\n[Linked message from Bob]\n> one\n>\n> two", "see", True),
        ("tea?\n[Poll]\n> - yes", "tea?\n[Poll]\n> - yes: 2 votes", True),
        ("[Poll]\n> Tea?\n> - yes", "coffee?\n[Poll]\n> Tea?\n> - yes", False),
        # What people attach or quote is theirs.
        ("see\n[Attachment]\n> one", "see\n[Attachment]\n> two", False),
        ("> one", "> two", False),
        ("[Preview of a link]", "", False),
    ],
)
def test_spacing_and_what_the_platform_changes_are_no_difference(
    one: str, other: str, alike: bool
) -> None:
    assert reads_alike(one, other) is reads_alike(other, one) is alike
