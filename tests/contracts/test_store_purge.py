"""The contract of stores: a workspace that removed the app is deleted after a delay."""

from dataclasses import replace

from bot.domain.installation import Ending, Place
from bot.domain.retention import DAY, PURGE_DAYS, Retention
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import Change
from bot.domain.triage_case import TriageCase
from bot.ports.store import Store
from tests.contracts.test_store_installations import NOON, installed
from tests.support.store_helpers import exchange, said

TEAMS = ("T1", "T2")
LATER = NOON + PURGE_DAYS * DAY


def place(team: str) -> Place:
    return Place("slack", "", team)


def thread(team: str, number: int = 1) -> ThreadKey:
    return ThreadKey("slack", team, "C1", f"{number}.0")


async def lived_in(store: Store, team: str) -> None:
    """Two threads, a setting, a case."""
    for number in (1, 2):
        question = said(f"m{number}", thread=thread(team, number))
        await exchange(store, question, f"Answer {number}.")
    whole = Scope("slack", team)
    await store.change_settings(
        [Change(whole, "prompt", "Be brief.", versioned=True)], who="U1", now=NOON
    )
    await store.open_case(TriageCase(0, whole, "m1", NOON, "U1", "It is down."))


async def is_there(store: Store, team: str) -> tuple[bool, bool]:
    """Return whether its threads are stored, and whether its settings are."""
    settings = await store.list_settings(Scope("slack", team))
    return bool(await store.transcript(thread(team))), bool(settings)


async def test_a_workspace_that_removed_the_app_goes_after_a_while(
    store: Store,
) -> None:
    for team in TEAMS:
        await store.store_installation(installed(place(team)))
        await lived_in(store, team)
    await store.end_installation(place("T1"), Ending.UNINSTALLED, NOON)
    await store.clean_up(Retention(), LATER)
    assert await is_there(store, "T1") == (True, True)
    deleted = await store.clean_up(Retention(), LATER + 1)
    assert deleted["uninstalled"] == 3
    assert await is_there(store, "T1") == (False, False)
    assert await store.installation_of("slack", "T1") is None
    assert await is_there(store, "T2") == (True, True)
    # What was spent stays; and the workspace may come back.
    await store.store_installation(installed(place("T1")))
    await exchange(store, said("m9", thread=thread("T1")), "Hello again.")
    assert (await is_there(store, "T1"))[0]


async def test_installing_again_in_time_keeps_everything(store: Store) -> None:
    await store.store_installation(installed(place("T1")))
    await lived_in(store, "T1")
    await store.end_installation(place("T1"), Ending.UNINSTALLED, NOON)
    await store.store_installation(installed(place("T1")))
    await store.clean_up(Retention(), LATER + DAY)
    assert await is_there(store, "T1") == (True, True)


async def test_an_organisation_takes_its_workspaces_along(store: Store) -> None:
    """But none that has an installation of its own."""
    org = Place("slack", "E1", "")
    await store.store_installation(installed(org))
    for team in TEAMS:
        await store.store_workspace("slack", team, "E1")
        await lived_in(store, team)
    await store.store_installation(installed(replace(org, workspace="T2")))
    await store.end_installation(org, Ending.UNINSTALLED, NOON)
    await store.clean_up(Retention(), LATER + 1)
    assert await is_there(store, "T1") == (False, False)
    assert await is_there(store, "T2") == (True, True)


async def test_states_that_nobody_came_back_with_go(store: Store) -> None:
    await store.store_state("one", NOON, NOON - DAY)
    await store.store_state("two", NOON + DAY, NOON - DAY)
    assert (await store.clean_up(Retention(), NOON))["states"] == 1
    assert await store.spend_state("two", NOON)
    # Each new one takes some along, so that a flood of them does not last a day.
    for number in range(5):
        await store.store_state(f"old {number}", NOON, NOON - DAY)
    await store.store_state("new", NOON + DAY, NOON)
    assert (await store.clean_up(Retention(), NOON))["states"] == 0
