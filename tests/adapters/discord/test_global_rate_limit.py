"""No more calls a second than Discord takes from one bot, over all channels."""

import asyncio

from adapters.discord.client import open_link
from adapters.discord.config import DiscordConfig
from adapters.discord.global_rate_limit import MOST, GlobalRateLimiter
from tests.emulators.discord.emulator import DiscordEmulator


async def test_a_rush_in_many_channels_meets_no_limit() -> None:
    async with DiscordEmulator() as discord:
        channels = [discord.add_channel(f"room-{n}") for n in range(60)]
        async with open_link(DiscordConfig.from_env(discord.env)) as link:
            places = [link.client.get_partial_messageable(int(c)) for c in channels]
            await asyncio.gather(*(place.send("hello") for place in places))
        assert all(discord.messages(channel) for channel in channels)
        assert discord.refused == 0


async def test_a_patient_call_goes_last_and_a_cancelled_one_not_at_all() -> None:
    turnstile, left = GlobalRateLimiter(), []

    async def leave(name: str, *, patient: bool = False) -> None:
        await turnstile.acquire(patient=patient)
        left.append(name)

    for _ in range(MOST):
        await leave("before")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(leave("typing", patient=True))
        gone = tasks.create_task(leave("gone"))
        tasks.create_task(leave("post"))
        # One turn of the loop puts all three in line.
        await asyncio.sleep(0)
        gone.cancel()
    assert left[MOST:] == ["post", "typing"]
