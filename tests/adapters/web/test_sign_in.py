"""Pages ask for a token, unless the server is reachable from its own machine only."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import ClientSession, CookieJar

from adapters.web.adapter import connect
from bot.domain.api_token import TokenScope
from bot.errors import ConfigError
from tests.support.memory_store import MemoryStore
from tests.support.web_server import WebServer

_PAGE = re.compile(r'name="page" value="([^"]+)"')


@pytest_asyncio.fixture
async def server() -> AsyncIterator[WebServer]:
    async with WebServer().open() as opened:
        yield opened


def browser() -> ClientSession:
    # Cookies of an address, as a browser keeps them.
    return ClientSession(
        cookie_jar=CookieJar(unsafe=True), headers={"Accept": "text/html"}
    )


async def sign_in(
    server: WebServer, session: ClientSession, token: str, next: str = ""
) -> tuple[int, str]:
    """Fill in the form; return the status, and where it leads or what it says."""
    url = f"{server.address}/sign-in"
    async with session.get(url, params={"next": next}) as response:
        found = _PAGE.search(await response.text())
    assert found
    form = {"page": found[1], "token": token, "next": next}
    async with session.post(url, data=form, allow_redirects=False) as response:
        text = await response.text()
        return response.status, response.headers.get("Location", text)


async def test_without_tokens_this_machine_needs_none(server: WebServer) -> None:
    async with browser() as session, session.get(server.address) as response:
        assert response.status == 200
        assert response.url.path.startswith("/c/")


async def test_a_page_asks_for_a_token_and_keeps_who_showed_one(
    server: WebServer,
) -> None:
    token = await server.token("boss", TokenScope.ADMIN)
    async with browser() as session:
        async with session.get(f"{server.address}/c/welcome") as response:
            assert response.url.path == "/sign-in"
            assert response.url.query["next"] == "/c/welcome"
        assert (await sign_in(server, session, "tk_wrong"))[0] == 401
        found = await sign_in(server, session, f" {token} ", "/c/welcome")
        assert found == (303, "/c/welcome")
        [cookie] = [c for c in session.cookie_jar if c.key == "threadkeep-session"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Strict"
        assert token not in cookie.value
        assert token[16:] not in cookie.value
        async with session.get(f"{server.address}/c/welcome") as response:
            assert (response.status, response.url.path) == (200, "/c/welcome")
        # It ends with its token.
        await server.store.revoke_tokens("boss", 2.0)
        await server.token("other", TokenScope.ADMIN)
        async with session.get(f"{server.address}/c/welcome") as response:
            assert response.url.path == "/sign-in"


async def test_a_token_for_chat_opens_no_page(server: WebServer) -> None:
    token = await server.token("ci", TokenScope.CHAT, TokenScope.READ)
    async with browser() as session:
        await sign_in(server, session, token)
        async with session.get(f"{server.address}/c/welcome") as response:
            assert response.status == 403


async def test_a_forged_cookie_opens_nothing(server: WebServer) -> None:
    token = await server.token("boss", TokenScope.ADMIN)
    async with browser() as session:
        await sign_in(server, session, token)
        [cookie] = [c for c in session.cookie_jar if c.key == "threadkeep-session"]
        id, until, seal = cookie.value.split(".")
    for forged in (
        f"{id}.{until}",
        f"{id}.{int(until) + 1}.{seal}",
        f"{id}.{until}.{'0' * 64}",
        f"{'0' * 12}.{until}.{seal}",
        "x" * 5_000,
    ):
        async with ClientSession(cookies={"threadkeep-session": forged}) as session:
            for path in ("/c/welcome", "/api/threads"):
                async with session.get(f"{server.address}{path}") as response:
                    assert response.status == 401, (path, forged[:90])


async def test_signing_in_leads_nowhere_else(server: WebServer) -> None:
    token = await server.token("boss", TokenScope.ADMIN)
    elsewhere = ("//evil.example", "https://evil.example", "/\\evil.example", "/a\nb")
    for next in (*elsewhere, ""):
        async with browser() as session:
            found = await sign_in(server, session, token, next)
            assert found == (303, "/"), next


async def test_a_form_of_another_site_signs_nobody_in(server: WebServer) -> None:
    token = await server.token("boss", TokenScope.ADMIN)
    url = f"{server.address}/sign-in"
    async with browser() as session:
        form = {"page": "guessed", "token": token}
        async with session.post(url, data=form, allow_redirects=False) as response:
            assert response.status == 403
        async with session.post(
            url, data=form, headers={"Origin": "https://evil.example"}
        ) as response:
            assert response.status == 403
        async with session.post(url, data={"token": "x" * 10_000}) as response:
            assert response.status == 413


async def test_wrong_tokens_are_counted_by_address(server: WebServer) -> None:
    token = await server.token("ci", TokenScope.ADMIN)
    found: list[int] = []
    # On a slow machine some more are allowed meanwhile.
    while 429 not in found and len(found) < 200:
        found.append((await server.call("GET", "/api/threads", "tk_no"))[0])
    assert found[:20] == [401] * 20
    assert found[-1] == 429
    # The right one is accepted all the same.
    assert (await server.call("GET", "/api/threads", token))[0] == 200


async def test_other_machines_reach_no_server_without_tokens() -> None:
    store = MemoryStore()
    server = WebServer(store)
    for env in ({"THREADKEEP_WEB": "0.0.0.0:0"}, {"THREADKEEP_WEB": "[::]:0"}):
        with pytest.raises(ConfigError, match="threadkeep token create"):
            async with connect(env, store):
                pass
    proxy = {"THREADKEEP_WEB_TRUSTED_PROXY": "chat.example.org"}
    async with connect({"THREADKEEP_WEB": "0.0.0.0:0", **proxy}, store):
        pass
    await server.token("old", expires=2.0)
    with pytest.raises(ConfigError):
        async with connect({"THREADKEEP_WEB": "0.0.0.0:0"}, store):
            pass
    token = await server.token("boss", TokenScope.ADMIN)
    server.env = {"THREADKEEP_WEB": "0.0.0.0:0"}
    async with server.open():
        port = server.address.rpartition(":")[2]
        server.address = f"http://127.0.0.1:{port}"
        assert (await server.call("GET", "/api/threads"))[0] == 401
        assert (await server.call("GET", "/api/threads", token))[0] == 200
        async with browser() as session:
            async with session.get(server.address) as response:
                assert response.url.path == "/sign-in"
            url = f"{server.address}/sign-in"
            async with session.get(url) as response:
                [page] = [c for c in response.cookies.values() if "page" in c.key]
        # Where others may listen, cookies are sent over TLS only.
        assert page["secure"]
