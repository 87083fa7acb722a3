"""The commands of the database on PostgreSQL."""

import importlib.util
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli.main import main
from tests.support import postgres

PASSWORD = "hunter2-secret"

#: What reads, and the beginning of what it says of an empty database.
READS = {
    "check --offline": "✓  Database",
    "usage": "Nothing was asked",
    "audit": "Nothing was changed",
    "feedback": "Nobody gave feedback",
    "settings list": "Nothing is set",
    "settings history": "Nothing was changed",
    "settings export -": "",
    "budgets": "No budget is set",
    "quality": "No answer has ended",
    "threads list": "There are no such threads",
    "token list": "",
}


@pytest.fixture
def env(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """The environment of a command, with the password in the address."""
    monkeypatch.chdir(tmp_path)
    host, name = postgres.server().address, address
    found = dict(part.split("=", 1) for part in f"{host} {name}".split())
    return {
        "THREADKEEP_DB": f"postgresql:///{found['dbname']}?host={found['host']}"
        f"&user={found['user']}&password={PASSWORD}"
    }


def said(env: dict[str, str], command: str, status: int = 0) -> str:
    """Run `command`, which exits with `status`; return its output."""
    ran = CliRunner().invoke(main, command.split(), env=env)
    assert PASSWORD not in ran.output
    assert ran.exit_code == status, ran.output
    return ran.output


def test_commands_work_as_on_sqlite(env: dict[str, str], tmp_path: Path) -> None:
    assert "they are created at the first start" in said(env, "check --offline")
    assert "nobody has talked" in said(env, "usage", 2)
    assert said(env, "token list").startswith("There are no tokens")
    assert re.search(r"tk_\w+", said(env, "token create reader"))
    for command, begin in READS.items():
        assert said(env, command).startswith(begin), command
    assert "reader" in said(env, "token list")
    assert "not running" in said(env, "now", 1)
    assert "offline model" in said(env, "ask hello")
    assert "answer" in said(env, "usage").lower()
    # Files of this machine stand in the folder that is usual, if there is one.
    assert [each.name for each in tmp_path.iterdir()] == []


def test_what_only_a_file_has_says_what_to_do(env: dict[str, str]) -> None:
    said(env, "token create reader")
    assert "pg_dump" in said(env, "backup copy.db", 2)
    assert "threadkeep move" in said(env, "explore", 2)


def test_an_address_of_another_kind_is_named() -> None:
    wrong = {"THREADKEEP_DB": f"mysql://u:{PASSWORD}@db/threads"}
    assert "not one of PostgreSQL" in said(wrong, "usage", 2)


def test_without_the_extra_it_says_what_to_install(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == "psycopg" else find(name),
    )
    for command in ("usage", "check --offline", "token list", "threads list"):
        status = 1 if command.startswith("check") else 2
        assert "threadkeep[postgres]" in said(env, command, status)
