"""Runs a Slack to try the bot on by hand: `python -m tests.emulators.slack`.

Prints the environment that the bot needs. Alice sends every typed line in one thread of
direct messages. The bot's messages there are printed.
"""

import asyncio
import sys

import click

from tests.emulators.slack.emulator import SlackEmulator

#: Seconds to wait for a message: longer than anyone will use it.
A_DAY = 86_400.0


async def main() -> None:
    """Serve until the input ends."""
    async with SlackEmulator() as slack:
        click.echo(f"SLACK_API_URL={slack.api_url}")
        click.echo(f"SLACK_BOT_TOKEN={slack.bot_token}")
        click.echo(f"SLACK_APP_TOKEN={slack.app_token}")
        alice = slack.add_user("Alice")
        direct, root = slack.open_dm(alice), None
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            ts = slack.say(alice, direct, line, thread_ts=root)
            if root is None:
                root = ts
                watcher = asyncio.create_task(watch(slack, direct, root))
        if root is not None:
            watcher.cancel()


async def watch(slack: SlackEmulator, channel: str, root: str) -> None:
    """Print the thread's last message whenever it changes."""
    shown = ""
    while True:

        def news(shown: str = shown) -> str:
            seen = slack.thread(channel, root)[-1]
            return seen.text if seen.bot and seen.text != shown else ""

        shown = await slack.until(news, timeout=A_DAY)
        click.echo(f"\n{shown}")


if __name__ == "__main__":
    asyncio.run(main())
