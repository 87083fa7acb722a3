"""A page that is open while the server is killed, again and again."""

import asyncio
import contextlib
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Hold
from tests.support import chromium
from tests.support.ports import free_port, until_listening
from tests.support.process import Nursery, Process, claude_env

pytestmark = pytest.mark.asyncio(loop_scope="session")


@contextlib.asynccontextmanager
async def living(
    tab: Page, nursery: Nursery, folder: Path
) -> AsyncIterator[tuple[Process, ClaudeEmulator]]:
    """A process and Claude; `tab` shows the tab."""
    async with ClaudeEmulator() as claude:
        address = f"127.0.0.1:{free_port()}"
        process = Process(folder, {"THREADKEEP_WEB": address, **claude_env(claude)})
        await process.start(nursery=nursery)
        try:
            async with chromium.used(tab):
                await until_listening(address)
                await tab.goto(f"http://{address}/")
                yield process, claude
        finally:
            process.kill(signal.SIGTERM)
            assert await process.ended() == 0


async def test_an_answer_is_finished_on_the_open_page_after_a_kill(
    tab: Page, tmp_path: Path
) -> None:
    async with (
        Nursery() as nursery,
        living(tab, nursery, tmp_path) as (process, claude),
    ):
        lines = [f"This is line {nth}." for nth in range(1, 21)]
        half, whole = "\n\n".join(lines[:9]), "\n\n".join(lines)
        claude.script([half, Hold(asyncio.Event())], [whole])
        await tab.fill("#message", "@Claude write twenty lines")
        await tab.keyboard.press("Enter")
        answer = tab.locator("article.bot")
        await expect(answer).to_contain_text("line 9.")
        process.kill()
        assert await process.ended() == -signal.SIGKILL
        status = tab.locator("#status")
        await expect(status).to_contain_text("Connecting again")
        # What was there stays there.
        await expect(answer).to_contain_text("line 9.")
        # And what is sent meanwhile is sent when somebody takes it.
        await tab.fill("#reply", "thanks for the lines, and now?")
        await tab.keyboard.press("Enter")
        await expect(tab.locator("#thread .wrong")).to_contain_text("Not sent yet")
        await process.start(nursery=nursery)
        await expect(answer.first).to_contain_text("line 20.")
        await expect(answer).to_have_count(2)
        await expect(answer.nth(1)).not_to_have_attribute("aria-busy", "true")
        text = await answer.first.locator(".blocks").inner_text()
        assert re.findall(r"This is line \d+\.", text) == lines
        assert await tab.locator("article.person").count() == 2
        await tab.reload()
        text = await answer.first.locator(".blocks").inner_text()
        assert re.findall(r"This is line \d+\.", text) == lines
        assert await tab.locator("article").count() == 4
