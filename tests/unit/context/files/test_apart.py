"""A document that is read in a process of its own is what it is when read in ours."""

from pathlib import Path

import pytest

from bot.context.files import Accepted, apart, read
from bot.domain.attachment import FileContent
from bot.errors import FileUnread, Unread
from tests.support.deep import deep_only, share

FOLDER = Path("tests/data/files")


def outcome(path: Path, accepted: Accepted, *, own: bool) -> FileContent | Unread:
    try:
        return (apart.read if own else read)(path, path.name, accepted)
    except FileUnread as error:
        return error.reason


@pytest.mark.parametrize(
    "name",
    [
        *("contract.docx", "costs.xlsx", "far.xls"),
        # Read by the libraries of the above, or by none.
        *deep_only("roadmap.pptx", "bomb.docx"),
        *deep_only("prices.xls", "hours.ods", "locked.xlsx"),
        *deep_only("service.log", "scan.pdf", "letter.doc", "photos.zip"),
    ],
)
def test_it_is_the_same(name: str) -> None:
    for accepted in share((Accepted(text_tokens=20), Accepted()), len(name), 2):
        here = outcome(FOLDER / name, accepted, own=False)
        assert outcome(FOLDER / name, accepted, own=True) == here


def test_what_a_parser_does_to_its_process_makes_the_file_broken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # It ends by a signal, whatever it is asked to read.
    monkeypatch.setattr(apart, "MODULE", "tests.support.misbehaving")
    assert outcome(FOLDER / "contract.docx", Accepted(), own=True) is Unread.BROKEN
