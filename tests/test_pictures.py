"""The pictures in the docs show what people see today."""

import re

from tests.pictures.picture import FOLDER, digests, kept
from tests.pictures.scenes import pictures
from tests.support import shapes_picture
from tests.support.process import ROOT

REDRAW = "draw it again, and look at it: python -m tests.pictures"


async def test_no_picture_is_out_of_date() -> None:
    made, drawn = digests(await pictures()), kept()
    changed = sorted(
        name for name in {*made, *drawn} if made.get(name) != drawn.get(name)
    )
    assert not changed, f"{REDRAW} {' '.join(changed)}"


def test_the_picture_of_the_shapes_is_what_is_drawn() -> None:
    assert shapes_picture.FILE.read_text() == shapes_picture.picture(), (
        "run `make docs`"
    )


def test_every_picture_is_shown_and_there() -> None:
    shown = set[str]()
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        shown |= set(
            re.findall(r"!\[[^]]+\]\([^)]*pictures/([^)]+)\)", page.read_text())
        )
    there = {file.name for file in FOLDER.iterdir() if file.suffix != ".json"}
    assert there == shown
    assert {f"{name}.png" for name in kept()} <= there
