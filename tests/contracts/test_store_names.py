"""The contract of stores: names for the operator's reports."""

from bot.domain.budget import NO_LIMITS, Charge
from bot.domain.completion import Usage
from bot.domain.names import MOST_CHARS, LastName, NameKind, Sighting
from bot.domain.retention import DAY, Retention
from bot.domain.scope import Scope
from bot.domain.setting import AuditEntry, Change
from bot.ports.store import Store
from storage import erasures
from storage.names import names
from storage.store import DatabaseStore

NOON = 1_795_694_400.0
BILLING, LEGAL = Scope("slack", "T1", "C5"), Scope("slack", "T1", "C6")
SERVER = Scope("discord", "7", "70")


async def asked(store: Store, place: Scope, person: str, at: float = NOON) -> None:
    charge = Charge(place, person, "try", "claude-sonnet-5-5")
    opened = await store.open_charge(charge, NO_LIMITS, at)
    assert isinstance(opened, int)
    await store.close_charge(opened, Usage(), 0.1, at)


def name(place: Scope, kind: NameKind, id: str, text: str) -> LastName:
    return LastName(place.platform, place.workspace, kind, id, text)


def both(place: Scope, person: str, who: str, channel: str) -> list[LastName]:
    return [
        name(place, NameKind.PERSON, person, who),
        name(place, NameKind.CHANNEL, place.channel, channel),
    ]


async def seen(store: Store, since: float = 0.0, now: float = NOON) -> list[Sighting]:
    return sorted(await store.unnamed(since, now))


async def test_it_says_of_whom_the_reports_have_no_name(store: Store) -> None:
    await asked(store, BILLING, "U1")
    change = Change(LEGAL, "model", "claude-opus-5-5")
    await store.change_settings([change], who="U2", now=NOON + 1)
    denied = AuditEntry(0, NOON + 2, SERVER, "9", "denied", "set model")
    await store.record_refusal(denied)
    assert await seen(store) == [
        Sighting(SERVER, "9"),
        Sighting(BILLING, "U1"),
        Sighting(LEGAL, "U2"),
    ]
    assert await seen(store, since=NOON + 2) == [Sighting(SERVER, "9")]


async def test_the_operator_has_no_name_to_look_up(store: Store) -> None:
    change = Change(Scope("slack", "T1"), "model", "claude-opus-5-5")
    await store.change_settings([change], who="operator", now=NOON, action="imported")
    assert await seen(store) == []


async def test_a_name_is_good_for_a_day_and_none_for_an_hour(store: Store) -> None:
    await asked(store, BILLING, "U1")
    await store.store_names(both(BILLING, "U1", "Olga", "#billing"), NOON)
    assert await seen(store, now=NOON + DAY - 1) == []
    assert await seen(store, now=NOON + DAY) == [Sighting(BILLING, "U1")]
    await asked(store, LEGAL, "U2")
    await store.store_names(both(LEGAL, "U2", "Ben", ""), NOON)
    assert await seen(store, now=NOON + 3_599) == []
    assert await seen(store, now=NOON + 3_600) == [Sighting(LEGAL, "U2")]


async def test_the_name_of_a_forgotten_person_is_not_looked_up_again(
    store: DatabaseStore,
) -> None:
    """After a start, names are looked up for the activity of 31 days."""
    await asked(store, BILLING, "U1")
    await store.store_names(both(BILLING, "U1", "Olga", "#billing"), NOON)
    await store._write(
        lambda db: erasures.delete_person(db, Scope("slack", "T1"), "U1", NOON)
    )
    assert await known(store) == {"C5": "#billing"}
    # For the name of the channel, the person's name is looked up, too.
    await store.store_names(both(BILLING, "U1", "Olga", "#new"), NOON + DAY)
    assert await known(store) == {"C5": "#new"}
    assert await seen(store, since=NOON, now=NOON + 2 * DAY - 1) == []
    await asked(store, BILLING, "U1", NOON + 40 * DAY)
    found = await seen(store, since=NOON + 9 * DAY, now=NOON + 40 * DAY)
    assert found == [Sighting(BILLING, "U1")]
    await store.store_names(both(BILLING, "U1", "Olga", "#new"), NOON + 40 * DAY)
    assert await known(store) == {"U1": "Olga", "C5": "#new"}


async def test_the_last_name_counts_and_an_unknown_one_takes_none_away(
    store: DatabaseStore,
) -> None:
    for who in ("Olga", "Olga M.", ""):
        await store.store_names(both(BILLING, "U1", who, "#billing"), NOON)
    assert await known(store) == {"U1": "Olga M.", "C5": "#billing"}


async def test_a_name_is_one_short_line(store: DatabaseStore) -> None:
    who = "Ol\nga\u2028" + "x" * 1_000 + "\ud800"
    await store.store_names(both(BILLING, "U1", who, "#billing"), NOON)
    kept = (await known(store))["U1"]
    assert kept.startswith("Ol ga x")
    assert len(kept) == MOST_CHARS


async def test_names_go_with_their_workspace(store: DatabaseStore) -> None:
    await store.store_names(both(BILLING, "U1", "Olga", "#billing"), NOON)
    await store.store_names(both(SERVER, "9", "Ben", "#general"), NOON)
    dropped = await store.drop_names(lambda platform, workspace: workspace == "T1")
    assert dropped == 2
    assert await known(store) == {"U1": "Olga", "C5": "#billing"}


async def test_names_are_kept_for_a_limited_time(store: DatabaseStore) -> None:
    await store.store_names(both(BILLING, "U1", "Olga", "#billing"), NOON)
    await store.store_names([name(BILLING, NameKind.PERSON, "U2", "Ben")], NOON + 1)
    for _ in range(2):
        await store.clean_up(Retention(names=9.0), NOON + 9.5)
        assert await known(store) == {"U2": "Ben"}


async def known(store: DatabaseStore) -> dict[str, str]:
    """Return the names in the store, by id."""
    return {each.id: each.name for each in await store._read(names)}
