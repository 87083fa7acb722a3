"""Tokens are renewed before they expire, by only one of the processes."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from adapters.slack.credentials import EARLY
from adapters.slack.renewing import AHEAD
from bot.ports.wakeups import PeriodicTask
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.faults import error, status
from tests.support.memory_store import MemoryStore
from tests.support.scripted_model import ScriptedModel
from tests.support.slack_house import House, house

#: Nobody meets a token that is due yet.
SOON = int(EARLY + AHEAD) - 60


@pytest.fixture
async def slack() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator(ack_timeout=60) as slack:
        slack.uninstall()
        slack.oauth.rotates, slack.oauth.valid = True, SOON
        yield slack


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


def periodic_task(here: House) -> PeriodicTask:
    """Do the task that the engine gives to one process."""
    [found] = [each for each in here.app._periodic_tasks() if each.name == "tokens"]
    return found


async def test_what_is_due_soon_is_renewed_once_whoever_does_it(
    slack: SlackEmulator, store: MemoryStore, model: ScriptedModel
) -> None:
    async with house(slack, store, model) as here:
        teams = [await here.team(name) for name in ("Acme", "Globex")]
        slack.oauth.valid = 43_200
        async with house(slack, store, model, listens=False) as other:
            # One after the other, and both at once.
            await periodic_task(other).work()
            await asyncio.gather(
                *(periodic_task(each).work() for each in (here, other))
            )
        assert len(slack.oauth.spent) == len(teams)
        for row in await store.installations("slack"):
            assert row.tokens.expires_at is not None
            assert row.tokens.expires_at > time.time() + EARLY + AHEAD


async def test_one_that_cannot_be_renewed_keeps_no_other_from_it(
    slack: SlackEmulator, store: MemoryStore, model: ScriptedModel
) -> None:
    async with house(slack, store, model) as here:
        for name in ("Acme", "Globex"):
            await here.team(name)
        slack.oauth.valid = 43_200
        slack.faults.add("oauth.v2.access", status(503))
        await periodic_task(here).work()
        assert len(slack.oauth.spent) == 1


async def test_a_refresh_token_that_slack_refuses_is_looked_at(
    slack: SlackEmulator, store: MemoryStore, model: ScriptedModel
) -> None:
    async with house(slack, store, model) as here:
        await here.team("Acme")
        slack.faults.add("oauth.v2.access", error("invalid_refresh_token"))
        await periodic_task(here).work()
        # The token is good, so the installation is.
        [row] = await store.installations("slack")
        assert row.ended_at is None
