"""What is promised in the docs is held by tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/guarantees.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def test_every_promise_names_a_test() -> None:
    head = "| fault | promise | test |"
    lines = PAGE.splitlines()
    rows = [line for line in lines if line.startswith("| ") and line != head]
    assert len(rows) >= 40
    assert [row for row in rows if "`tests/" not in row] == []


@pytest.mark.parametrize(("path", "name"), NAMED, ids=lambda each: str(each))
def test_the_test_exists(path: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\b", (ROOT / path).read_text(), re.M)


def test_no_kill_point_is_left_out() -> None:
    for path in (
        "tests/support/crash_points.py",
        "tests/support/slack_crash_points.py",
        "tests/support/slack_stream_crash_points.py",
    ):
        text = (ROOT / path).read_text()
        points = re.findall(
            r"^(?:@(?:scenarios\.add\(\)|on_each_platform)\n)?async def (killed\w+)\(",
            text,
            re.MULTILINE,
        )
        assert set(points) <= {name for _, name in NAMED}
