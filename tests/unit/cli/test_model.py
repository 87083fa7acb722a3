"""The model that is loaded on first use."""

import gc
from pathlib import Path

from bot.cli.model import ClaudeOnceLoaded, open_model
from bot.config import Config


async def test_what_the_sdk_brings_is_no_work_for_the_collector(tmp_path: Path) -> None:
    env = {"ANTHROPIC_API_KEY": "sk-ant-test", "THREADKEEP_DB": str(tmp_path / "t.db")}
    gc.unfreeze()
    async with open_model(Config.from_env(env)) as model:
        assert isinstance(model, ClaudeOnceLoaded)
        assert gc.get_freeze_count() == 0
        await model._loaded()
        assert gc.get_freeze_count() > 10_000
    gc.unfreeze()
