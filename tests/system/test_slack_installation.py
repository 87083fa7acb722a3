"""The whole program, installed with OAuth: killed, and started again with its key."""

import base64
import signal
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from adapters.slack.installing import REDIRECT
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.security.remains import in_bytes
from tests.support.ports import free_port, until_listening
from tests.support.process import Nursery, Process, claude_env, slack_http_env
from tests.support.slack_house import KEY, Browser, oauth_env

process = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Site:
    """The web pages where people install the app."""

    slack: SlackEmulator
    session: aiohttp.ClientSession
    address: str


@process
async def test_a_workspace_that_was_installed_is_served_by_the_next_process(
    tmp_path: Path, nursery: Nursery
) -> None:
    async with (
        SlackEmulator(retries=[0.1] * 600, ack_timeout=30.0) as slack,
        ClaudeEmulator() as claude,
        aiohttp.ClientSession() as session,
    ):
        address = f"127.0.0.1:{free_port()}"
        slack.oauth.rotates = True
        env = {
            **slack_http_env(slack),
            **oauth_env(slack),
            **claude_env(claude),
            **{"SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": ""},
            "THREADKEEP_SLACK_HTTP": address,
            "THREADKEEP_KEYS": base64.urlsafe_b64encode(KEY).decode(),
            "SLACK_REDIRECT_URL": f"http://{address}{REDIRECT}",
        }
        site = Site(slack, session, f"http://{address}")
        running = Process(tmp_path, env)
        await running.start(nursery=nursery)
        await until_listening(address)
        await slack.use_http(f"http://{address}/slack/events")
        teams = [slack.add_team(name) for name in ("Acme", "Globex")]
        for team in teams:
            status, page = await Browser(site).install(team)
            assert status == 200, page
        running.kill()
        assert await running.ended() == -signal.SIGKILL
        asked = []
        for team in teams:
            channel = team.add_channel("general")
            person = team.add_user("Pat")
            asked.append((team, channel, team.say(person, channel, team.mention)))
        await running.start(nursery=nursery)
        for team, channel, ts in asked:
            await slack.until(
                lambda team=team, channel=channel, ts=ts: any(  # type: ignore[misc]
                    each.bot and "…" not in each.text
                    for each in team.thread(channel, ts)
                )
            )
        running.kill(signal.SIGTERM)
        assert await running.ended() == 0
        assert "Traceback" not in running.output
        for team in teams:
            assert team.bot_token not in running.output
            assert in_bytes(running.database, team.bot_token) == []
