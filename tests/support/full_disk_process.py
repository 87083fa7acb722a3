"""A process whose files may not grow, for a while.

Run as `python -m tests.support.full_disk_process DATABASE`. Says on its output what
became of three messages: one before, one during and one after.
"""

import asyncio
import resource
import sys
from pathlib import Path

from bot.errors import StorageError
from storage.opening import open_store
from storage.store import DatabaseStore
from tests.support.store_helpers import answer, keep, said


async def main(path: Path) -> None:
    async with open_store(path) as store:
        await store.receive(said("root", opens=True), answer)
        await tell(store, "before")
        allowed, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, most))
        await tell(store, "during")
        resource.setrlimit(resource.RLIMIT_FSIZE, (allowed, most))
        await tell(store, "after")


async def tell(store: DatabaseStore, message: str) -> None:
    try:
        became = (await store.receive(said(message), keep)).disposition.name
    except StorageError as error:
        became = type(error).__name__
    sys.stdout.write(f"{became}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
