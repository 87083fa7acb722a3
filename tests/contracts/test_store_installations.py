"""The contract of stores: installations of the app."""

import asyncio
from dataclasses import replace

from bot.domain.installation import Ending, Installation, Place, Tokens
from bot.ports.store import Store

NOON = 1_795_694_400.0
ACME = Place("slack", "", "T1")
GLOBEX = Place("slack", "E1", "T2")
ORG = Place("slack", "E1", "")


def installed(place: Place, token: str = "sealed", **changes: object) -> Installation:
    made = Installation(
        place=place,
        name="Acme",
        user="U0BOT",
        bot="B0BOT",
        scopes=frozenset({"chat:write", "users:read"}),
        installed_by="U1",
        installed_at=NOON,
        tokens=Tokens(token, "refresh", NOON + 60),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def test_an_installation_is_found_by_its_workspace(store: Store) -> None:
    made = await store.store_installation(installed(ACME))
    assert made == installed(ACME, version=made.version)
    assert await store.installation_of("slack", "T1") == made
    assert await store.installation_of("slack", "T2") is None
    assert await store.installation_of("slack", "") is None
    assert await store.installation_of("discord", "T1") is None


async def test_an_organisation_serves_the_workspaces_that_are_known(
    store: Store,
) -> None:
    org = await store.store_installation(installed(ORG))
    assert await store.installation_of("slack", "T2") is None
    await store.store_workspace("slack", "T2", "E1")
    await store.store_workspace("slack", "T2", "E1")
    assert await store.installation_of("slack", "T2") == org
    # Its own comes first, as long as it is good.
    own = await store.store_installation(installed(GLOBEX))
    assert await store.installation_of("slack", "T2") == own
    await store.end_installation(GLOBEX, Ending.UNINSTALLED, NOON)
    assert await store.installation_of("slack", "T2") == org
    ended = await store.end_installation(ORG, Ending.REVOKED, NOON)
    found = await store.installation_of("slack", "T2")
    assert found is not None
    assert found.ended_at == NOON
    assert ended is not None


async def test_installing_again_replaces_what_was_there(store: Store) -> None:
    first = await store.store_installation(installed(ACME))
    await store.end_installation(ACME, Ending.UNINSTALLED, NOON + 1)
    second = await store.store_installation(
        installed(ACME, "other", installed_at=NOON + 2)
    )
    assert second.ended_at is None
    assert second.ending is None
    assert second.version > first.version
    assert await store.installations("slack") == [second]


async def test_an_end_drops_the_tokens_and_happens_once(store: Store) -> None:
    await store.store_installation(installed(ACME))
    ended = await store.end_installation(ACME, Ending.REMOVED, NOON + 1)
    assert ended is not None
    assert ended.tokens == Tokens("", "", NOON + 60)
    assert (ended.ended_at, ended.ending) == (NOON + 1, Ending.REMOVED)
    assert await store.end_installation(ACME, Ending.REVOKED, NOON + 2) is None
    assert await store.end_installation(GLOBEX, Ending.REVOKED, NOON + 2) is None
    assert await store.installation_of("slack", "T1") == ended


async def test_changes_are_listed_in_their_order(store: Store) -> None:
    first = await store.store_installation(installed(ACME))
    second = await store.store_installation(installed(GLOBEX))
    assert await store.installations("slack") == [first, second]
    ended = await store.end_installation(ACME, Ending.REVOKED, NOON)
    assert await store.installations("slack", second.version) == [ended]
    assert await store.installations("discord") == []


async def test_a_refresh_token_is_held_by_one(store: Store) -> None:
    made = await store.store_installation(installed(ACME))
    claim = (ACME, made.version, NOON, NOON + 60)
    assert await store.claim_refresh(*claim)
    assert not await store.claim_refresh(*claim)
    # A process that died with it holds it for a while.
    assert await store.claim_refresh(ACME, made.version, NOON + 60, NOON + 120)
    new = Tokens("new", "next", NOON + 3600)
    later = await store.replace_tokens(ACME, made.version, new)
    assert later == replace(made, tokens=new, version=made.version + 1)
    # One that wakes up late changes nothing.
    assert await store.replace_tokens(ACME, made.version, Tokens("old")) is None
    assert not await store.claim_refresh(ACME, made.version, NOON + 200, NOON + 300)
    assert await store.claim_refresh(ACME, later.version, NOON + 200, NOON + 300)
    await store.end_installation(ACME, Ending.REVOKED, NOON)
    assert await store.replace_tokens(ACME, later.version, new) is None


async def test_a_state_is_good_once_and_for_a_time(store: Store) -> None:
    await store.store_state("one", NOON + 600, NOON)
    await store.store_state("two", NOON + 600, NOON)
    assert await store.spend_state("one", NOON)
    assert not await store.spend_state("one", NOON)
    assert not await store.spend_state("two", NOON + 600)
    assert not await store.spend_state("", NOON)


async def test_of_many_who_want_a_refresh_token_at_once_one_gets_it(
    store: Store,
) -> None:
    made = await store.store_installation(installed(ACME))
    claim = (ACME, made.version, NOON, NOON + 60)
    held = await asyncio.gather(*(store.claim_refresh(*claim) for _ in range(20)))
    assert held.count(True) == 1


async def test_what_many_change_at_once_has_versions_of_its_own(store: Store) -> None:
    places = [Place("slack", "", f"T{n}") for n in range(20)]
    made = await asyncio.gather(
        *(store.store_installation(installed(place)) for place in places)
    )
    versions = sorted(each.version for each in made)
    assert versions == list(range(versions[0], versions[0] + 20))
    assert len(await store.installations("slack", versions[9])) == 10
