"""Each guarantee in docs/guarantees.md names a test that exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/guarantees.md").read_text()
DEFINED = re.compile(r"^(?:async )?def (\w+)", re.MULTILINE)
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def test_every_guarantee_names_a_test() -> None:
    head = "| fault | guarantee | test |"
    lines = PAGE.splitlines()
    rows = [line for line in lines if line.startswith("| ") and line != head]
    assert len(rows) >= 40
    assert [row for row in rows if "`tests/" not in row] == []


def test_each_test_exists() -> None:
    found = {
        path: {*DEFINED.findall((ROOT / path).read_text())}
        for path in {path for path, _ in NAMED}
    }
    assert len(NAMED) >= 200
    assert [each for each in NAMED if each[1] not in found[each[0]]] == []


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
