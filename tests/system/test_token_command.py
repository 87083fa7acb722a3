"""`threadkeep token`: its output, its effects and its refusals."""

import json
from pathlib import Path

import pytest
import pytest_asyncio

from bot.cli.token import expiry
from bot.domain import api_token
from bot.errors import ConfigError
from storage.beside import read_tokens
from storage.opening import open_store
from tests.support.process import Nursery
from tests.system.test_commands import MISTAKE, Shell

# The nursery of the module lives on one loop, and its tests with it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

NOON = 1_795_694_400.0
DAY = 86_400.0


@pytest_asyncio.fixture(loop_scope="module")
async def shell(tmp_path: Path, nursery: Nursery) -> Shell:
    return Shell(tmp_path, nursery)


def shown(printed: str) -> str:
    """Return the one token in what was printed."""
    [text] = filter(api_token.token_id, printed.split())
    return text


async def test_a_token_is_shown_once_and_stored_as_its_hash(shell: Shell) -> None:
    status, printed = await shell.run({}, "token", "create", "ci", "--expires", "never")
    assert status == 0
    text = shown(printed)
    assert "not shown again" in printed
    stored = b"".join(f.read_bytes() for f in shell.folder.glob("threadkeep.db*"))
    assert text.encode() not in stored
    assert text[len("tk_0123456789ab_") :].encode() not in stored
    assert api_token.digest(text).encode() in stored
    status, printed = await shell.run({}, "token", "list")
    assert text not in printed
    assert all(word in printed for word in ("ci", "chat", "60/min", "valid", "never"))


async def test_tokens_are_created_listed_and_revoked_beside_a_server(
    shell: Shell,
) -> None:
    async with open_store(shell.folder / "threadkeep.db") as server:
        words = ("--scope", "read", "--scope", "chat", "--rate", "5")
        _, printed = await shell.run({}, "token", "create", "site", *words)
        id = api_token.token_id(shown(printed))
        found = await server.find_token(id)
        assert found is not None
        assert api_token.matches(shown(printed), found[1])
        status, printed = await shell.run({}, "token", "revoke", id)
        assert (status, printed) == (0, "1 token revoked.")
        [listed] = await server.tokens()
        assert listed.revoked is not None
    _, printed = await shell.run({}, "token", "list", "--json")
    [row] = json.loads(printed)
    assert (row["id"], row["scopes"], row["rate"], row["state"]) == (
        *(id, ["chat", "read"]),
        *(5, "revoked"),
    )
    status, printed = await shell.run({}, "token", "revoke", id)
    assert status == MISTAKE
    assert id in printed


async def test_without_a_database_there_are_no_tokens(shell: Shell) -> None:
    status, printed = await shell.run({}, "token", "list")
    assert (status, "There are no tokens" in printed) == (0, True)
    assert await read_tokens(shell.folder / "threadkeep.db") == []


@pytest.mark.parametrize(
    "words",
    [
        ("local",),
        ("No-Name",),
        ("ci", "--expires", "yesterday"),
        ("ci", "--expires", "2020-01-01"),
        ("ci", "--expires", "0d"),
        ("ci", "--scope", "everything"),
        ("ci", "--rate", "0"),
    ],
)
async def test_what_makes_no_sense_creates_nothing(
    shell: Shell, words: tuple[str, ...]
) -> None:
    status, printed = await shell.run({}, "token", "create", *words)
    assert status == MISTAKE
    assert "Traceback" not in printed
    assert await read_tokens(shell.folder / "threadkeep.db") == []


async def test_an_expiry_is_an_age_a_day_or_never() -> None:
    assert expiry("90d", NOON) == NOON + 90 * DAY
    assert expiry("12h", NOON) == NOON + DAY / 2
    assert expiry("2 weeks", NOON) == NOON + 14 * DAY
    assert expiry("NEVER", NOON) is None
    assert expiry("2026-11-28", NOON) == NOON + 1.5 * DAY
    for wrong in ("", "90", "1y", "90 dayz", "2026-13-01", "١d"):
        with pytest.raises(ConfigError):
            expiry(wrong, NOON)
