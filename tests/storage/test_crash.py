"""The file after its process was killed."""

import asyncio
from itertools import count
from pathlib import Path

import pytest

from bot.errors import ConfigError
from storage.opening import open_store
from storage.store import DatabaseStore
from tests.support.deep import deep_only
from tests.support.forked import Tell, forked
from tests.support.store_helpers import answer, following, said


async def chat(path: Path, tell: Tell) -> None:
    """Let ten people speak without end; tell the id of each message that was
    acknowledged."""
    async with open_store(path) as store, asyncio.TaskGroup() as tasks:
        for speaker in range(10):
            tasks.create_task(_speak(store, speaker, tell))


async def _speak(store: DatabaseStore, speaker: int, tell: Tell) -> None:
    for number in count():
        message = f"{speaker}-{number}"
        await store.receive(said(message), answer)
        tell(message)


async def kept(path: Path) -> set[str]:
    """Return the ids of the messages that are stored."""
    async with open_store(path) as store:
        turns = await store.begin_turn(await following(store), 1.0)
        return {each.message.message for each in turns}


@pytest.mark.parametrize("lines", [20, *deep_only(1, 200)])
def test_nothing_acknowledged_is_lost_when_killed(tmp_path: Path, lines: int) -> None:
    path = tmp_path / "threadkeep.db"
    with forked(lambda tell: asyncio.run(chat(path, tell))) as (process, told):
        heard = [told.readline() for _ in range(lines)]
        # Until then nobody else has its database.
        with pytest.raises(ConfigError) as refusal:
            asyncio.run(kept(path))
        process.kill()
        heard += told.read().splitlines(keepends=True)
    assert str(refusal.value) == (
        f"Another threadkeep is using {path}; stop it first, or set THREADKEEP_DB to "
        "another file."
    )
    # A line cut short by the kill is no acknowledgement.
    whole = [line.decode().strip() for line in heard if line.endswith(b"\n")]
    assert len(whole) >= lines
    assert set(whole) <= asyncio.run(kept(path))
