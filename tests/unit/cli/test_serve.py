"""`threadkeep serve` without a platform."""

import os
import sys
from pathlib import Path

import pytest

from bot.cli.serve import serve
from bot.errors import ConfigError


def test_a_service_without_a_platform_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert serve.callback is not None
    with open(os.devnull, encoding="utf-8") as null:
        monkeypatch.setattr(sys, "stdin", null)
        with pytest.raises(ConfigError, match="No platform is set up: set SLACK_BOT"):
            serve.callback(lines=False, shards="")
