"""`.env.example` names exactly the variables that are read."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from adapters.discord import config as discord
from adapters.slack import config as slack
from bot.config import Config
from bot.errors import ConfigError

ROOT = Path(__file__).parent.parent


class Recording(Mapping[str, str]):
    """An empty environment that remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_the_example_names_what_is_read() -> None:
    env = Recording()
    Config.from_env(env)
    for platform in (slack, discord):
        platform.configured(env)
    for config in (slack.SlackConfig, discord.DiscordConfig):
        with contextlib.suppress(ConfigError):
            config.from_env(env)
    written = (ROOT / ".env.example").read_text()
    assert set(re.findall(r"^([A-Z_]+)=", written, re.MULTILINE)) == env.asked


def test_one_place_alone_reads_the_environment() -> None:
    code = [p for d in ("bot", "adapters", "storage") for p in (ROOT / d).rglob("*.py")]
    readers = sorted(
        p.name for p in code if re.search(r"os\.environ|getenv", p.read_text())
    )
    # The console asks whether its width is set.
    assert readers == ["config.py", "environment.py"]
