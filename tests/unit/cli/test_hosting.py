"""Hosts that empty the disk of the database."""

import pytest

from bot.cli.hosting import warnings
from bot.config import Config


def found(env: dict[str, str], database: str, *mounted: str) -> list[str]:
    env = {**env, "THREADKEEP_DB": database}
    return warnings(env, Config.from_env(env), lambda path: str(path) in mounted)


@pytest.mark.parametrize(
    ("env", "database", "mounted", "words"),
    [
        ({}, "data/threadkeep.db", (), ""),
        ({"DYNO": "worker.1"}, "data/threadkeep.db", (), "Heroku empties this disk"),
        ({"DYNO": "worker.1"}, "/data/t.db", ("/data",), "Heroku empties this disk"),
        ({"RENDER": "true"}, "data/threadkeep.db", ("/",), "Render empties this disk"),
        ({"RENDER": "true"}, "/var/data/t.db", ("/", "/var/data"), ""),
        ({"FLY_APP_NAME": "x"}, "/app/data/t.db", (), "Fly.io empties this disk"),
        ({"FLY_APP_NAME": "x"}, "/data/deep/t.db", ("/data",), ""),
        ({"RENDER": ""}, "data/threadkeep.db", (), ""),
    ],
)
def test_a_disk_that_does_not_last_is_named(
    env: dict[str, str], database: str, mounted: tuple[str, ...], words: str
) -> None:
    notes = found(env, database, *mounted)
    assert len(notes) == bool(words)
    if words:
        assert notes[0].startswith(words)
        assert "docs/deploy.md" in notes[0]
