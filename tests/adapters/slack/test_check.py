"""`threadkeep check` on Slack over HTTP."""

import socket

import pytest

from adapters.slack.check import check
from bot.domain.finding import Grade
from bot.messages import check as messages
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.ports import free_port
from tests.support.process import slack_http_env


async def grades(slack: SlackEmulator, address: str) -> dict[str, Grade]:
    env = {**slack_http_env(slack), "THREADKEEP_SLACK_HTTP": address}
    found = await check(env)
    [http] = [each for each in found if each.subject == messages.SLACK_HTTP]
    assert address in http.text
    return {each.subject: each.grade for each in found}


async def test_without_sockets_no_connection_is_tried() -> None:
    async with SlackEmulator() as slack:
        slack.socket_mode = False
        assert await grades(slack, f"127.0.0.1:{free_port()}") == {
            messages.SLACK_BOT_TOKEN: Grade.GOOD,
            messages.SLACK_HTTP: Grade.GOOD,
        }
        assert slack.calls_of("apps.connections.open") == []


async def test_an_address_in_use_may_be_that_of_the_bot_itself() -> None:
    async with SlackEmulator() as slack:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            found = await grades(slack, address)
        assert found[messages.SLACK_HTTP] is Grade.NOTE


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
async def test_an_address_of_another_machine_is_named(host: str) -> None:
    async with SlackEmulator() as slack:
        found = await grades(slack, f"{host}:3000")
        assert found[messages.SLACK_HTTP] is Grade.BAD
