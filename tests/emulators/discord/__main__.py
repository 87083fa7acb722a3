"""Runs a Discord to try the bot on by hand: `python -m tests.emulators.discord`.

Prints the environment that the bot needs. Alice sends every typed line to the bot in
direct messages. The bot's messages there are printed.
"""

import asyncio
import sys

import click

from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.people import Seen

#: Seconds to wait for a message: longer than anyone will use it.
A_DAY = 86_400.0


async def main() -> None:
    """Serve until the input ends."""
    async with DiscordEmulator() as discord:
        for name, value in discord.env.items():
            click.echo(f"{name}={value}")
        alice = discord.add_user("Alice")
        direct = discord.open_dm(alice)
        watcher = asyncio.create_task(watch(discord, direct))
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            discord.say(alice, direct, line)
        watcher.cancel()


async def watch(discord: DiscordEmulator, place: str) -> None:
    """Print the bot's last message whenever it changes."""
    shown: tuple[str, str] | None = None
    while True:

        def news(shown: tuple[str, str] | None = shown) -> Seen | None:
            seen = discord.messages(place)[-1]
            return seen if seen.bot and (seen.id, seen.text) != shown else None

        seen = await discord.until(news, timeout=A_DAY)
        assert seen is not None
        shown = seen.id, seen.text
        click.echo(f"\n{seen.text}")


if __name__ == "__main__":
    asyncio.run(main())
