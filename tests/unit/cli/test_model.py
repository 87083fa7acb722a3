"""The model that is loaded on first use."""

import gc
from pathlib import Path

import pytest

from bot.cli.model import ClaudeOnceLoaded, open_model
from bot.config import Config
from bot.domain.completion import ChatMessage, Request
from bot.errors import ModelDenied

QUESTION = Request("claude-haiku-5-5", "", (ChatMessage("user", "?"),), 100)


async def test_what_the_sdk_brings_is_no_work_for_the_collector(tmp_path: Path) -> None:
    env = {"ANTHROPIC_API_KEY": "sk-ant-test", "THREADKEEP_DB": str(tmp_path / "t.db")}
    gc.unfreeze()
    async with open_model(Config.from_env(env)) as model:
        assert isinstance(model, ClaudeOnceLoaded)
        assert gc.get_freeze_count() == 0
        await model._load_model()
        assert gc.get_freeze_count() > 10_000
    gc.unfreeze()


async def test_a_process_that_answers_nothing_needs_no_key(tmp_path: Path) -> None:
    config = Config.from_env({"THREADKEEP_DB": str(tmp_path / "t.db")})
    async with open_model(config, answers=False) as model:
        # It says so, and does not pretend to be Claude.
        with pytest.raises(ModelDenied, match="ANTHROPIC_API_KEY"):
            await anext(model.answer(QUESTION))
        with pytest.raises(ModelDenied, match="ANTHROPIC_API_KEY"):
            await model.count(QUESTION)
