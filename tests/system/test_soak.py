"""A short soak; a long one is `python -m benchmarks.soak`."""

from pathlib import Path

from benchmarks.soak import soak


async def test_nothing_is_lost_whatever_happens_for_a_while(tmp_path: Path) -> None:
    soaked = await soak(9.0, 5, tmp_path, seed=4)
    assert soaked.kills >= 1
    assert soaked.faults >= 4
    assert sum(soaked.ended.values()) >= 10
