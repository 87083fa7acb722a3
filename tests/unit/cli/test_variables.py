"""Names of variables that are nearly right."""

from bot.cli.variables import nearest, read_by_us, unread

NEAREST: tuple[tuple[str, list[str]], ...] = (
    ("ANTHROPIC_KEY", ["ANTHROPIC_API_KEY"]),
    ("ANTHROPIC_TOKEN", []),
    ("ANTROPIC_API_KEY", ["ANTHROPIC_API_KEY"]),
    ("CLAUDE_API_KEY", ["ANTHROPIC_API_KEY"]),
    ("anthropic_api_key", ["ANTHROPIC_API_KEY"]),
    ("SLACK_TOKEN", ["SLACK_APP_TOKEN", "SLACK_BOT_TOKEN"]),
    ("SLACK_BOT_TOKENS", ["SLACK_BOT_TOKEN"]),
    ("SLACK-BOT-TOKEN", ["SLACK_BOT_TOKEN"]),
    ("DISCORD_BOT_TOKEN", ["DISCORD_TOKEN"]),
    ("DISCORD_SHARD", ["DISCORD_SHARDS"]),
    ("THREADKEEP_MODLE", ["THREADKEEP_MODEL"]),
    ("THREADKEEP_LOG_LEVEL", ["THREADKEEP_LOG"]),
    ("THREADKEEP_PROMPT", ["THREADKEEP_SYSTEM_PROMPT"]),
    ("THREADKEEP_ADMIN", ["THREADKEEP_ADMINS"]),
    ("THREADKEEP_DISCORD_TOKEN", ["DISCORD_TOKEN"]),
    ("THREDKEEP_DB", ["THREADKEEP_DB"]),
    ("MY_SLACK_BOT_TOKEN", ["SLACK_BOT_TOKEN"]),
    ("THREADKEEP_COLOUR", []),
    ("PATH", []),
    ("HTTPS_PROXY", []),
    ("EDITOR", []),
)


def test_a_name_leads_to_the_nearest() -> None:
    for name, near in NEAREST:
        assert sorted(nearest(name, read_by_us())) == near, name


def test_budgets_lead_to_all_kinds() -> None:
    near = nearest("THREADKEEP_BUDGET", read_by_us())
    assert "THREADKEEP_BUDGET_DAY" in near


def test_all_of_the_file_is_meant_for_us() -> None:
    env = {"SLACK_WEBHOOK": "x", "DISCORD_BOT_TOKEN": "y", "TZ": "UTC"}
    found = unread(env, {"SLACK_WEBHOOK": 4, "DISCORD_BOT_TOKEN": 7, "TZ": 9})
    assert len(found) == 2
    assert found[0].startswith("“SLACK_WEBHOOK” in line 4 of .env is not read")
    assert found[1].endswith("Did you mean DISCORD_TOKEN?")


def test_of_the_environment_only_what_is_probably_meant_for_us() -> None:
    env = {
        "SLACK_WEBHOOK": "another program's",
        "ANTHROPIC_KEY": "sk-ant-1",
        "THREADKEEP_COLOUR": "red",
        "HOME": "/root",
        "DISCORD_BOT_TOKEN": "another program's",
        "DISCORD_TOKEN": "a.b.c",
    }
    found = unread(env, {})
    assert len(found) == 2
    assert "ANTHROPIC_API_KEY" in found[0]
    assert found[1].startswith("“THREADKEEP_COLOUR” in the environment is not read")


def test_neither_a_value_nor_a_token_in_place_of_a_name_is_shown() -> None:
    token = "xoxb-123456-abcdefghijklmnop"
    env = {f"SLACK_{token}": "1", "SLACK_TOKEN": token}
    found = unread(env, dict.fromkeys(env, 1))
    assert len(found) == 2
    assert token not in " ".join(found)
