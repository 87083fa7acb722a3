"""A later version of a message adds to it."""

from dataclasses import replace

import pytest

from bot.domain.attachment import Attachment
from bot.domain.message import Message, StoredMessage, fuller
from bot.domain.scope import ThreadKey

POOR = Message(ThreadKey("fake", "w", "c", "t"), "1", 1.0, "alice", "see", True, True)
BESIDE = "see\n[Attachment]\n> CPU"


@pytest.mark.parametrize(
    ("stored", "text", "edited", "now"),
    [
        ("see", BESIDE, False, BESIDE),
        ("see", BESIDE, True, BESIDE),
        ("", "[Attachment]\n> CPU", False, "[Attachment]\n> CPU"),
        ("Build 7", "Build 7 is red", False, "Build 7 is red"),
        # From before the edit.
        ("Build 7", "Build 7 is red", True, None),
        ("see", "look", False, None),
        (BESIDE, "see", False, None),
        (BESIDE, "", False, None),
        ("see", "see", False, None),
    ],
)
def test_a_version_that_says_more_is_taken(
    stored: str, text: str, edited: bool, now: str | None
) -> None:
    before = StoredMessage(replace(POOR, text=stored), edited)
    after = fuller(before, replace(POOR, text=text))
    assert (after.text if after else None) == now


def test_files_of_both_versions_are_kept() -> None:
    with_files = replace(POOR, files=(Attachment("a.png"), Attachment("b.png")))
    assert fuller(StoredMessage(POOR), with_files) == with_files
    assert fuller(StoredMessage(with_files), POOR) is None
    beside = replace(
        POOR,
        text=BESIDE,
        files=(Attachment("b.png"), Attachment("c.png")),
        holds=("9",),
    )
    assert fuller(StoredMessage(with_files), beside) == replace(
        beside, files=(Attachment("a.png"), Attachment("b.png"), Attachment("c.png"))
    )
