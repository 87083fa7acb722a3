"""The description of the API holds for the running server, as schemathesis finds."""

import asyncio
import sys
from pathlib import Path

from adapters.web.api_description import description
from bot.domain.api_token import TokenScope
from tests.support.deep import rounds
from tests.support.web_server import WebServer

# What the settings of a channel refuse, no schema knows: a model, or a length.
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429"]
"""


async def test_the_server_does_what_the_description_says(tmp_path: Path) -> None:
    # Valid requests, the same each time, unless there is time for more: invalid ones,
    # the limits of every value and rows of requests.
    options = rounds(("--seed", "1", "--phases", "examples"), ("--max-examples", "300"))
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    async with WebServer().open() as server:
        token = await server.token("tester", TokenScope.ADMIN)
        tester = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "run"),
            f"{server.address}/api/openapi.json",
            *("--header", f"Authorization: Bearer {token}"),
            *("--checks", "all", *options),
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
