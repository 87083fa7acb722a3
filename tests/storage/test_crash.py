"""What is left after a process was killed, and what keeps a second one out."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.errors import ConfigError
from storage.opening import open_store
from tests.support.store_helpers import following

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def chatting(path: Path) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.writer_process", str(path)),
        cwd=ROOT,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def heard_before_the_kill(path: Path, lines: int) -> list[str]:
    """The ids that a process acknowledged until it was killed after `lines`."""
    async with chatting(path) as process:
        assert process.stdout
        heard = [await process.stdout.readline() for _ in range(lines)]
        process.kill()
        heard += (await process.stdout.read()).splitlines(keepends=True)
    # A line cut short by the kill is no acknowledgement.
    return [line.decode().strip() for line in heard if line.endswith(b"\n")]


@pytest.mark.parametrize("lines", [1, 20, 200])
async def test_nothing_acknowledged_is_lost_when_killed(
    tmp_path: Path, lines: int
) -> None:
    path = tmp_path / "threadkeep.db"
    heard = await heard_before_the_kill(path, lines)
    assert len(heard) >= lines
    async with open_store(path) as store:
        kept = await store.begin_turn(await following(store), 1.0)
        assert set(heard) <= {each.message.message for each in kept}


async def test_a_second_process_is_kept_out(tmp_path: Path) -> None:
    path = tmp_path / "threadkeep.db"
    async with open_store(path), chatting(path) as second:
        _, complaint = await second.communicate()
        assert second.returncode == 1
    assert complaint.decode().strip() == (
        f"Another threadkeep is using {path}; stop it first, or set THREADKEEP_DB to "
        "another file."
    )


async def test_a_process_is_kept_out_by_another_and_let_in_after_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "threadkeep.db"
    async with chatting(path) as other:
        assert other.stdout
        await other.stdout.readline()
        with pytest.raises(ConfigError, match="Another threadkeep"):
            async with open_store(path):
                pass
        other.kill()
        await other.wait()
        async with open_store(path) as store:
            assert await store.open_threads() != []
