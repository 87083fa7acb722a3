"""The contract of stores: settings, their versions and their audit trail."""

import asyncio
from dataclasses import replace

import pytest

from bot.domain.scope import EVERYWHERE, Scope, ScopeLevel
from bot.domain.setting import (
    AuditEntry,
    Change,
    Draft,
    EditConflict,
    Refusal,
    Setting,
    StoredSettings,
)
from bot.ports.store import Store
from tests.support.store_helpers import HERE, said, waiting

THREAD = Scope.of(HERE)
CHANNEL, WORKSPACE = THREAD.at(ScopeLevel.CHANNEL), THREAD.at(ScopeLevel.WORKSPACE)
OTHER = Scope("slack", "T1", "C2")


async def put(
    store: Store,
    name: str,
    value: str | None,
    place: Scope = CHANNEL,
    *,
    who: str = "U1",
    now: float = 5.0,
    base: int | None = None,
    running: bool = False,
) -> list[AuditEntry] | EditConflict:
    change = Change(place, name, value, versioned=name == "prompt")
    return await store.change_settings(
        [change], who=who, now=now, base=base, running=running
    )


async def made(
    store: Store,
    name: str,
    value: str | None,
    place: Scope = CHANNEL,
    now: float = 5.0,
) -> AuditEntry:
    result = await put(store, name, value, place, now=now)
    assert isinstance(result, list)
    [entry] = result
    return entry


async def test_nothing_is_set_at_first(store: Store) -> None:
    assert await store.stored_settings(THREAD) == StoredSettings()
    assert await store.list_settings(EVERYWHERE) == []
    assert await store.audit(EVERYWHERE, 0.0, 10) == []


async def test_what_is_set_is_found_around_a_place_and_not_beside_it(
    store: Store,
) -> None:
    entries = [
        await made(store, "quiet", "on", place)
        for place in (THREAD, CHANNEL, WORKSPACE, OTHER)
    ]
    found = await store.stored_settings(THREAD)
    assert {setting.place for setting in found.settings} == {
        THREAD,
        CHANNEL,
        WORKSPACE,
    }
    assert Setting(CHANNEL, "quiet", "on", "U1", 5.0, entries[1].id) in found.settings
    around_channel = await store.stored_settings(CHANNEL)
    assert {s.place for s in around_channel.settings} == {CHANNEL, WORKSPACE}
    elsewhere = await store.stored_settings(Scope("slack", "T2", "C1"))
    assert elsewhere.settings == ()


async def test_settings_are_listed_by_place(store: Store) -> None:
    for place in (THREAD, OTHER, WORKSPACE, CHANNEL, Scope("discord", "1")):
        await put(store, "quiet", "on", place)
    assert [s.place for s in await store.list_settings(WORKSPACE)] == [
        WORKSPACE,
        CHANNEL,
        THREAD,
        OTHER,
    ]
    assert [s.place for s in await store.list_settings(CHANNEL)] == [CHANNEL, THREAD]
    assert len(await store.list_settings(EVERYWHERE)) == 5


async def test_a_setting_is_taken_back_and_that_is_noted(store: Store) -> None:
    first = await made(store, "quiet", "on")
    second = await made(store, "quiet", None, now=6.0)
    assert (await store.stored_settings(CHANNEL)).settings == ()
    assert await store.audit(CHANNEL, 0.0, 10) == [second, first]
    assert (first.action, first.before, first.after) == ("set", None, "on")
    assert (second.action, second.before, second.after) == ("cleared", "on", None)


async def test_what_is_so_already_is_not_noted(store: Store) -> None:
    await put(store, "quiet", "on")
    assert await put(store, "quiet", "on") == []
    assert await put(store, "model", None) == []
    await put(store, "prompt", "Be brief.")
    assert await put(store, "prompt", "Be brief.") == []
    assert len(await store.audit(CHANNEL, 0.0, 10)) == 2
    assert len(await store.versions(CHANNEL, "prompt")) == 1


async def test_every_text_is_kept_as_a_version_of_its_place(store: Store) -> None:
    for text in ("One.", "Two.", None, "Three."):
        await put(store, "prompt", text)
    await put(store, "prompt", "Elsewhere.", OTHER)
    versions = await store.versions(CHANNEL, "prompt")
    assert [(v.number, v.text) for v in versions] == [
        (4, "Three."),
        (3, None),
        (2, "Two."),
        (1, "One."),
    ]
    [setting] = (await store.stored_settings(CHANNEL)).settings
    assert setting.value == str(versions[0].id)
    assert await store.version(versions[0].id) == versions[0]
    assert await store.version(999) is None
    told = [(e.before, e.after) for e in await store.audit(CHANNEL, 0.0, 10)]
    assert told == [
        (None, "version 4"),
        ("version 2", None),
        ("version 1", "version 2"),
        (None, "version 1"),
    ]
    [elsewhere] = await store.versions(OTHER, "prompt")
    assert elsewhere.number == 1


async def test_a_list_of_changes_is_made_whole_or_not_at_all(store: Store) -> None:
    newest = (await made(store, "quiet", "on")).id
    await put(store, "model", "claude-opus-5-5", who="U2")
    changes = [Change(CHANNEL, "quiet", "off"), Change(CHANNEL, "model", "auto")]
    clash = await store.change_settings(changes, who="U1", now=7.0, base=newest)
    assert isinstance(clash, EditConflict)
    assert [(e.who, e.name) for e in clash.entries] == [("U2", "model")]
    found = {s.name: s.value for s in (await store.stored_settings(CHANNEL)).settings}
    assert found == {"quiet": "on", "model": "claude-opus-5-5"}
    done = await store.change_settings(
        changes, who="U1", now=8.0, base=clash.entries[-1].id
    )
    assert isinstance(done, list)
    assert [entry.name for entry in done] == ["quiet", "model"]


async def test_only_the_same_setting_at_the_same_place_clashes(store: Store) -> None:
    base = (await made(store, "quiet", "on")).id
    await put(store, "model", "auto")
    await put(store, "quiet", "on", OTHER)
    await store.record_refusal(AuditEntry(0, 6.0, CHANNEL, "U3", "denied", "quiet"))
    assert isinstance(await put(store, "quiet", "off", base=base), list)


async def test_what_others_did_to_the_same_end_does_not_clash(store: Store) -> None:
    base = (await made(store, "quiet", "on")).id
    await put(store, "quiet", "off", who="U2")
    assert await put(store, "quiet", "off", base=base) == []


async def test_of_two_who_save_at_once_one_is_told(store: Store) -> None:
    base = (await made(store, "prompt", "Zero.")).id
    results = await asyncio.gather(
        put(store, "prompt", "One.", who="U1", base=base),
        put(store, "prompt", "Two.", who="U2", base=base),
    )
    assert sorted(isinstance(result, EditConflict) for result in results) == [
        False,
        True,
    ]
    assert len(await store.versions(CHANNEL, "prompt")) == 2


async def test_a_running_thread_keeps_what_it_is_told_to_keep(store: Store) -> None:
    await waiting(store, said("1"))
    await store.pin_settings(HERE, {"model": "m", "prompt": "1"})
    assert (await store.stored_settings(THREAD)).kept == {"model": "m", "prompt": "1"}
    assert (await store.stored_settings(CHANNEL)).kept == {}
    await store.pin_settings(HERE, {"model": "n"})
    assert (await store.stored_settings(THREAD)).kept == {"model": "n"}


@pytest.mark.parametrize("place", [CHANNEL, WORKSPACE])
async def test_running_threads_change_only_if_that_is_wanted(
    store: Store, place: Scope
) -> None:
    await store.pin_settings(HERE, {"model": "m", "effort": "low"})
    await put(store, "model", "n", place)
    assert (await store.stored_settings(THREAD)).stale == frozenset()
    await put(store, "model", "o", place, running=True)
    assert (await store.stored_settings(THREAD)).stale == {"model"}
    await store.pin_settings(HERE, {"model": "o", "effort": "low"})
    assert (await store.stored_settings(THREAD)).stale == frozenset()
    await put(store, "model", "p", OTHER, running=True)
    assert (await store.stored_settings(THREAD)).stale == frozenset()


async def test_what_is_set_for_a_thread_is_for_the_running_one(store: Store) -> None:
    await store.pin_settings(HERE, {"model": "m"})
    await put(store, "model", "n", THREAD)
    assert (await store.stored_settings(THREAD)).stale == {"model"}


async def test_a_fresh_start_keeps_nothing(store: Store) -> None:
    await waiting(store, said("1"))
    await store.pin_settings(HERE, {"model": "m"})
    await store.reset_context(HERE)
    assert (await store.stored_settings(THREAD)).kept == {}


async def test_a_thread_that_moves_takes_its_settings_along(store: Store) -> None:
    await waiting(store, said("1"))
    await store.pin_settings(HERE, {"model": "m"})
    await put(store, "effort", "low", THREAD)
    moved = replace(HERE, thread="9.0")
    await store.move_thread(HERE, moved)
    found = await store.stored_settings(Scope.of(moved))
    assert found.kept == {"model": "m"}
    assert [setting.name for setting in found.settings] == ["effort"]
    assert (await store.stored_settings(THREAD)).settings == ()


async def test_the_operators_text_is_a_version_once(store: Store) -> None:
    first = await store.ensure_operator_version("prompt", "Be brief.", 1.0)
    assert await store.ensure_operator_version("prompt", "Be brief.", 2.0) == first
    second = await store.ensure_operator_version("prompt", "Be kind.", 3.0)
    assert second != first
    version = await store.version(first)
    assert version is not None
    assert (version.place, version.number, version.text, version.who) == (
        EVERYWHERE,
        1,
        "Be brief.",
        "operator",
    )
    assert await store.audit(EVERYWHERE, 0.0, 10) == []


async def test_changes_are_found_by_their_numbers(store: Store) -> None:
    both = [Change(CHANNEL, "quiet", "on"), Change(CHANNEL, "footer", "on")]
    made = await store.change_settings(both, who="U1", now=5.0)
    assert isinstance(made, list)
    first, last = made[0].id, made[-1].id
    await put(store, "quiet", "off", OTHER)
    assert await store.entries(first, last) == made
    assert await store.entries(last, last) == made[1:]
    assert await store.entries(last, first) == []


async def test_the_audit_is_read_from_a_place_down_and_newest_first(
    store: Store,
) -> None:
    for nth, place in enumerate((WORKSPACE, CHANNEL, THREAD, OTHER)):
        await put(store, "quiet", "on", place, now=float(nth))
    names = [e.place for e in await store.audit(WORKSPACE, 0.0, 10)]
    assert names == [OTHER, THREAD, CHANNEL, WORKSPACE]
    assert [e.place for e in await store.audit(CHANNEL, 0.0, 10)] == [THREAD, CHANNEL]
    assert [e.place for e in await store.audit(WORKSPACE, 2.0, 10)] == [OTHER, THREAD]
    assert [e.place for e in await store.audit(WORKSPACE, 0.0, 1)] == [OTHER]


async def test_who_was_denied_is_noted(store: Store) -> None:
    await store.record_refusal(AuditEntry(0, 3.0, CHANNEL, "U9", "denied", "set model"))
    refused = Refusal(CHANNEL, "U9", "set model", 1, 3.0)
    assert await store.refusals(CHANNEL, 0.0, 10) == [refused]
    assert await store.refusals(THREAD, 0.0, 10) == [refused]
    assert await store.refusals(WORKSPACE, 0.0, 10) == [refused]
    assert await store.refusals(OTHER, 0.0, 10) == []
    assert await store.audit(CHANNEL, 0.0, 10) == []


async def test_a_draft_is_kept_for_a_week(store: Store) -> None:
    draft = Draft(0, CHANNEL, "prompt", "Be bold.", "U1", 1_000_000.0)
    number = await store.save_draft(draft)
    assert await store.draft(number) == replace(draft, id=number)
    assert await store.draft(number + 1) is None
    later = await store.save_draft(replace(draft, at=1_000_000.0 + 6 * 86400))
    assert await store.draft(number) is not None
    await store.save_draft(replace(draft, at=1_000_000.0 + 8 * 86400))
    assert await store.draft(number) is None
    assert await store.draft(later) is not None


async def test_settings_move_behind_those_that_are_there(store: Store) -> None:
    await waiting(store, said("1"))
    there = replace(HERE, channel="C2")
    place = Scope.of(there)
    await made(store, "prompt", "Ours.", THREAD)
    await made(store, "effort", "low", THREAD)
    await made(store, "prompt", "Theirs.", place)
    await store.move_thread(HERE, there)
    settings = await store.list_settings(EVERYWHERE)
    assert {(each.place, each.name) for each in settings} == {
        (place, "prompt"),
        (place, "effort"),
    }
    versions = await store.versions(place, "prompt")
    assert [(each.number, each.text) for each in versions] == [
        (2, "Ours."),
        (1, "Theirs."),
    ]
    [prompt] = [each for each in settings if each.name == "prompt"]
    assert int(prompt.value) == versions[1].id
