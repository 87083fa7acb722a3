"""`.env.example` and `docs/settings.md` say what the code reads."""

import re
from dataclasses import replace
from pathlib import Path

from adapters.discord.config import DiscordConfig
from adapters.slack.config import SlackConfig
from bot.cli.variables import read_by_us
from bot.config import Config
from bot.domain.scope import EVERYWHERE
from bot.domain.setting import StoredSettings
from bot.settings.effective import Operator, resolve
from tests.support import settings_page

ROOT = Path(__file__).parent.parent
EXAMPLE = dict(
    re.findall(r"^([A-Z_]+)=(.*)$", settings_page.EXAMPLE.read_text(), re.MULTILINE)
)


def test_the_example_names_what_is_read() -> None:
    assert EXAMPLE.keys() == read_by_us()


def test_the_example_shows_the_defaults() -> None:
    filled, empty = Config.from_env(EXAMPLE), Config.from_env({})
    assert _applied(filled) == _applied(empty)
    assert replace(filled, operator=Operator()) == replace(empty, operator=Operator())
    slack = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
    assert SlackConfig.from_env(EXAMPLE | slack) == SlackConfig.from_env(slack)
    discord = {"DISCORD_TOKEN": "a.b.c"}
    assert DiscordConfig.from_env(EXAMPLE | discord) == DiscordConfig.from_env(discord)


def test_the_page_of_settings_is_that_of_the_code() -> None:
    assert settings_page.FILE.read_text() == settings_page.page(), "make docs"


def test_one_place_alone_reads_the_environment() -> None:
    code = [p for d in ("bot", "adapters", "storage") for p in (ROOT / d).rglob("*.py")]
    readers = sorted(
        p.name for p in code if re.search(r"os\.environ|getenv", p.read_text())
    )
    assert readers == ["config.py"]


def _applied(config: Config) -> dict[str, str]:
    found = resolve(EVERYWHERE, StoredSettings(), config.operator.values).applied
    return {name: each.value for name, each in found.items()}
