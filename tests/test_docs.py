"""The docs name rooms, files and headings that exist."""

import ast
import re
from pathlib import Path

import pytest

from tests.test_architecture import LINES

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
ROOMS = [
    path
    for folder in ("bot", "adapters", "storage")
    for path in (ROOT / folder).rglob("__init__.py")
]

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_ROOM = re.compile(r"^\| ?(\d*) ?\| `(\w+(?:\.\w+)?)` \|", re.MULTILINE)


def test_the_map_is_that_of_the_architecture() -> None:
    drawn: list[list[str]] = []
    for number, room in _ROOM.findall((ROOT / "CONTRIBUTING.md").read_text()):
        if number:
            drawn.append([])
        drawn[-1].append(room)
    assert drawn == [line.split() for line in LINES.strip().splitlines()]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text()):
        if link.startswith(("http:", "https:")):
            continue
        name, _, heading = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if heading:
            titles = _HEADING.findall(target.read_text())
            assert heading in map(_anchor, titles), link


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: path.parent.name)
def test_a_room_is_described_in_ten_lines(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    assert len(docstring.splitlines()) <= 10


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 200


def _anchor(title: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
