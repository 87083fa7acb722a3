"""The server of a gateway or worker: health checks and metrics, and nothing else."""

import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from adapters.web.server import monitoring
from bot.app import App
from bot.domain.api_token import ApiToken, NewToken, TokenScope, digest
from bot.errors import ConfigError
from bot.settings.effective import Operator
from tests.support.fakes import FakeAdapter
from tests.support.memory_store import MemoryStore
from tests.support.scripted_model import ScriptedModel


def core(store: MemoryStore) -> App:
    """Return a process whose platform, called fake, is not connected yet."""
    return App(
        store=store,
        model=ScriptedModel(),
        adapters=[FakeAdapter()],
        operator=Operator({}),
        grace=1.0,
    )


class Supervisor:
    """A client of the server's monitoring pages, as a supervisor has."""

    def __init__(self, store: MemoryStore, app: App, session: ClientSession) -> None:
        self.store = store
        self.app = app
        self._session = session

    async def call(
        self, path: str, headers: dict[str, str] | None = None, method: str = "GET"
    ) -> tuple[int, Any]:
        """Send a request; return the status and the JSON of the response."""
        async with self._session.request(method, path, headers=headers) as response:
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            return response.status, await response.json()

    async def metrics(self, token: str = "") -> tuple[int, str]:
        """Read the metrics; return the status and the text."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._session.get("/metrics", headers=headers) as response:
            return response.status, await response.text()

    async def token(self, *scopes: TokenScope) -> str:
        """Make a token."""
        new = NewToken.random()
        made = ApiToken(new.id, new.id, frozenset(scopes), created=1.0, rate=6_000)
        await self.store.add_token(made, digest(new.text))
        return new.text


@pytest_asyncio.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    store = MemoryStore()
    app = core(store)
    async with (
        monitoring({"THREADKEEP_WEB": "127.0.0.1:0"}, store, app.host) as address,
        ClientSession(address) as session,
    ):
        assert address.startswith("http://127.0.0.1:")
        yield Supervisor(store, app, session)


async def test_a_process_is_ready_while_its_platform_is_connected(
    supervisor: Supervisor,
) -> None:
    health = supervisor.app.host.health
    assert await supervisor.call("/healthz") == (200, {"alive": True})
    status, said = await supervisor.call("/readyz")
    assert (status, said["ready"]) == (503, False)
    assert said["problems"] == ["fake is not connected."]
    health.connected("fake")
    assert await supervisor.call("/readyz") == (200, {"ready": True, "problems": []})
    health.lost("fake")
    assert (await supervisor.call("/readyz"))[0] == 503
    assert await supervisor.call("/healthz") == (200, {"alive": True})


async def test_metrics_need_a_token_as_soon_as_there_is_one(
    supervisor: Supervisor,
) -> None:
    supervisor.app.host.health.connected("fake")
    status, text = await supervisor.metrics()
    assert status == 200
    found = {each.name: each for each in text_string_to_metric_families(text)}
    assert found["threadkeep_ready"].samples[0].value == 1
    [connected] = found["threadkeep_platform_connected"].samples
    assert (connected.labels, connected.value) == ({"platform": "fake"}, 1)
    chat = await supervisor.token(TokenScope.CHAT)
    assert (await supervisor.metrics())[0] == 401
    assert (await supervisor.metrics(chat))[0] == 403
    assert (await supervisor.metrics(f"{chat[:-1]}_"))[0] == 401
    assert (await supervisor.metrics(await supervisor.token(TokenScope.READ)))[0] == 200
    # Why it is not ready is no longer told to everybody.
    assert await supervisor.call("/readyz") == (200, {"ready": True})


async def test_nothing_else_is_served_and_no_other_site_is_answered(
    supervisor: Supervisor,
) -> None:
    for path in ("/", "/c/welcome", "/console", "/api/threads", "/static/style.css"):
        status, said = await supervisor.call(path)
        assert (status, said["code"]) == (404, "not_found"), path
    for headers, status in (
        ({"Host": "evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ):
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await supervisor.call(path, headers))[0] == status
    assert (await supervisor.call("/healthz", method="POST"))[0] == 403


@pytest.fixture
def taken() -> Iterator[str]:
    """An address on which another process listens."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield f"127.0.0.1:{other.getsockname()[1]}"


async def test_an_address_that_cannot_be_used_is_named(taken: str) -> None:
    store = MemoryStore()
    for address, match in (
        (taken, f"Another process uses {taken}.* THREADKEEP_WEB"),
        ("8080", "THREADKEEP_WEB"),
        ("0.0.0.0:0", "threadkeep token create"),
    ):
        with pytest.raises(ConfigError, match=match):
            async with monitoring({"THREADKEEP_WEB": address}, store, core(store).host):
                pass
