"""Abnormal requests to the web server are refused with a sentence, within bounds, and
reveal nothing."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from aiohttp import ClientSession, CookieJar

from adapters.web import api_stream, live_answers
from adapters.web.api_values import MOST_BYTES
from adapters.web.context import Context
from adapters.web.drawing import Drawing
from adapters.web.event_stream import EMPTY
from adapters.web.guards import COOKIE, HEADER
from adapters.web.server import GROUPS, environment
from bot.domain.api_token import NewToken, TokenScope
from tests.support.deep import share
from tests.support.scripted_model import ScriptedModel
from tests.support.web_server import WebServer

MANY = 50_000_000
JSON = {"Content-Type": "application/json"}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[WebServer]:
    async with WebServer().open() as opened:
        yield opened


def model(server: WebServer) -> ScriptedModel:
    assert isinstance(server.model, ScriptedModel)
    return server.model


def is_a_problem(problem: dict[str, str]) -> bool:
    """Return whether `problem` is a code and one or two sentences, and nothing of what
    happened inside."""
    text = problem["message"]
    inside = any(word in text for word in ("Traceback", "Error", "Exception", ".py"))
    return set(problem) == {"code", "message"} and text.endswith(".") and not inside


# Bodies.


BODIES = (
    b"",
    b"{",
    b"null",
    b"[]",
    b'"message"',
    b"{}",
    b'{"message": null}',
    b'{"message": 1}',
    b'{"message": ""}',
    b'{"message": "   "}',
    b'{"message": ["?"]}',
    b'{"message": "?", "more": 1}',
    b'{"message": "?", "thread": 7}',
    b'{"message": "?", "thread": "../../etc"}',
    b'{"message": "?", "thread": "' + b"t" * 65 + b'"}',
    b'{"message": "?", "model": ""}',
    b'{"message": "?", "model": {"a": 1}}',
    b'{"message": "?", "system": "\\u0000"}',
    b'{"message": "?", "max_tokens": 0}',
    b'{"message": "?", "max_tokens": -1}',
    b'{"message": "?", "max_tokens": 1.5}',
    b'{"message": "?", "max_tokens": "9"}',
    b'{"message": "?", "max_tokens": true}',
    b'{"message": "?", "max_tokens": 1e400}',
    b'{"message": "?", "max_tokens": ' + b"9" * 5_000 + b"}",
    b'{"message": "?", "stop_sequences": "x"}',
    b'{"message": "?", "stop_sequences": [""]}',
    b'{"message": "?", "stop_sequences": [1]}',
    b'{"message": "?", "stop_sequences": ' + json.dumps(["x"] * 9).encode() + b"}",
    b'{"message": "\\ud800"}',
    b'{"message": "\xff"}',
    b'{"message": "\xed\xa0\x80"}',
    b'{"message": "?"} trailing',
    b'{"message": NaN}',
    b"[" * 200_000,
    b'{"message": ' + b"[" * 200_000,
    b'{"a": ' * 100_000,
    b"\x00" * 1_000,
    b"\xfe\xff\x00{",
    b"<xml/>",
    b"message=hello",
    json.dumps({"message": "x" * 100_001}).encode(),
    json.dumps({"message": "?", "system": "x" * 20_001}).encode(),
)


async def test_a_body_that_is_none_is_refused(server: WebServer) -> None:
    for body in BODIES:
        status, problem = await server.call(
            "POST", "/api/chat", data=body, headers=JSON
        )
        assert status == 400, body[:40]
        assert is_a_problem(problem), body[:40]
        assert not model(server).requests, body[:40]
    assert (await server.call("GET", "/api/threads"))[1]["threads"] == []


async def test_a_body_that_is_not_encoded_as_it_says_is_refused(
    server: WebServer,
) -> None:
    headers = {**JSON, "Content-Encoding": "gzip"}
    status, problem = await server.call(
        "POST", "/api/chat", data=b'{"message": "?"}', headers=headers
    )
    assert (status, problem["code"]) == (400, "bad_request")


async def test_a_form_asks_nothing(server: WebServer) -> None:
    for kind in (
        "text/plain",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "x",
    ):
        # A page of another site could send this without being asked for leave.
        body = b'{"message": "?"}'
        status, problem = await server.call(
            "POST", "/api/chat", data=body, headers={"Content-Type": kind}
        )
        assert (status, problem["code"]) == (415, "not_json"), kind


async def test_what_is_too_large_is_not_read(server: WebServer) -> None:
    sent = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(MANY // 65_536):
            sent += 65_536
            yield b"x" * 65_536

    for path in ("/api/chat", "/local/messages", "/sign-in"):
        async with ClientSession() as session:
            try:
                async with session.post(
                    server.address + path, data=pieces(), headers=JSON
                ) as response:
                    assert response.status in (403, 413), path
                    if path.startswith("/api"):
                        assert is_a_problem(await response.json())
            except OSError:
                # It hung up while we were still sending.
                pass
    assert sent < MANY
    headers = {**JSON, "Content-Length": str(MOST_BYTES + 1)}
    async with server.request("POST", "/api/chat", headers=headers) as response:
        assert response.status == 413
        assert (await response.json())["code"] == "too_large"


# Who and what.


FORGED = (
    "",
    "Bearer",
    "Bearer ",
    "Basic YTpi",
    "bearer tk_x",
    "Bearer " + "x" * 7_000,
    "Bearer tk_000000000000_" + "A" * 43,
    "Bearer tk_%00",
    "Bearer tk_' OR 1=1 --",
    "Bearer \u00e9",
    "Token tk_000000000000_" + "A" * 43,
)


#: What a token, or the right to administer, is needed for.
CLOSED = (
    ("GET", "/api/threads"),
    ("GET", "/api/threads/t1"),
    ("POST", "/api/chat"),
    ("POST", "/api/threads/t1/stop"),
    ("GET", "/console"),
    ("GET", "/c/welcome"),
    ("GET", "/local/events?channel=welcome"),
    ("GET", "/metrics"),
)


async def test_forged_tokens_open_nothing(server: WebServer) -> None:
    await server.token("ci", TokenScope.ADMIN)
    for number, header in enumerate(FORGED):
        for method, path in share(CLOSED, number, 4):
            async with server.request(
                method, path, headers={"Authorization": header}
            ) as response:
                assert response.status in (401, 403, 429), (header[:40], path)


async def test_the_secret_of_one_token_is_none_of_another(server: WebServer) -> None:
    first, second = await server.token("first"), await server.token("second")
    mixed = second[:16] + first[16:]
    assert (await server.call("GET", "/api/threads", mixed))[0] == 401
    assert (await server.call("GET", "/api/threads", first[:-1]))[0] == 401
    assert (await server.call("GET", "/api/threads", f"{first}x"))[0] == 401
    unknown = NewToken.random().text
    found = await server.call("GET", "/api/threads", unknown)
    # Whether there is such a token, nobody learns.
    assert found == await server.call("GET", "/api/threads", mixed)


async def test_an_expired_token_is_refused(server: WebServer) -> None:
    token = await server.token(expires=2.0)
    status, problem = await server.call("GET", "/api/threads", token)
    assert (status, problem["code"]) == (401, "unauthorized")


UNKNOWN = (
    "t0",
    "..",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "t%00",
    "t'--",
    "x" * 65,
    "x" * 6_000,
    "%F0%9F%92%A3",
    "t;DROP TABLE threads",
    "t%0d%0aSet-Cookie:x=1",
)


async def test_unknown_and_forged_threads_are_not_there(server: WebServer) -> None:
    for id in UNKNOWN:
        for method, path in (
            ("GET", f"/api/threads/{id}"),
            ("POST", f"/api/threads/{id}/stop"),
        ):
            status, problem = await server.call(method, path)
            assert status == 404, id[:40]
            assert is_a_problem(problem), id[:40]


async def test_threads_of_the_workspace_are_not_those_of_the_api(
    server: WebServer,
) -> None:
    board = server.adapter.board
    post = await board.post("welcome", "", "olga", "@Claude hello")
    assert (await server.call("GET", f"/api/threads/{post.message}"))[0] == 404
    body = {"message": "?", "thread": post.message}
    assert (await server.call("POST", "/api/chat", json=body))[0] == 404


async def test_forged_event_ids_lead_nowhere(server: WebServer) -> None:
    reading = await server.answer("One?")
    thread, message, *_ = reading.id.split(".")
    for last, status in (
        ("", 400),
        ("x", 400),
        ("x" * 7_000, 400),
        (f"{thread}.{message}.0.{EMPTY}.x", 400),
        (f"{thread}.mnone.0.{EMPTY}.t", 409),
        (f"{thread}.mnone.9.{EMPTY}.t", 404),
        (f"tnone.{message}.0.{EMPTY}.t", 404),
    ):
        found, problem = await server.call(
            "POST", "/api/chat", headers={"Last-Event-ID": last}
        )
        assert found == status, last
        assert is_a_problem(problem)
    # A wrong fingerprint, or more than there is, is answered with all of the text.
    for offset, print in ((5, "0" * 16), (999_999_999, EMPTY), (0, "0" * 16)):
        last = f"{thread}.{message}.{offset}.{print}.t"
        again = await server.answer(last=last)
        assert again.text == reading.text
    assert len(model(server).requests) == 1


# Names and origins.


HOSTS = (
    "evil.example",
    "evil.example:80",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "127.0.0.1@evil.example",
    "[::1].evil.example",
    "169.254.169.254",
    "0.0.0.0",
    "",
    "localhost:99999999",
    "[",
    "\u0131ocalhost",
)


async def test_it_answers_under_no_other_name(server: WebServer) -> None:
    """A name of somebody else that leads here is how a page reads what only this
    machine should (DNS rebinding)."""
    paths = ("/", "/c/welcome", "/api/threads", "/api/openapi.json", "/console")
    for number, host in enumerate(HOSTS):
        for path in share(paths, number, len(paths)):
            answer = await raw(server, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")
            assert answer.startswith((b"HTTP/1.1 421", b"HTTP/1.1 400")), answer[:100]
            assert b"set-cookie" not in answer.lower(), host


async def test_our_own_names_are_answered(server: WebServer) -> None:
    port = urlsplit(server.address).port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", "LOCALHOST", "[::1]"):
        answer = await raw(server, f"GET /api/threads HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200"), (host, answer[:100])


ELSEWHERE = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "http://127.0.0.1.evil.example"},
    {"Origin": "file://"},
    {"Origin": "["},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
)


async def test_a_page_of_another_site_gets_nothing(server: WebServer) -> None:
    calls = (
        ("POST", "/api/chat"),
        ("GET", "/api/threads"),
        # A stream, and what a WebSocket would begin with.
        ("GET", "/local/events?channel=welcome"),
        ("POST", "/local/messages"),
        ("POST", "/sign-in"),
    )
    for number, headers in enumerate(ELSEWHERE):
        for method, path in share(calls, number, 3):
            upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
            for more in ({}, upgrade if method == "GET" else {}):
                async with server.request(
                    method, path, headers={**headers, **more}
                ) as response:
                    assert response.status == 403, (path, more)
                    assert "Access-Control-Allow-Origin" not in response.headers, (
                        headers
                    )
        assert not model(server).requests, headers


async def test_what_changes_something_needs_the_token_of_our_page(
    server: WebServer,
) -> None:
    """A form of another site is sent with the visitor's cookies, and without what only
    our own page can read."""
    templates = environment()
    adapter, host = server.adapter, server.app.host
    context = Context(
        *(adapter.settings, host, adapter.board, adapter.threads, templates),
        Drawing(templates),
    )
    posts = {
        route.path
        for group in GROUPS
        for route in group(context)
        if route.method == "POST"
    }
    pages = {path for path in posts if not path.startswith("/api/")}
    assert len(pages) > 6
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        async with session.get(f"{server.address}/c/welcome") as response:
            assert response.status == 200
        for path in pages:
            for headers in ({}, {HEADER: "x" * 43}, {HEADER: "\u00e9"}):
                async with session.post(
                    server.address + path, data={"text": "forged"}, headers=headers
                ) as response:
                    assert response.status == 403, (path, headers)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"page=\xff"),
        ("application/x-www-form-urlencoded; charset=none", b"page=a"),
        ("multipart/form-data", b"page=a"),
        ("multipart/form-data; boundary=x", b"--x\r\nnothing"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="page"\r\n'
            b"Content-Type: text/plain; charset=none\r\n\r\na\r\n--x--\r\n",
        ),
    ],
)
async def test_a_form_that_is_none_is_refused(
    server: WebServer, kind: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    token = "t" * 43
    headers = {"Content-Type": kind, HEADER: token, "Cookie": f"{COOKIE}={token}"}
    for path in ("/sign-in", "/local/messages"):
        async with server.request("POST", path, data=body, headers=headers) as response:
            assert 400 <= response.status < 500, path
    assert not caplog.records


async def test_a_token_of_a_page_that_is_no_text_is_refused(server: WebServer) -> None:
    for lines in (
        f"Cookie: {COOKIE}=\udcff",
        f"Cookie: {COOKIE}=t\r\n{HEADER}: \udcff",
    ):
        answer = await raw(
            server,
            "POST /local/edit HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"{lines}\r\nContent-Length: 0\r\n\r\n",
        )
        assert b" 403 " in answer.splitlines()[0]


async def test_a_preflight_allows_nothing(server: WebServer) -> None:
    headers = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    async with server.request("OPTIONS", "/api/chat", headers=headers) as response:
        assert response.status == 403
        assert not [n for n in response.headers if n.startswith("Access-Control")]


async def test_a_websocket_is_not_opened(server: WebServer) -> None:
    for path in ("/api/chat", "/local/events", "/"):
        answer = await raw(
            server,
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        assert not answer.startswith(b"HTTP/1.1 101"), path


async def test_every_response_says_what_browsers_may_do(server: WebServer) -> None:
    model(server).script("Hello.")
    found = []
    calls: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("GET", "/c/welcome", {}),
        ("GET", "/nowhere", {}),
        ("GET", "/static/style.css", {}),
        ("GET", "/static/../../pyproject.toml", {}),
        ("GET", "/api/threads", {}),
        ("GET", "/api/openapi.json", {}),
        ("GET", "/api/threads/t0", {}),
        ("DELETE", "/api/chat", {}),
        ("POST", "/api/chat", {"json": {"message": "?"}}),
        ("GET", "/sign-in", {}),
        ("GET", "/healthz", {}),
        ("GET", "/console", {}),
    )
    for method, path, more in calls:
        async with server.request(method, path, **more) as response:
            headers = response.headers
            policy = headers["Content-Security-Policy"]
            found.append(response.status)
            assert "default-src 'none'" in policy, path
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert "http" not in policy
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert "Cache-Control" in headers
            for cookie in headers.getall("Set-Cookie", []):
                assert "httponly" in cookie.lower()
                assert "samesite=strict" in cookie.lower()
            await response.read()
    assert found == [200, 404, 200, 404, 200, 200, 404, 405, 200, 200, 200, 200]


OUTSIDE = (
    "/static/../config.py",
    "/static/%2e%2e/config.py",
    "/static/..%2fconfig.py",
    "/static/%252e%252e/config.py",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "/static/style.css%00.png",
    "/static/",
    "/files/../../threadkeep.db",
    "//evil.example/",
)


async def test_no_path_leads_out_of_our_files(server: WebServer) -> None:
    for path in OUTSIDE:
        answer = await raw(server, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
        status = int(answer.split()[1])
        assert status in (400, 403, 404), (path, answer[:200])
        assert b"Traceback" not in answer, path
        assert b"root:" not in answer, path


NO_HTTP = (
    "GET / HTTP/1.1\r\nHost: localhost\r\nX: \x00\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\x00",
    "GET /" + "x" * 100_000 + " HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\n" + "X: y\r\n" * 50_000 + "\r\n",
    "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    "Content-Type: application/json\r\n\r\nZZ\r\n",
)


async def test_what_is_no_http_ends_the_connection(server: WebServer) -> None:
    for sent in NO_HTTP:
        answer = await raw(server, sent)
        assert not answer or b" 400 " in answer[:20], (sent[:40], answer[:100])
        assert b"Traceback" not in answer, sent[:40]
        assert (await server.call("GET", "/api/threads"))[0] == 200, sent[:40]


# Many, slow and silent.


async def test_no_more_streams_are_open_than_so_many(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_answers, "MOST_STREAMS", 3)
    gate = asyncio.Event()
    model(server).script("One ", gate, "answer.")
    async with server.asked() as first:
        begin = await first.next()
        assert begin is not None
        async with server.asked(last=begin.id) as second:
            await second.next()
            async with server.asked(last=begin.id) as third:
                await third.next()
                async with server.request(
                    "POST", "/api/chat", headers={"Last-Event-ID": begin.id}
                ) as response:
                    problem = await response.json()
                assert response.status == 503
                assert response.headers["Retry-After"] == "60"
                assert problem["code"] == "too_many_streams"
                assert is_a_problem(problem)
                gate.set()
                for each in (first, second, third):
                    await each.to_end()
                    assert each.text == "One answer."
    assert (await server.answer("Two?")).text == "Understood."


async def test_a_reader_that_takes_nothing_is_cut_off(
    server: WebServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(api_stream, "PATIENCE", 0.1)
    caplog.set_level(logging.INFO)
    # More than all buffers between the two take.
    text = ("one line of it " * 10 + "\n") * 2_000
    assert len(text) > 4 * api_stream.BUFFER
    model(server).script(text)
    url = urlsplit(server.address)
    body = json.dumps({"message": "?"})
    with socket.socket() as silent:
        # It takes little into its own buffers, and reads nothing.
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        silent.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(silent, (url.hostname, url.port))
        head = (
            "POST /api/chat HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        await loop.sock_sendall(silent, (head + body).encode())
        async with asyncio.timeout(60):
            while "web.reader_cut_off" not in caplog.text:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    # The answer is there for whoever reads it.
    _, listed = await server.call("GET", "/api/threads")
    [row] = listed["threads"]
    async with asyncio.timeout(60):
        while True:
            _, page = await server.call("GET", f"/api/threads/{row['id']}")
            if not page["answering"]:
                break
            await asyncio.sleep(0.05)
    assert page["messages"][1]["text"] == text


async def raw(server: WebServer, text: str) -> bytes:
    """Send bytes that no client would, and return what comes back at once."""
    url = urlsplit(server.address)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    try:
        writer.write(text.encode("utf-8", "surrogateescape"))
        # A connection that is kept open says nothing more.
        async with asyncio.timeout(60):
            return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        return getattr(error, "partial", b"")
    finally:
        writer.close()
