"""`threadkeep check` and `threadkeep mcp` print the tools that MCP servers list."""

from pathlib import Path

import pytest
import pytest_asyncio

from bot.domain.mcp import Listing
from storage.mcp_reading import read_listings
from storage.opening import open_store
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.mcp_servers import Server
from tests.emulators.claude.reply import Ask, Stall
from tests.support.process import Nursery, claude_env
from tests.system.test_commands import MISTAKE, Shell

# The nursery of the module lives on one loop, and its tests with it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = "lin_api_a_token_that_nobody_may_see"
URL = "https://mcp.linear.example/mcp"
FILE = f"""\
servers:
  linear:
    label: Linear
    url: {URL}
    tools: [search]
  down:
    url: https://down.example/mcp
    tools: [read]
"""
OLD = {"name": "search", "description": "Old.", "input_schema": {"type": "object"}}
NEW = {**OLD, "description": "New."}
PINNED = '[{"description":"Old.","input_schema":{"type":"object"},"name":"search"}]'


def env_of(shell: Shell, claude: ClaudeEmulator) -> dict[str, str]:
    return {
        **claude_env(claude),
        "THREADKEEP_MCP_FILE": str(shell.folder / "mcp.yaml"),
        "THREADKEEP_MCP_TOKEN_LINEAR": TOKEN,
    }


@pytest_asyncio.fixture(loop_scope="module")
async def shell(tmp_path: Path, nursery: Nursery) -> Shell:
    (tmp_path / "mcp.yaml").write_text(FILE)
    async with open_store(tmp_path / "threadkeep.db") as store:
        await store.pin_listing(Listing("linear", URL, PINNED, 1_795_694_400.0))
    return Shell(tmp_path, nursery)


async def test_each_server_is_asked_and_said_what_is_wrong(shell: Shell) -> None:
    database = shell.folder / "threadkeep.db"
    before = database.read_bytes()
    async with ClaudeEmulator() as claude:
        server = claude.mcp[URL] = Server([OLD, {**OLD, "name": "drop"}], token=TOKEN)
        env = env_of(shell, claude)
        _, offline = await shell.run(env, "check", "--offline")
        assert claude.questions == []
        status, printed = await shell.run(env, "check")
        assert status == 0
        server.tools = [NEW]
        _, changed = await shell.run(env, "mcp")
        del env["THREADKEEP_MCP_TOKEN_LINEAR"]
        _, refused = await shell.run(env, "check")
        env["THREADKEEP_MCP_TOKEN_LINEAR"] = TOKEN
        server.tools = [{**OLD, "name": "another"}]
        _, lacking = await shell.run(env, "mcp")
    assert f"linear at {URL}: 1 tool; its token is set" in offline
    assert "THREADKEEP_MCP_TOKEN_DOWN is not set" in offline
    assert f"linear at {URL}: 1 tool; as pinned on 2026-11-26" in printed
    assert "down at https://down.example/mcp: the API cannot use it" in printed
    assert "nobody reads" not in printed
    assert "it now defines search differently" in changed
    assert "threadkeep mcp --accept linear" in changed
    assert f"linear at {URL}: the API cannot use it" in refused
    assert "has none of the tools that the file names" in lacking
    assert TOKEN not in f"{offline}{printed}{changed}{refused}{lacking}"
    assert database.read_bytes() == before


async def test_what_a_server_lists_now_is_taken_over(shell: Shell) -> None:
    async with ClaudeEmulator() as claude:
        claude.mcp[URL] = Server([NEW], token=TOKEN)
        env = env_of(shell, claude)
        status, printed = await shell.run(env, "mcp", "--accept", "linear")
        assert status == 0
        assert "otherwise" not in printed
        for name, words in (
            ("down", "The tools of the MCP server down are not known"),
            ("nowhere", "There is no such server in the file; it has down, linear."),
        ):
            status, printed = await shell.run(env, "mcp", "--accept", name)
            assert (status, words in printed) == (MISTAKE, True), printed
    database = shell.folder / "threadkeep.db"
    old, new = await read_listings(database)
    assert (old.tools, new.tools) == (PINNED, PINNED.replace("Old", "New"))
    async with open_store(database) as store:
        assert [e.kind for e in await store.spending(0.0)] == ["mcp"]


async def test_an_account_without_the_cheap_model_asks_with_its_own(
    shell: Shell,
) -> None:
    (shell.folder / "mcp.yaml").write_text(FILE.partition("  down:")[0])
    async with ClaudeEmulator() as claude:
        claude.mcp[URL] = Server([NEW], token=TOKEN)
        claude.hidden.add("claude-haiku-5-5")
        env = env_of(shell, claude)
        status, printed = await shell.run(env, "mcp", "--accept", "linear")
    assert (status, "otherwise" not in printed) == (0, True)
    assert {each.body["model"] for each in claude.questions} == {"claude-sonnet-5-5"}


async def test_a_server_that_says_nothing_is_not_waited_for(shell: Shell) -> None:
    (shell.folder / "mcp.yaml").write_text(FILE.partition("  down:")[0])
    async with ClaudeEmulator() as claude:
        claude.mcp[URL] = Server([NEW], token=TOKEN)
        claude.always(Stall())
        env = env_of(shell, claude)
        _, printed = await shell.run(env, "mcp")
    assert "it did not answer in time" in printed


async def test_without_a_file_or_a_key_it_says_what_to_do(shell: Shell) -> None:
    file = {"THREADKEEP_MCP_FILE": str(shell.folder / "mcp.yaml")}
    status, printed = await shell.run(file, "mcp")
    assert (status, "set ANTHROPIC_API_KEY" in printed) == (MISTAKE, True)
    status, printed = await shell.run({}, "mcp")
    assert (status, "docs/mcp.md" in printed) == (MISTAKE, True)
    (shell.folder / "mcp.yaml").write_text("servers: {linear: {url: no}}")
    status, printed = await shell.run(file, "check", "--offline")
    assert (status, "mcp.yaml, linear: " in printed) == (1, True)


async def test_a_running_bot_asks_with_the_token(shell: Shell) -> None:
    async with ClaudeEmulator() as claude:
        server = claude.mcp[URL] = Server([NEW], token=TOKEN)
        claude.always([Ask("linear", "search"), "Two are open."])
        process = shell.process({**env_of(shell, claude), "THREADKEEP_MCP": "linear"})
        await process.start(
            *("serve", "--lines"),
            nursery=shell.nursery,
            folder=shell.folder,
            typed="What is open?\n",
        )
        assert await process.ended() == 0
    assert "Two are open." in process.output
    assert "Asked Linear: search." in process.output
    assert server.calls == [("search", TOKEN)]
    # As pinned.
    [tools] = [e.body["tools"] for e in claude.questions if e.body["max_tokens"] > 1]
    assert tools[0]["tools"] == [OLD]
    assert TOKEN not in process.output
    assert TOKEN.encode() not in (shell.folder / "threadkeep.db").read_bytes()
