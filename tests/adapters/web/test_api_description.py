"""The description of the API matches the running server."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from adapters.web.api_description import description
from bot.domain.api_token import TokenScope
from tests.support.deep import DEEP
from tests.support.web_server import WebServer

DESCRIBED = description()


def fits(value: object, schema: dict[str, Any]) -> None:
    """Fail if `value` is not what a schema of the description says."""
    whole = {**schema, "components": DESCRIBED["components"]}
    jsonschema_rs.validate(whole, value)


async def told(
    server: WebServer, method: str, route: str, path: str = "", **more: Any
) -> tuple[int, Any]:
    """Return the status and the value of a response, once it is seen to be one that the
    description has for `route`."""
    async with server.request(method, path or route, **more) as response:
        text = await response.text()
        described = DESCRIBED["paths"][route][method.lower()]["responses"]
        content = described[str(response.status)]["content"][response.content_type]
        if response.content_type == "application/json":
            value = json.loads(text)
            fits(value, content["schema"])
            return response.status, value
        events = [
            dict(line.split(": ", 1) for line in event.split("\n") if ": " in line)
            for event in text.strip().split("\n\n")
            # The pause before the next connection is no event.
            if "data: " in event
        ]
        for event in events:
            fits(event, content["schema"])
            data = content["schema"]["properties"]["data"]["contentSchema"]
            fits(json.loads(event["data"]), data)
        return response.status, events


async def test_the_server_does_what_the_description_says() -> None:
    chat, threads = "/api/chat", "/api/threads"
    one, stop = f"{threads}/{{id}}", f"{threads}/{{id}}/stop"
    async with WebServer().open() as server:
        token = await server.token("tester", TokenScope.ADMIN)
        few = await server.token("few", rate=1)
        given: dict[str, Any] = {"token": token}
        asks = {**given, "json": {"message": "Why?"}}
        whole = {"message": "Why?", "system": "Be kind.", "max_tokens": 100}
        assert (await told(server, "GET", "/api/openapi.json"))[1] == DESCRIBED
        status, events = await told(server, "POST", chat, **asks)
        assert (status, events[-1]["event"]) == (200, "done")
        thread = json.loads(events[0]["data"])["thread"]
        last = {"Last-Event-ID": events[0]["id"]}
        more = {**whole, "thread": thread}
        found = [
            *[await told(server, "POST", chat, **given, headers=last)],
            *[await told(server, "POST", chat, **given, json=more)],
            *[await told(server, "GET", threads, f"{threads}?limit=1", **given)],
            *[await told(server, "GET", one, f"{threads}/{thread}", **given)],
            *[await told(server, "POST", stop, f"{threads}/{thread}/stop", **given)],
        ]
        assert [status for status, _ in found] == [200] * 5
        refused = [
            *[await told(server, "POST", chat, **given, json={"message": 1})],
            *[await told(server, "GET", threads, f"{threads}?limit=0", **given)],
            *[await told(server, "POST", chat, json={"message": "?"}, token="tk_no")],
            *[await told(server, "GET", one, f"{threads}/nowhere", **given)],
            *[await told(server, "POST", stop, f"{threads}/nowhere/stop", **given)],
            *[await told(server, "POST", chat, **given, data="Why?")],
            *[await told(server, "POST", chat, **given, json={**whole, "model": "no"})],
            *[await told(server, "GET", threads, token=few) for _ in range(2)][1:],
        ]
        assert [status for status, _ in refused] == [
            *(400, 400, 401, 404, 404, 415, 422, 429)
        ]


# What the settings of a channel refuse, no schema knows: a model, or a length.
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429"]
"""


@pytest.mark.skipif(not DEEP, reason="`make deep` tries out what nobody thought of")
async def test_no_request_contradicts_the_description(tmp_path: Path) -> None:
    """Invalid requests, the limits of every value and rows of requests, as schemathesis
    finds them."""
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    async with WebServer().open() as server:
        token = await server.token("tester", TokenScope.ADMIN)
        tester = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "run"),
            f"{server.address}/api/openapi.json",
            *("--header", f"Authorization: Bearer {token}"),
            *("--checks", "all", "--max-examples", "300"),
            *("--no-color", "--generation-database", "none"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await tester.communicate()
    report = printed.decode()
    assert tester.returncode == 0, report
    assert "Selected: 4/4" in report


def test_every_route_of_the_api_is_described() -> None:
    described = {
        (method, path)
        for path, methods in description()["paths"].items()
        for method in methods
    }
    assert described == {
        ("post", "/api/chat"),
        ("get", "/api/threads"),
        ("get", "/api/threads/{id}"),
        ("post", "/api/threads/{id}/stop"),
        ("get", "/api/openapi.json"),
    }
