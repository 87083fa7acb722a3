"""Settings: sensible without any, and every mistake named at once."""

from pathlib import Path

import pytest

from bot.config import Config
from bot.errors import ConfigError


def test_nothing_needs_to_be_set() -> None:
    settings = Config.from_env({})
    assert settings.api_key is None
    assert settings.model == "claude-sonnet-5-5"
    assert settings.operator.values == {}
    assert settings.database == Path("data/threadkeep.db").absolute()
    assert settings.grace == 20.0


def test_an_empty_value_is_as_good_as_none() -> None:
    assert Config.from_env({"THREADKEEP_MODEL": " "}) == Config.from_env({})


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/", "is the directory /"),
        ("..", "name a file in it"),
        ("{here}/", "name a file in it"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_database_has_the_name_of_a_file(tmp_path: Path, path: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Config.from_env({"THREADKEEP_DB": path.format(here=tmp_path)})


def test_a_database_in_the_home_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    found = Config.from_env({"THREADKEEP_DB": "~/bot.db"}).database
    assert found == tmp_path / "bot.db"


def test_every_problem_is_named_at_once() -> None:
    env = {
        "THREADKEEP_MAX_TOKENS": "4O96",
        "THREADKEEP_GRACE": "-1",
        "THREADKEEP_EFFORT": "heroic",
        "THREADKEEP_LOG": "loud",
        "THREADKEEP_LOG_FORMAT": "xml",
        "ANTHROPIC_BASE_URL": "api.example",
    }
    with pytest.raises(ConfigError) as caught:
        Config.from_env(env)
    for name, value in env.items():
        assert name in str(caught.value)
        assert value in str(caught.value)


def test_an_answer_cannot_be_longer_than_the_model_allows() -> None:
    with pytest.raises(ConfigError, match="64,000"):
        Config.from_env(
            {"THREADKEEP_MODEL": "claude-haiku-4-5", "THREADKEEP_MAX_TOKENS": "99999"}
        )


def test_effort_is_refused_where_it_would_be_ignored() -> None:
    env = {"THREADKEEP_MODEL": "claude-haiku-4-5", "THREADKEEP_EFFORT": "low"}
    with pytest.raises(ConfigError, match="no effort"):
        Config.from_env(env)
    del env["THREADKEEP_EFFORT"]
    assert Config.from_env(env).model == "claude-haiku-4-5"


def test_whatever_can_be_set_in_the_chat_can_be_set_for_all_workspaces() -> None:
    env = {
        "THREADKEEP_BUDGET_DAY": "$12.50",
        "THREADKEEP_FOLLOW": "Off",
        "THREADKEEP_STOP_SEQUENCES": "END",
        "THREADKEEP_ADMINS": "slack:U1, discord:42",
    }
    operator = Config.from_env(env).operator
    assert operator.values == {
        "budget_day": "12.5",
        "follow": "mention",
        "stop_sequences": '["END"]',
    }
    assert operator.admins == {"slack:U1", "discord:42"}


def test_an_admin_is_named_with_the_platform() -> None:
    with pytest.raises(ConfigError, match="slack:U0123ABC"):
        Config.from_env({"THREADKEEP_ADMINS": "U1"})


def test_a_key_is_not_in_the_repr() -> None:
    settings = Config.from_env({"ANTHROPIC_API_KEY": "sk-ant-secret"})
    assert "secret" not in repr(settings)
