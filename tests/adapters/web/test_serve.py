"""`threadkeep serve` in a terminal without any configuration, and addresses that are in
use or reachable by others."""

import asyncio
import os
import re
import socket
from pathlib import Path

import aiohttp
import pytest

from adapters.web import config, server
from adapters.web.adapter import connect
from adapters.web.config import WebConfig
from bot.errors import ConfigError
from tests.support.memory_store import MemoryStore
from tests.support.scripted_model import ScriptedModel
from tests.support.seat import seated
from tests.support.web_harness import browsing

_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


async def test_a_newcomer_is_told_the_address_and_leaves_with_ctrl_c(
    tmp_path: Path,
) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "TERM": "xterm",
        "THREADKEEP_DB": str(tmp_path / "t.db"),
    }
    async with seated(("serve",), env, tmp_path) as seat:
        await seat.sees(lambda text: "Threadkeep is at" in text)
        found = _ADDRESS.search(seat.text)
        assert found
        async with aiohttp.ClientSession() as session, session.get(found[0]) as page:
            assert page.status == 200
            assert "Ask Claude in a thread" in await page.text()
        # No log line between what people read.
        assert "INFO" not in seat.text
        seat.type("\x03")
        async with asyncio.timeout(60):
            assert await seat.process.wait() == 0


def test_the_next_free_port_is_taken_unless_one_was_chosen() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port: int = taken.getsockname()[1]
        with server.listen(WebConfig(port=port)) as next_one:
            assert next_one.getsockname()[1] != port
        with pytest.raises(ConfigError, match="Another program uses"):
            server.listen(WebConfig(port=port, is_chosen=True))
    with pytest.raises(ConfigError, match="has no address"):
        server.listen(WebConfig("192.0.2.1", 8080, is_chosen=True))


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("", "127.0.0.1", 8080),
        ("off", "127.0.0.1", 8080),
        ("127.0.0.1:0", "127.0.0.1", 0),
        ("[::1]:9000", "::1", 9000),
        ("0.0.0.0:80", "0.0.0.0", 80),
    ],
)
def test_an_address_is_read(written: str, host: str, port: int) -> None:
    found = config.read({"THREADKEEP_WEB": written})
    assert (found.host, found.port) == (host, port)
    assert found.is_chosen == config.is_configured({"THREADKEEP_WEB": written})
    assert found.is_loopback == (host != "0.0.0.0")


@pytest.mark.parametrize(
    "env",
    [
        {"THREADKEEP_WEB": "8080"},
        {"THREADKEEP_WEB": "localhost"},
        {"THREADKEEP_WEB": "127.0.0.1:99999"},
        {"THREADKEEP_WEB": "http://127.0.0.1:80"},
        {"THREADKEEP_WEB_TRUSTED_PROXY": "https://example.org/"},
    ],
)
def test_what_is_no_address_is_refused(env: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        config.read(env)


async def test_an_address_of_others_needs_tokens_or_a_proxy() -> None:
    env, store = {"THREADKEEP_WEB": "0.0.0.0:0"}, MemoryStore()
    with pytest.raises(ConfigError, match="threadkeep token create"):
        async with connect(env, store):
            pass
    proxied = {**env, "THREADKEEP_WEB_TRUSTED_PROXY": "chat.example.org"}
    async with connect(proxied, store) as adapter:
        assert adapter.settings.proxies == {"chat.example.org"}


async def test_a_request_under_another_name_or_of_another_site_is_refused() -> None:
    async with browsing(MemoryStore(), ScriptedModel()) as browser:
        for headers, status in (
            ({"Host": "evil.example"}, 421),
            ({"Host": "127.0.0.1.evil.example"}, 421),
            ({"Origin": "http://evil.example"}, 403),
            ({"Sec-Fetch-Site": "cross-site"}, 403),
        ):
            async with browser.session.get(
                f"{browser.address}/local/events?channel=welcome", headers=headers
            ) as response:
                assert response.status == status
                assert (await response.json())["message"]
        await browser.page()
        browser.headers = {"X-Threadkeep-Page": "forged"}
        refused = await browser.post(
            "/local/messages", text="x", channel="welcome", status=403
        )
        assert refused["code"] == "page"
        browser.headers = {"Origin": "http://evil.example"}
        await browser.post("/local/messages", text="x", channel="welcome", status=403)
