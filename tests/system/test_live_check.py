"""`threadkeep check --live` and `now`, with and without a running bot."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.emulators.slack.emulator import SlackEmulator
from tests.support.process import Nursery, slack_env
from tests.system.test_commands import MISTAKE, Shell

# The nursery of the module lives on one loop, and its tests with it.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def slack() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator() as slack:
        yield slack


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_without_a_bot_the_check_listens_itself(
    slack: SlackEmulator, tmp_path: Path, nursery: Nursery
) -> None:
    shell, channel = Shell(tmp_path, nursery), slack.add_channel("test")
    env = {**slack_env(slack), "THREADKEEP_PROBE": f"slack:{channel}"}
    status, printed = await shell.run(env, "check", "--live")
    assert (status, "came back after" in printed) == (0, True)
    env.pop("THREADKEEP_PROBE")
    status, printed = await shell.run(env, "check", "--live")
    assert (status, "THREADKEEP_PROBE" in printed) == (1, True)
    status, printed = await shell.run(env, "check", "--live", "--offline")
    assert (status, "exclude each other" in printed) == (MISTAKE, True)


async def test_beside_a_bot_that_is_what_has_to_hear_it(
    slack: SlackEmulator, tmp_path: Path, nursery: Nursery
) -> None:
    shell, channel = Shell(tmp_path, nursery), slack.add_channel("here")
    env = slack_env(slack)
    bot = shell.process(env)
    await bot.start("serve", nursery=nursery)
    status_of_bot = tmp_path / "threadkeep.db.status"
    try:
        await until(status_of_bot.exists)
        await until(lambda: '"since":1' in status_of_bot.read_text())
        place = ("--in", f"slack:{channel}")
        status, printed = await shell.run(env, "check", "--live", *place)
        assert (status, "came back to the running bot" in printed) == (0, True)
        status, printed = await shell.run(env, "now", "--json")
        [connection] = json.loads(printed)["running"]["connections"]
        assert (status, connection["platform"]) == (0, "slack")
        assert connection["heard"] is not None
        status, printed = await shell.run(env, "now")
        assert (status, "Threadkeep" in printed, "slack" in printed) == (0, True, True)
    finally:
        bot.kill(signal.SIGTERM)
        assert await bot.ended() == 0
    assert not status_of_bot.exists()
