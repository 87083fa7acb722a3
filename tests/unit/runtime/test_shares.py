"""Shares of memory."""

import asyncio

from bot.runtime.shares import Share, Shares


async def test_they_are_handed_out_in_order_and_never_more_than_there_is() -> None:
    shares, held, order = Shares(10), dict[str, Share](), list[str]()

    async def take(name: str, size: int) -> None:
        async with shares.taken(size) as held[name]:
            order.append(name)
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        sizes = {"a": 6, "b": 5, "c": 3, "nothing": 0, "huge": 99, "d": 1}
        tasks = {n: group.create_task(take(n, size)) for n, size in sizes.items()}

        async def holding(*names: str) -> None:
            for _ in range(5):
                await asyncio.sleep(0)
            assert order == [*names]

        # What is small waits for its turn, too; what needs nothing does not.
        await holding("a", "nothing")
        held["a"].give_back()
        held["a"].give_back()
        await holding("a", "nothing", "b", "c")
        # One who goes away while waiting is passed over.
        tasks["huge"].cancel()
        await holding("a", "nothing", "b", "c", "d")
        for task in tasks.values():
            task.cancel()
    async with asyncio.timeout(60), shares.taken(10):
        pass
