"""The console through HTTP: every page, and the rights of its readers."""

import itertools
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from adapters.web.guards import COOKIE, HEADER
from bot.domain.api_token import TokenScope
from bot.domain.names import LastName, NameKind
from bot.domain.scope import EVERYWHERE, Scope, ThreadKey
from bot.domain.setting import AuditEntry, Change
from bot.errors import StorageFull
from tests.support.memory_store import MemoryStore
from tests.support.store_helpers import exchange, said
from tests.support.web_server import WebServer

OPEN = ThreadKey("web", "local", "welcome", "t.1")
CLOSED = ThreadKey("web", "local", "leads", "t.2")
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"
PAGES = ("", "/usage", "/quality", "/threads", "/settings", "/audit")


class Fragile(MemoryStore):
    full = False

    async def require_writable(self) -> None:
        if self.full:
            raise StorageFull("full")


async def filled() -> Fragile:
    """Return a store in which everything that people can name is hostile."""
    store = Fragile()
    await exchange(store, said("m1", thread=OPEN, text=f"open {EVIL}"), EVIL)
    await exchange(store, said("m2", thread=CLOSED, text="the secret plan"), "No.")
    names = [
        LastName("web", "local", NameKind.CHANNEL, "welcome", EVIL),
        LastName("web", "local", NameKind.PERSON, "U1", EVIL),
    ]
    await store.store_names(names, 1.0)
    place = Scope("web", "local", "welcome")
    for text in ("One.", f"Two.\n{EVIL}"):
        change = Change(place, "prompt", text, versioned=True)
        await store.change_settings([change], who=EVIL, now=4e9)
    await store.record_refusal(AuditEntry(0, 4e9, place, EVIL, "denied", EVIL))
    return store


@pytest_asyncio.fixture
async def server() -> AsyncIterator[WebServer]:
    async with WebServer(store=await filled()).open() as opened:
        yield opened


async def page(server: WebServer, path: str, token: str = "") -> tuple[int, str]:
    async with server.request("GET", path, token) as response:
        return response.status, await response.text()


def thread(key: ThreadKey, what: str = "") -> str:
    return f"/console/thread{what}?key={quote(str(key))}"


async def test_every_page_is_shown_and_runs_nothing_that_people_wrote(
    server: WebServer,
) -> None:
    queries = ("", "?days=365", "?days=x", "?days=9999999999999999999", "?words=a")
    for path, query in itertools.product(PAGES, queries):
        status, text = await page(server, f"/console{path}{query}")
        assert status == 200, (path, query)
        assert "<script>" not in text, (path, query)
        assert "<img" not in text, (path, query)
        assert 'aria-current="page"' in text, (path, query)


async def test_a_thread_that_everybody_may_read_is_shown_and_the_audit_says_so(
    server: WebServer,
) -> None:
    status, text = await page(server, thread(OPEN))
    assert status == 200
    assert "&lt;script&gt;" in text
    assert "<script>" not in text
    async with server.request("GET", thread(OPEN, ".json")) as response:
        found = await response.json()
        assert response.headers["Content-Disposition"].startswith("attachment")
    assert [each["role"] for each in found["messages"]] == ["user", "assistant"]
    looks = await server.store.audit(Scope.of(OPEN), 0.0, 10)
    assert {(each.who, each.action) for each in looks} == {
        ("token-local", "read"),
        ("token-local", "exported"),
    }


async def test_a_private_thread_needs_a_right_to_it(server: WebServer) -> None:
    for path in ("/console/threads", "/console/threads?words=secret"):
        _, text = await page(server, path)
        assert "secret plan" not in text
    for what in ("", ".json"):
        status, text = await page(server, thread(CLOSED, what))
        assert (status, "secret" in text) == (403, False)
    assert await server.store.audit(Scope.of(CLOSED), 0.0, 10) == []


async def test_readers_that_the_operator_names_read_private_threads() -> None:
    env = {"THREADKEEP_PRIVATE_READERS": "ops"}
    async with WebServer(store=await filled(), env=env).open() as server:
        ops = await server.token("ops", TokenScope.ADMIN)
        other = await server.token("other", TokenScope.ADMIN)
        assert (await page(server, thread(CLOSED), other))[0] == 403
        status, text = await page(server, thread(CLOSED), ops)
        assert (status, "the secret plan" in text) == (200, True)
        [look] = await server.store.audit(Scope.of(CLOSED), 0.0, 10)
        assert look.who == "token-ops"


@pytest.mark.parametrize("scope", [TokenScope.CHAT, TokenScope.READ])
async def test_the_console_is_for_admins(server: WebServer, scope: TokenScope) -> None:
    token = await server.token("ci", scope)
    for path in [f"/console{each}" for each in PAGES] + [thread(OPEN)]:
        assert (await page(server, path, token))[0] == 403
        # A browser is sent to sign in, a program is told to.
        assert (await page(server, path))[0] == 401
    assert await server.store.audit(Scope.of(OPEN), 0.0, 10) == []


async def test_a_thread_is_deleted_from_our_own_page_alone(server: WebServer) -> None:
    address = thread(OPEN, "/delete")
    async with server.request("POST", address) as response:
        assert response.status == 403
    headers = {HEADER: "a" * 32}
    headers["Cookie"] = f"{COOKIE}={'a' * 32}"
    async with server.request("POST", address, headers=headers) as response:
        assert (response.status, await response.json()) == (200, {"deleted": True})
    async with server.request(
        "POST", thread(CLOSED, "/delete"), headers=headers
    ) as response:
        assert response.status == 403
    _, text = await page(server, thread(OPEN))
    assert "alert(1)" not in text
    looks = await server.store.audit(EVERYWHERE, 0.0, 10)
    assert "deleted" in {each.action for each in looks}


async def test_what_is_no_thread_is_not_found(server: WebServer) -> None:
    keys = ("", "x", "a:b:c", "web:local:welcome:none", "a" * 5_000, "%00:%00:%00:%00")
    for key in keys:
        for what in ("", ".json"):
            status, _ = await page(server, f"/console/thread{what}?key={key}")
            assert status == 404, (key[:30], what)


async def test_health_tells_a_supervisor_whether_and_the_operator_why(
    server: WebServer,
) -> None:
    assert await server.call("GET", "/healthz") == (200, {"alive": True})
    assert await server.call("GET", "/readyz") == (200, {"ready": True, "problems": []})
    ops = await server.token("ops", TokenScope.ADMIN)
    assert await server.call("GET", "/readyz") == (200, {"ready": True})
    found = await server.call("GET", "/readyz", ops)
    assert found == (200, {"ready": True, "problems": []})


async def test_a_database_that_takes_no_write_is_not_ready() -> None:
    store = await filled()
    store.full = True
    async with WebServer(store=store).open() as server:
        status, said = await server.call("GET", "/readyz")
        assert (status, said["ready"], len(said["problems"])) == (503, False, 1)
        assert (await server.call("GET", "/healthz"))[0] == 200
        await server.token("ci")
        assert await server.call("GET", "/readyz") == (503, {"ready": False})


async def test_metrics_are_what_monitoring_reads_and_name_nobody(
    server: WebServer,
) -> None:
    await server.answer("hello?")
    status, text = await page(server, "/metrics")
    assert status == 200
    found = {each.name: each for each in text_string_to_metric_families(text)}
    assert found["threadkeep_ready"].samples[0].value == 1
    [words] = [
        sample
        for sample in found["threadkeep_first_words_seconds"].samples
        if sample.name.endswith("_count") and sample.labels["platform"] == "web"
    ]
    assert words.value == 1
    assert {s.labels["kind"] for s in found["threadkeep_cost_usd"].samples} == {
        "answer"
    }
    assert sum(s.value for s in found["threadkeep_model_calls"].samples) == 1
    # Neither people nor places, nor what they wrote.
    for secret in ("alert", "U1", "welcome", "t.1", "hello", "token-local"):
        assert secret not in text
    await server.token("ci", TokenScope.CHAT)
    assert (await page(server, "/metrics"))[0] == 401
    reader = await server.token("prometheus", TokenScope.READ)
    assert (await page(server, "/metrics", reader))[0] == 200
