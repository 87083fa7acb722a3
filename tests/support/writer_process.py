"""A process that hears messages until it is killed, and says which it has heard.

Run as `python -m tests.support.writer_process DATABASE`. Each line on its output is the
id of a message whose write was acknowledged.
"""

import asyncio
import sys
from itertools import count
from pathlib import Path

from bot.errors import ConfigError
from storage.opening import open_store
from storage.store import DatabaseStore
from tests.support.store_helpers import answer, said


async def chat(path: Path) -> None:
    async with open_store(path) as store, asyncio.TaskGroup() as tasks:
        for speaker in range(10):
            tasks.create_task(_speak(store, speaker))


async def _speak(store: DatabaseStore, speaker: int) -> None:
    for number in count():
        message = f"{speaker}-{number}"
        await store.receive(said(message), answer)
        sys.stdout.write(f"{message}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    try:
        asyncio.run(chat(Path(sys.argv[1])))
    except ConfigError as error:
        sys.exit(str(error))
