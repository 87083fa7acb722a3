"""The emulated MCP connector: refusals, and blocks as the SDK returns them."""

from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest
from anthropic.types.beta import (
    BetaMCPToolListingBlock,
    BetaMCPToolResultBlock,
    BetaMCPToolUseBlock,
)

from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.mcp_servers import BETA, Server
from tests.emulators.claude.reply import Ask

URL = "https://mcp.example/mcp"
TOOLS = [
    {"name": "find", "description": "Finds.", "input_schema": {"type": "object"}},
    {"name": "drop", "input_schema": {"type": "object"}},
]
SERVER = {"type": "url", "url": URL, "name": "a", "authorization_token": "t"}
SET = {"type": "mcp_toolset", "mcp_server_name": "a"}
ONLY_FIND = {
    "default_config": {"enabled": False},
    "configs": {"find": {"enabled": True}},
}
ASK: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Find it."}],
    "betas": [BETA],
    "mcp_servers": [SERVER],
    "tools": [SET],
}


@pytest.fixture
async def claude() -> AsyncIterator[ClaudeEmulator]:
    async with ClaudeEmulator() as emulator:
        emulator.mcp[URL] = Server(TOOLS, token="t")
        yield emulator


@pytest.fixture
async def sdk(claude: ClaudeEmulator) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(
        api_key=claude.api_key, base_url=claude.base_url, max_retries=0
    ) as opened:
        yield opened


async def blocks(sdk: anthropic.AsyncAnthropic, **changed: Any) -> list[Any]:
    async with sdk.beta.messages.stream(**{**ASK, **changed}) as stream:
        return list((await stream.get_final_message()).content)


async def test_the_sdk_reads_its_blocks(
    claude: ClaudeEmulator, sdk: anthropic.AsyncAnthropic
) -> None:
    claude.script(Ask("a", "find", "Found it.", "R", given={"x": 1}))
    listing, use, result, said = await blocks(sdk)
    assert isinstance(listing, BetaMCPToolListingBlock)
    assert [each.name for each in listing.tools] == ["find", "drop"]
    assert isinstance(use, BetaMCPToolUseBlock)
    assert (use.server_name, use.name, use.input) == ("a", "find", {"x": 1})
    assert isinstance(result, BetaMCPToolResultBlock)
    assert (result.tool_use_id, result.is_error) == (use.id, False)
    assert said.text == "Found it."


async def test_pinned_tools_are_not_asked_for(
    claude: ClaudeEmulator, sdk: anthropic.AsyncAnthropic
) -> None:
    claude.mcp[URL].down = True
    claude.script([Ask("a", "drop"), Ask("a", "find", "No.")])
    pinned = [{**SET, **ONLY_FIND, "tools": TOOLS[:1]}]
    use, result, _ = await blocks(sdk, tools=pinned)
    assert (use.name, result.is_error, claude.mcp[URL].lists) == ("find", True, 0)


REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"betas": []}, "mcp_servers: Extra inputs"),
    ({"betas": [], "mcp_servers": anthropic.omit}, "Input tag"),
    ({"mcp_servers": [{**SERVER, "url": "http://mcp.example"}]}, "https"),
    ({"mcp_servers": [{**SERVER, "x": 1}]}, "Extra inputs"),
    ({"mcp_servers": [SERVER, SERVER]}, "unique"),
    ({"tools": []}, "exactly one mcp_toolset"),
    ({"tools": [SET, SET]}, "exactly one mcp_toolset"),
    ({"tools": [{**SET, "mcp_server_name": "b"}]}, "exactly one mcp_toolset"),
    ({"tools": [{**SET, "allowed": []}]}, "Extra inputs"),
    ({"tools": [{**SET, "tools": [{"name": "find"}]}]}, "as the server lists"),
    (
        {"mcp_servers": [{**SERVER, "authorization_token": "u"}]},
        "Invalid authorization token for MCP server 'a'",
    ),
    (
        {"mcp_servers": [{**SERVER, "url": "https://nobody.example"}]},
        "Connection error while communicating with MCP server",
    ),
)


async def test_it_refuses_what_the_api_refuses(
    claude: ClaudeEmulator,
    sdk: anthropic.AsyncAnthropic,
) -> None:
    for changed, said in REFUSED:
        claude.script("Not used up.")
        with pytest.raises(anthropic.BadRequestError, match=said):
            await blocks(sdk, **changed)
        [text] = await blocks(sdk, tools=[{**SET, "tools": []}])
        assert text.text == "Not used up.", said
