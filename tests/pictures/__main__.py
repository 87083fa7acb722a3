"""Photographs what admins see, for the docs: `python -m tests.pictures [FOLDER]`.

Threadkeep runs here against the emulators, and its own payloads are drawn. Needs
`chromium`; the pictures in docs/pictures are its work, and no test depends on them.
"""

import asyncio
import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from bot.claude.client import connect as connect_claude
from bot.settings.effective import Operator
from storage.store import open_store
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.pictures import discord, slack
from tests.support.process import running

FOLDER = Path(__file__).parent.parent.parent / "docs" / "pictures"

PROMPT = """\
You answer questions about billing in the team's own words. Quote the clause that you
rely on, and say plainly when there is none.

Never promise a refund: say who decides, and how long that takes."""

QUESTIONS = ("Can we refund a yearly plan?", "Which tax is on invoice 118?", "Thanks!")
TALK = (
    ("Alice", "since this morning the nightly build fails on ci"),
    ("Bob", "since when exactly? I merged the cache change at 9"),
    ("Alice", "{mention} what could it be?"),
)
ADVICE = """\
The cache change is the likely cause: it keys on the lock file, and the lock file was \
regenerated at 9:12. Try this:

```
cache-key: ${{ hashFiles('uv.lock', '.python-version') }}
```

If the build still fails after that, send me its first error."""
ANSWER = "Clause 4.2: within 14 days, pro rata. Finance decides, within two days. " * 12


async def main(folder: Path) -> None:
    """Draw everything into `folder`."""
    await of_thread(folder)
    await of_slack(folder)
    await of_discord(folder)


async def of_thread(folder: Path) -> None:
    """A thread in Slack in which the bot was mentioned."""
    async with SlackEmulator() as platform, product(platform, ADVICE):
        channel, root = platform.add_channel("general"), ""
        people = {name: platform.add_user(name) for name in ("Alice", "Bob")}
        for author, text in TALK:
            said = text.format(mention=platform.mention)
            ts = platform.say(people[author], channel, said, thread_ts=root or None)
            root = root or ts
        await platform.until(
            lambda: any(
                control.label == "Retry"
                for control in platform.thread(channel, root)[-1].controls
            ),
            timeout=20,
        )
        blocks = _thread(platform, channel, root)
        page = slack.page({"blocks": blocks}, _names(platform))
        photograph(page, folder / "slack-thread.png", 720)


async def of_slack(folder: Path) -> None:
    """The home tab, the form of a prompt, and what a member is told."""
    async with SlackEmulator() as platform, product(platform):
        general = platform.add_channel("billing")
        olga = platform.add_user("Olga", admin=True)
        people = [platform.add_user(name) for name in ("Alice", "Bob")]
        name = _names(platform)

        async def give(user: str, text: str) -> None:
            done = platform.command(user, general, "/claude", text)
            await platform.until(lambda: done.acked)

        await give(olga, f"set prompt {PROMPT}")
        for line in (
            "model haiku",
            "budget day 5",
            "budget month 200 workspace",
            "set person_messages workspace 30",
            f"set admins workspace <@{people[0]}>",
            "set footer on",
            "set prompt workspace Be accurate, kind and brief.",
        ):
            await give(olga, line)
        await give(people[1], "model opus")
        for nth, question in enumerate(QUESTIONS):
            said = f"{platform.mention} {question}"
            ts = platform.say(people[nth % 2], general, said)
            await platform.until(
                lambda ts=ts: any(  # type: ignore[misc]
                    seen.bot and "Clause" in seen.text and not seen.text.endswith(" …")
                    for seen in platform.thread(general, ts)
                ),
                timeout=20,
            )
        platform.open_home(olga)
        await platform.until(lambda: platform.home(olga))
        view = platform.home(olga)
        assert view is not None
        photograph(slack.page(view, name), folder / "slack-home.png", 720)
        platform.command(olga, general, "/claude", "prompt")
        await platform.until(lambda: platform.modal(olga))
        modal = platform.modal(olga)
        assert modal is not None
        photograph(slack.page(modal.view, name), folder / "slack-prompt.png", 560)
        await give(people[1], "settings")
        whisper = platform.ephemerals(people[1])[-1]
        page = slack.page({"blocks": whisper.blocks}, name)
        photograph(page, folder / "slack-settings.png", 720)


async def of_discord(folder: Path) -> None:
    """The form of a prompt, and the settings with their menus."""
    async with DiscordEmulator() as platform, product(platform):
        general = platform.add_channel("billing")
        olga = platform.add_user("Olga", admin=True)

        def name(number: str) -> str:
            return "billing" if number == general else "Olga"

        asked = platform.command(olga, general, "claude prompt set")
        await platform.until(lambda: asked.response and asked.response.modal)
        saved = platform.submit(olga, asked, {"prompt": PROMPT})
        await platform.until(lambda: saved.response)
        asked = platform.command(olga, general, "claude prompt set")
        await platform.until(lambda: asked.response and asked.response.modal)
        assert asked.response is not None
        assert asked.response.modal is not None
        drawn = discord.modal(asked.response.modal)
        photograph(drawn, folder / "discord-prompt.png", 540)
        asked = platform.command(olga, general, "claude settings")
        await platform.until(lambda: asked.response and asked.response.message)
        assert asked.response is not None
        seen = asked.response.message
        assert seen is not None
        only = "Only you can see this · Dismiss message"
        page = discord.message(seen.text, seen.components, name, only=only)
        photograph(page, folder / "discord-settings.png", 600)


@contextlib.asynccontextmanager
async def product(
    platform: SlackEmulator | DiscordEmulator, answer: str = ANSWER
) -> AsyncIterator[None]:
    """Threadkeep, listening to `platform`, with a Claude that says `answer`."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            ClaudeEmulator() as claude,
            open_store(Path(folder) / "threadkeep.db") as store,
            connect_claude(claude.api_key, claude.base_url) as model,
            running(platform, store, model, operator=Operator()),
        ):
            claude.always(answer)
            yield


def photograph(page: str, file: Path, width: int) -> None:
    """Let Chromium show `page` at its whole height, and save what it looks like."""
    browser = shutil.which("chromium") or shutil.which("chrome")
    if browser is None:
        sys.exit("Install chromium to draw the pictures.")
    with tempfile.TemporaryDirectory() as folder:
        html = Path(folder) / "page.html"
        html.write_text(page)
        common = (
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
            *("--no-first-run", "--disable-background-networking", "--disable-sync"),
            *("--disable-component-update", "--hide-scrollbars"),
            f"--user-data-dir={folder}/profile",
        )
        script = "<script>document.title=document.documentElement.scrollHeight</script>"
        html.write_text(page + script)
        address = html.as_uri()
        measured = subprocess.run(
            [*common, f"--window-size={width},200", "--dump-dom", address],
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        found = re.search(r"<title>(\d+)</title>", measured)
        height = int(found[1]) if found else 1_000
        subprocess.run(
            [
                *common,
                f"--window-size={width},{height}",
                f"--screenshot={file}",
                address,
            ],
            capture_output=True,
            check=True,
        )


def _thread(platform: SlackEmulator, channel: str, root: str) -> list[dict[str, Any]]:
    """Return a thread as blocks: each message below the name of its author."""
    blocks: list[dict[str, Any]] = []
    for seen in platform.thread(channel, root):
        text = {"type": "mrkdwn", "text": f"*{seen.author}*\n{seen.text}"}
        blocks.append({"type": "section", "text": text})
        buttons = [control.element for control in seen.controls]
        if buttons:
            blocks.append({"type": "actions", "elements": buttons})
    return blocks


def _names(platform: SlackEmulator) -> Callable[[str], str]:
    def name(number: str) -> str:
        if number in platform.world.users:
            return platform.world.users[number].name
        channel = platform.world.channels.get(number)
        return channel.name if channel else number

    return name


if __name__ == "__main__":
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    where.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(where))
