"""`threadkeep workspaces` and `threadkeep keys`: their output, effects and refusals."""

import base64
import json
from pathlib import Path

import pytest
import pytest_asyncio

from bot.domain.installation import Place, Tokens
from storage.encryption import KeyRing
from storage.opening import open_store
from storage.store import DatabaseStore
from tests.contracts.test_store_installations import NOON, installed
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.process import Nursery
from tests.support.slack_house import oauth_env
from tests.system.test_commands import MISTAKE, Shell

# The nursery of the module lives on one loop, and its tests with it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

ACME = Place("slack", "", "T1")
GLOBEX = Place("slack", "E1", "")


@pytest_asyncio.fixture(loop_scope="module")
async def shell(tmp_path: Path, nursery: Nursery) -> Shell:
    return Shell(tmp_path, nursery)


def keyed(*keys: bytes) -> dict[str, str]:
    """Return the environment with `keys`."""
    written = [base64.urlsafe_b64encode(key).decode() for key in keys]
    return {"THREADKEEP_KEYS": ",".join(written)}


async def sealed(store: DatabaseStore, place: Place, ring: KeyRing) -> None:
    tokens = Tokens(ring.seal("xoxb-1", place), ring.seal("xoxe-1", place), NOON)
    await store.store_installation(installed(place, tokens=tokens))


async def test_a_new_key_is_printed_alone_and_is_taken(shell: Shell) -> None:
    status, printed = await shell.run({}, "keys", "new")
    assert status == 0
    key = printed.split()[0]
    assert len(base64.urlsafe_b64decode(key)) == 32
    assert "keep a copy apart from the database" in printed
    _, other = await shell.run({}, "keys", "new")
    assert other.split()[0] != key
    status, printed = await shell.run({"THREADKEEP_KEYS": f"{key}x"}, "keys", "rotate")
    assert status == MISTAKE
    assert "THREADKEEP_KEYS must be keys" in printed
    assert key not in printed


async def test_the_newest_key_encrypts_all_beside_a_server(shell: Shell) -> None:
    old, new, other = b"o" * 32, b"n" * 32, b"x" * 32
    async with open_store(shell.folder / "threadkeep.db") as store:
        await sealed(store, ACME, KeyRing((old,)))
        await sealed(store, GLOBEX, KeyRing((other,)))
        status, printed = await shell.run(keyed(new, old), "keys", "rotate")
        assert "1 workspace encrypted again with the newest key." in printed
        # One whose key is lost is named.
        assert status == 1
        assert "opens the token of Acme (slack:E1): add the key" in printed
        kept = await store.installation_of("slack", "T1")
        assert kept is not None
        ring = KeyRing((new,))
        assert ring.open(kept.tokens.access, ACME) == "xoxb-1"
        assert ring.open(kept.tokens.refresh, ACME) == "xoxe-1"
        assert kept.tokens.expires_at == NOON
        status, printed = await shell.run(keyed(new, other), "keys", "rotate")
        assert (status, printed) == (
            0,
            "1 workspace encrypted again with the newest key.",
        )


async def test_workspaces_are_listed_and_removed(shell: Shell) -> None:
    status, printed = await shell.run({}, "workspaces", "list")
    assert (status, printed) == (0, "No workspace has installed the app.")
    key = b"k" * 32
    async with SlackEmulator() as slack:
        env = {**oauth_env(slack), **keyed(key)}
        team = slack.add_team("Acme", installed=True)
        here = Place("slack", "", team.team)
        async with open_store(shell.folder / "threadkeep.db") as store:
            ring = KeyRing((key,))
            tokens = Tokens(ring.seal(team.bot_token, here))
            await store.store_installation(installed(here, tokens=tokens))
            await store.store_installation(installed(GLOBEX, name="Globex"))
            _, printed = await shell.run(env, "workspaces", "list", "--json")
            rows = json.loads(printed)
            assert [(e["id"], e["name"], e["state"]) for e in rows] == [
                (str(here), "Acme", "installed"),
                ("slack:E1", "Globex", "installed"),
            ]
            assert "sealed" not in printed
            status, printed = await shell.run(env, "workspaces", "remove", str(here))
            assert status == 0
            assert f"Acme ({here}) is removed" in printed
            assert team.calls_of("auth.revoke")[0].outcome == "ok"
            # Without its key, it ends here alone.
            status, printed = await shell.run(env, "workspaces", "remove", "slack:E1")
            assert status == 0
            assert "Slack did not take the token back" in printed
            status, printed = await shell.run(env, "workspaces", "remove", str(here))
            assert status == MISTAKE
            assert "has not installed the app" in printed
            _, printed = await shell.run(env, "workspaces", "list")
            assert printed.count("removed") == 2
