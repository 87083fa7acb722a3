"""Scripts in texts that the web server shows or forwards never run."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import pytest_asyncio

from adapters.web.markdown import GrowingBlocks, render, render_small
from tests.security.scripts import SCRIPTS, chunks, faults, some
from tests.support.deep import rounds
from tests.support.memory_store import MemoryStore
from tests.support.scripted_model import ScriptedModel
from tests.support.web_harness import Browser, browsing
from tests.support.web_server import WebServer


def model_of(server: WebServer) -> ScriptedModel:
    assert isinstance(server.model, ScriptedModel)
    return server.model


@pytest_asyncio.fixture
async def server() -> AsyncIterator[WebServer]:
    async with WebServer().open() as opened:
        yield opened


def test_there_are_more_than_a_hundred_of_them() -> None:
    assert len(set(SCRIPTS)) == len(SCRIPTS) > 100


@pytest.mark.parametrize(
    "html",
    [
        "<script>alert(1)</script>",
        '<script src="https://evil.example/x.js"></script>',
        "<p onclick=alert(1)>",
        '<a href="java\tscript:alert(1)">',
        '<img src="https://evil.example/p.gif">',
        "<style>p{}</style>",
        '<p style="color:red">',
        '<form action="https://evil.example">',
        "<iframe src=/>",
    ],
)
def test_what_would_run_is_found(html: str) -> None:
    assert faults(html)


def test_our_own_pages_are_none() -> None:
    assert not faults('<!doctype html><script src="/static/a.js"></script><a href="/">')


# The API.


async def test_an_answer_is_data_whatever_it_says(server: WebServer) -> None:
    for text in some(0):
        model_of(server).script(text[:7], text[7:])
        reading = await server.answer(text, system=_plain(text) or "x")
        expected = text.replace("\u0000", "\ufffd")
        if not expected.strip():
            continue
        assert reading.text == expected, text
        assert reading.kinds == ["delta", "receipt", "done"], text
        assert reading.response.content_type == "text/event-stream"
        assert reading.response.headers["X-Content-Type-Options"] == "nosniff"
    _, listed = await server.call("GET", "/api/threads")
    assert len(listed["threads"]) > 3


async def test_a_field_that_is_not_understood_runs_nothing(server: WebServer) -> None:
    for text in some(1):
        for field in ("thread", "model", "stop_sequences", text[:40] or "x"):
            value = [text] if field == "stop_sequences" else text
            body = json.dumps({"message": "?", field: value})
            async with server.request(
                "POST",
                "/api/chat",
                data=body,
                headers={"Content-Type": "application/json"},
            ) as response:
                kind = "event-stream" if response.status == 200 else "json"
                assert response.content_type.endswith(kind), (field, text)
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert response.status in (200, 400, 404, 422), (field, text)
                if response.status == 400:
                    assert "<" not in (await response.json())["message"], text


async def test_addresses_and_headers_are_not_echoed(server: WebServer) -> None:
    for text in some(2):
        for path in (f"/api/threads/{_quoted(text)}", f"/api/{_quoted(text)}"):
            async with server.request("GET", path) as response:
                assert response.status == 404, path
                assert response.content_type == "application/json"
                assert "script" not in (await response.text()).lower()
        header = text.encode("ascii", "ignore").decode()
        if any(each < " " or each == "\x7f" for each in header):
            continue
        for name in ("Last-Event-ID", "Idempotency-Key"):
            async with server.request(
                "POST", "/api/chat", json={"message": "?"}, headers={name: header}
            ) as response:
                assert response.status in (200, 400), (name, text)
                if response.status == 400:
                    assert "<" not in (await response.json())["message"]


# The pages.


def test_markdown_is_drawn_without_a_script() -> None:
    """Whole and as it grows; each of them, since below some of them meet each page."""
    for text in SCRIPTS:
        growing = GrowingBlocks()
        for end in (len(text) // 2, len(text)):
            growing.update(text[:end], final=end == len(text))
            html = "".join((*render(text[:end]), *growing.html, render_small(text)))
            assert faults(html) == [], text


async def settled(browser: Browser, thread: str) -> None:
    """Wait until no answer in a thread is to come."""
    key = browser.adapter.board.thread("welcome", thread)
    async with asyncio.timeout(60):
        while await browser.app.host.conversations.answering(key):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with browsing(MemoryStore(), ScriptedModel()) as opened:
        yield opened


async def shown(browser: Browser, thread: str) -> str:
    """Return all that shows a thread: its page, its channel, and its events."""
    pages = [
        await browser.page(f"/c/welcome/t/{thread}"),
        await browser.page("/c/welcome"),
    ]
    async with browser.stream(channel="welcome", thread=thread) as stream:
        event = await stream.until("posts")
    pages += [each["html"] for each in event.data]
    return "\n".join(pages)


async def test_what_people_write_is_text(browser: Browser) -> None:
    for texts in chunks(20, 3):
        _, thread = await browser.say(texts[0])
        for text in texts[1:]:
            await browser.say(text, thread=thread)
        assert faults(await shown(browser, thread)) == [], texts


async def test_what_the_model_writes_is_markdown_without_html() -> None:
    model = ScriptedModel()
    async with browsing(MemoryStore(), model) as browser:
        for texts in chunks(20, 4):
            thread = ""
            for text in texts:
                model.script(f"Look:\n\n{text[:9]}", text[9:])
                _, thread = await browser.say("@Claude hello", thread=thread)
                await settled(browser, thread)
            assert faults(await shown(browser, thread)) == [], texts


async def test_names_of_files_are_text(browser: Browser) -> None:
    for texts in chunks(10, 5):
        thread = ""
        for text in texts:
            name = re.sub(r"[\x00-\x1f\x7f]", "", text) + ".txt"
            files = [(name, b"<script>alert(1)</script>")]
            _, thread = await browser.say("here", files=files, thread=thread)
        html = await shown(browser, thread)
        assert faults(html) == [], texts
        links = set(re.findall(r"/files/[0-9a-f]{32}", html))
        assert len(links) == len(texts)
        for link in links:
            async with browser.session.get(browser.address + link) as response:
                # Never shown by the browser as a page with our name.
                assert response.content_type == "application/octet-stream"
                disposition = response.headers["Content-Disposition"]
                assert disposition.startswith("attachment;")
                assert "<" not in disposition
                assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_commands_and_addresses_are_text(browser: Browser) -> None:
    for text in some(6):
        found = await browser.post(
            "/local/command", channel="welcome", typed=f"/{text}"
        )
        assert faults(found.get("html", "")) == [], text
        for path in (
            f"/c/{_quoted(text)}",
            f"/{_quoted(text)}",
            f"/c/welcome/t/{_quoted(text)}",
        ):
            html = await browser.page(path)
            assert faults(html) == [], path


async def test_the_console_shows_all_of_it_as_text() -> None:
    model = ScriptedModel()
    async with browsing(MemoryStore(), model) as browser:
        threads, texts = [], SCRIPTS[:: rounds(32, 4)]
        for text in texts:
            model.script(text)
            line = f"/set prompt {_plain(text)}"
            await browser.post("/local/command", channel="welcome", typed=line)
            _, thread = await browser.say(f"@Claude {text}")
            await settled(browser, thread)
            threads.append(thread)
        for path in ("", "/usage", "/quality", "/threads", "/settings", "/audit"):
            html = await browser.page(f"/console{path}")
            assert "<main" in html, path
            assert faults(html) == [], path
        for thread, text in zip(threads, texts, strict=True):
            key = quote(f"web:local:welcome:{thread}", safe="")
            for path in (f"/thread?key={key}", f"/threads?words={quote(text)}"):
                assert faults(await browser.page(f"/console{path}")) == [], text


async def test_an_edited_message_is_text(browser: Browser) -> None:
    for texts in chunks(20, 7):
        _, thread = await browser.say("before")
        for text in texts:
            message, _ = await browser.say("before", thread=thread)
            await browser.post(
                "/local/edit", channel="welcome", message=message, text=text, as_="olga"
            )
        assert faults(await shown(browser, thread)) == [], texts


async def test_settings_show_their_values_as_text(browser: Browser) -> None:
    for text in some(8):
        line = f"/set prompt {_plain(text)}"
        await browser.post("/local/command", channel="welcome", typed=line, as_="olga")
        for typed in ("/settings", "/prompt show"):
            found = await browser.post(
                "/local/command", channel="welcome", typed=typed, as_="olga"
            )
            assert faults(found.get("html", "")) == [], text


def _plain(text: str) -> str:
    """Return `text` without the control characters that a prompt may not have."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "", text).strip()


def _quoted(text: str) -> str:
    return quote(text or secrets.token_hex(2), safe="")
