"""The contract of stores: cases of triage."""

from dataclasses import replace

from bot.domain.scope import Scope
from bot.domain.triage_case import TriageCase
from bot.ports.store import Store
from storage import triage_cases
from storage.store import DatabaseStore

THREAD = Scope("slack", "T1", "C5", "17.1")
CHANNEL = Scope("slack", "T1", "C5")
SAID = TriageCase(0, THREAD, "17.1", 100.0, "U1", "It broke")
VALUES = {"category": "bug", "priority": "high", "summary": "Größe"}


async def corrections(store: DatabaseStore, since: float) -> list[TriageCase]:
    """Return what the command of that name reads beside a running process."""
    return await store._read(lambda db: triage_cases.corrections(db, since))


async def test_a_case_is_known_once(store: Store) -> None:
    first = await store.open_case(SAID)
    assert first == replace(SAID, id=first.id)
    assert await store.open_case(replace(SAID, at=200.0)) == first
    settled = await store.record_case_result(first.id, VALUES, "")
    assert settled == replace(first, values=VALUES)
    assert await store.open_case(SAID) == settled
    assert await store.case(first.id) == settled
    assert await store.case(first.id + 1) is None


async def test_one_whose_text_changed_is_to_be_sorted_anew(
    store: DatabaseStore,
) -> None:
    case = await store.open_case(SAID)
    await store.record_case_result(case.id, VALUES, "")
    await store.correct_case(case.id, "category", "billing", "U2", 5.0)
    changed = await store.open_case(replace(SAID, text="It broke again"))
    assert changed == replace(case, text="It broke again")
    assert await corrections(store, 0.0) == []


async def test_an_edit_changes_only_a_case_that_is_known(store: Store) -> None:
    edited = replace(SAID, text="It works")
    assert await store.open_case(edited, known=True) == replace(edited, text="")
    case = await store.open_case(SAID)
    assert case.text == SAID.text
    changed = await store.open_case(edited, known=True)
    assert changed == replace(case, text="It works")


async def test_the_same_id_in_another_channel_is_another_message(store: Store) -> None:
    case = await store.open_case(SAID)
    other = await store.open_case(replace(SAID, place=replace(THREAD, channel="C6")))
    assert other.id != case.id


async def test_corrections_are_kept_with_who_made_them(
    store: DatabaseStore,
) -> None:
    case = await store.open_case(SAID)
    await store.record_case_result(case.id, VALUES, "")
    await store.correct_case(case.id, "category", "billing", "U2", 5.0)
    await store.approve_example(case.id, "U9")
    changed = await store.correct_case(case.id, "priority", "low", "U3", 6.0)
    assert changed is not None
    assert changed.corrected == {"category": "billing", "priority": "low"}
    assert changed.current == {**VALUES, **changed.corrected}
    assert (changed.corrected_by, changed.corrected_at) == ("U3", 6.0)
    # An admin agreed to something else.
    assert changed.agreed_by == ""
    assert await corrections(store, 6.0) == [changed]
    assert await corrections(store, 6.5) == []
    assert await store.correct_case(case.id + 1, "priority", "low", "U3", 6.0) is None


async def test_examples_are_those_of_the_channel(store: Store) -> None:
    for channel in ("C5", "C6"):
        place = replace(THREAD, channel=channel)
        case = await store.open_case(replace(SAID, place=place, text=channel))
        await store.record_case_result(case.id, VALUES, "")
        await store.approve_example(case.id, "U9")
    assert [case.text for case in await store.examples(THREAD)] == ["C5"]
    assert [case.text for case in await store.examples(CHANNEL)] == ["C5"]


async def test_what_is_sorted_by_itself_waits_until_it_is_shown(store: Store) -> None:
    await store.open_case(replace(SAID, message="1"))
    case = await store.open_case(replace(SAID, auto=True))
    waits = [(case.id, CHANNEL)]
    assert await store.waiting_cases(["slack"], 9) == waits
    assert await store.waiting_cases(["discord"], 9) == []
    await store.record_case_result(case.id, VALUES, "")
    assert await store.waiting_cases(["slack"], 9) == waits
    await store.mark_case_shown(case.id)
    assert await store.waiting_cases(["slack"], 9) == []


async def test_what_waits_is_told_fairly_between_channels(store: Store) -> None:
    channels = ["C5", "C5", "C5", "C6", "C5", "C6", "C7"]
    for number, channel in enumerate(channels):
        place = replace(THREAD, channel=channel, thread=str(number))
        case = TriageCase(0, place, str(number), 100.0, "U1", "It broke", auto=True)
        await store.open_case(case)
    found = await store.waiting_cases(["slack"], 6)
    assert [place.channel for _, place in found] == ["C5", "C6", "C7", "C5", "C6", "C5"]
    ids = [id for id, place in found if place.channel == "C5"]
    assert ids == sorted(ids)


async def test_a_deleted_message_takes_its_case_along(store: Store) -> None:
    case = await store.open_case(SAID)
    other = await store.open_case(replace(SAID, place=replace(THREAD, channel="C6")))
    await store.delete_messages("slack", "T1", ["17.1"], "C5", 9.0)
    assert await store.case(case.id) is None
    assert await store.record_case_result(case.id, VALUES, "") is None
    assert await store.case(other.id) == other
    await store.delete_messages("slack", "T1", ["17.1"], None, 9.0)
    assert await store.case(other.id) is None
