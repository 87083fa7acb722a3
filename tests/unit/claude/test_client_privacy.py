"""No key and no prompt leaves the client, and nothing of the environment enters it."""

import logging

import pytest

from bot.claude.client import ClaudeModel, client, connect
from bot.errors import (
    ConfigError,
)
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import (
    Abort,
    Answer,
    Error,
    Fail,
)
from tests.support.claude_harness import (
    KEY,
    SECRET,
    broken,
    text_of,
)

# What must not get out


@pytest.mark.parametrize(
    "answer",
    [
        Abort(),
        ["The ", Abort()],
        Fail(401, message=f"Invalid key {KEY}"),
        Fail(400, message=f"cannot read '{SECRET}'", type=SECRET, error_code=SECRET),
        Fail(422, page=f'{{"detail": [{{"input": "{SECRET} {KEY}"}}]}}'),
        Fail(500, page=f"Traceback: {SECRET}"),
        Error(message=SECRET),
        ["The ", Error(message=SECRET)],
    ],
    ids=str,
)
async def test_nothing_that_is_logged_tells_the_key_or_the_prompt(
    claude: ClaudeEmulator,
    model: ClaudeModel,
    answer: Answer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    claude.always(answer)
    await broken(model)
    assert caplog.records
    assert SECRET not in caplog.text
    assert KEY not in caplog.text


async def test_nothing_else_in_the_environment_counts(
    claude: ClaudeEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-other")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "other")
    monkeypatch.setenv("ANTHROPIC_PROFILE", "other")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv(
        "ANTHROPIC_CUSTOM_HEADERS",
        "authorization: Bearer other\nx-api-key: other\nX-Other: other",
    )
    async with connect(claude.api_key, claude.base_url) as model:
        assert await text_of(model) != ""
    headers = claude.requests[0].headers
    assert headers["authorization"] == f"Bearer {claude.api_key}"
    assert "x-api-key" not in headers
    assert "x-other" not in headers
    assert client("sk-ant", None).sdk.base_url.host == "api.anthropic.com"


@pytest.mark.parametrize("key", ["", "sk ant", "sk-ant\n", "sk-ant-…"])
async def test_a_key_that_cannot_be_one_is_the_operators_to_mend(key: str) -> None:
    with pytest.raises(ConfigError, match="ANTHROPIC_API_KEY") as caught:
        async with connect(key, None):
            pass
    assert not key or key not in str(caught.value)
