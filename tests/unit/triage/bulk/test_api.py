"""Triage from other programs."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import ConfigError, ModelDenied
from bot.schemes.scheme import read
from bot.triage.answer import EMPTY
from bot.triage.bulk.api import BROKE, aclassify, classify
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.support.triage_requests import GOOD, sorted_as


@pytest.fixture
async def claude(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[ClaudeEmulator]:
    monkeypatch.chdir(tmp_path)
    async with ClaudeEmulator() as opened:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", opened.base_url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", opened.api_key)
        opened.always(sorted_as())
        yield opened


async def test_five_lines_without_a_loop(claude: ClaudeEmulator) -> None:
    def program() -> list[object]:
        return [
            answer.values or answer.reason
            for answer in classify(["I was charged twice", "", "Nobody can sign in"])
        ]

    assert await asyncio.to_thread(program) == [GOOD, EMPTY, GOOD]


async def test_the_same_in_a_loop_asks_once_for_what_reads_the_same(
    claude: ClaudeEmulator,
) -> None:
    found = await aclassify(f"Ticket {n % 5}" for n in range(20))
    assert [answer.values for answer in found] == [GOOD] * 20
    assert len(claude.questions) == 5


async def test_a_scheme_of_ones_own_from_text_or_file(
    claude: ClaudeEmulator, tmp_path: Path
) -> None:
    text = "fields: {team: {values: [sales, tech]}}"
    claude.always('{"team": "Tech"}')
    [answer] = await aclassify(["Hi"], scheme=read(text))
    assert answer.values == {"team": "tech"}
    (tmp_path / "own.yaml").write_text(text)
    [answer] = await aclassify(["Hi"], scheme="own.yaml", model="sonnet")
    assert answer.values == {"team": "tech"}
    assert claude.questions[-1].body["model"] == "claude-sonnet-5-5"
    with pytest.raises(ConfigError, match=r"nope\.yaml cannot be read"):
        await aclassify(["Hi"], scheme=tmp_path / "nope.yaml")


async def test_what_there_is_no_money_for_says_so(claude: ClaudeEmulator) -> None:
    found = await aclassify(["one", "two"], budget=0.0001)
    assert [answer.reason for answer in found] == [BROKE, BROKE]
    assert claude.questions == []


async def test_a_key_that_is_not_accepted(claude: ClaudeEmulator) -> None:
    with pytest.raises(ModelDenied, match="the key is not accepted"):
        await aclassify(["one"], api_key="sk-ant-wrong")


async def test_without_a_key(
    claude: ClaudeEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(ConfigError, match="ANTHROPIC_API_KEY is not set"):
        await aclassify(["one"])
