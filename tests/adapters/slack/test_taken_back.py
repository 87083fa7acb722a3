"""If a question is deleted while it is being answered, the answer is removed."""

import asyncio

import pytest

from adapters.slack import interactions
from bot.errors import ModelCut, ModelRejected
from tests.adapters.slack.conftest import Office
from tests.adapters.slack.conftest import shared_office as office
from tests.adapters.slack.test_native_streams import Room, clock, room
from tests.emulators.slack.faults import cut
from tests.security.remains import in_rows
from tests.support.memory_store import MemoryStore
from tests.support.scripted_model import Line
from tests.support.triage_requests import sorted_as

__all__ = ["clock", "office", "room"]


def told(office: Office, channel: str = "") -> list[str]:
    """Return all that the bot says in a channel, in threads and at the top."""
    seen = office.slack.world.messages[channel or office.general].values()
    return [each.text for each in seen if each.user == office.slack.bot_user]


def lose(office: Office, channel: str, ts: str) -> None:
    """Delete a message without an event, as when that is lost or late."""
    del office.slack.world.messages[channel][ts]


async def until_gone(office: Office, text: str) -> None:
    """Wait until `text` is deleted from the store."""
    store = office.store
    assert isinstance(store, MemoryStore)
    await office.slack.until(lambda: not in_rows(store.db.conn, text))


async def test_claude_is_stopped_before_the_first_word(office: Office) -> None:
    office.model.script(asyncio.Event(), "Secret answer.")
    ts = office.ask("what I take back")
    await office.thinks(ts)
    await office.slack.until(lambda: bool(office.model.requests))
    office.slack.delete(office.general, ts)
    await office.slack.until(lambda: office.model.hung_up)
    await office.quiet()
    assert office.slack.calls_of("chat.postMessage") == []


async def test_a_placeholder_is_taken_back(own_office: Office) -> None:
    own_office.slack.refuse_status("missing_scope")
    own_office.model.script(asyncio.Event(), "Secret answer.")
    ts = own_office.ask("what I take back")
    await own_office.answered(ts, "_Thinking…_")
    await own_office.slack.until(lambda: bool(own_office.model.requests))
    own_office.slack.delete(own_office.general, ts)
    await own_office.slack.until(lambda: own_office.model.hung_up)
    await own_office.quiet()
    assert told(own_office) == []


async def test_the_same_in_the_middle_of_a_thread(office: Office) -> None:
    office.model.script("One.")
    office.model.script(asyncio.Event(), "Secret answer.")
    ts = office.ask("first")
    await office.answered(ts, "One.")
    more = office.ask("what I take back", thread_ts=ts)
    await office.slack.until(lambda: len(office.model.requests) == 2)
    office.slack.delete(office.general, more)
    await office.slack.until(lambda: office.model.hung_up)
    await office.quiet()
    assert told(office) == ["One."]


async def test_another_question_of_the_same_turn_is_answered(office: Office) -> None:
    first, gate = asyncio.Event(), asyncio.Event()
    office.model.script("One", first, ".")
    office.model.script(gate, "Two and three.")
    ts = office.ask("one")
    await office.answered(ts, "One …")
    two = office.ask("two", thread_ts=ts)
    office.ask("three", thread_ts=ts)
    await office.slack.until(lambda: office.slack.settled)
    first.set()
    await office.slack.until(lambda: len(office.model.requests) == 2)
    office.slack.delete(office.general, two)
    await office.slack.until(lambda: office.slack.settled)
    gate.set()
    await office.answered(ts, "One.", "Two and three.")


@pytest.mark.parametrize("lost", [False, True])
async def test_an_answer_that_went_astray_is_taken_back(
    office: Office, lost: bool
) -> None:
    gate = asyncio.Event()
    office.model.script(gate, "Secret answer.", asyncio.Event())
    office.model.script("Yes.")
    if lost:
        office.slack.faults.add("chat.postMessage", cut(after=True))
    ts = office.ask("what I take back")
    await office.thinks(ts)
    lose(office, office.general, ts)
    gate.set()
    await office.slack.until(lambda: office.model.hung_up)
    await office.quiet()
    assert told(office) == []
    await office.answered(office.ask("still there?"), "Yes.")


async def test_a_stream_that_went_astray_is_taken_back(room: Room) -> None:
    ts, [more, _] = room.begin("", "Secret", " answer.")
    await room.slack.until(lambda: room.slack.status(room.direct, ts))
    lose(room, room.direct, ts)
    more.set()
    await room.quiet()
    assert room.slack.calls_of("chat.startStream")
    assert told(room, room.direct) == []


async def test_the_result_for_a_deleted_message_is_taken_back(office: Office) -> None:
    gate = asyncio.Event()
    office.model.script(gate, sorted_as(summary="Secret."))
    ts = office.slack.say(office.alice, office.general, "Export is broken!")
    office.slack.shortcut(office.bob, office.general, ts, interactions.TRIAGE)
    await office.slack.until(lambda: bool(office.model.requests))
    lose(office, office.general, ts)
    gate.set()
    await office.slack.until(lambda: office.slack.calls_of("chat.delete"))
    await office.slack.until(lambda: office.slack.settled)
    assert told(office) == []


async def test_a_file_that_is_taken_back_is_read_no_more(office: Office) -> None:
    ts = office.slack.say(
        *(office.alice, office.general, f"{office.slack.mention} read this"),
        files={"keys.txt": b"the password is hunter2", "b.txt": b"plain"},
    )
    await office.settled(ts)
    assert b"hunter2" in b"".join(files_read(office))
    office.slack.delete_file(office.general, ts, "keys.txt")
    await office.slack.until(lambda: office.slack.settled)
    office.ask("and now?", thread_ts=ts)
    await office.settled(ts, 2)
    assert b"hunter2" not in b"".join(files_read(office))
    assert b"plain" in b"".join(files_read(office))


def files_read(office: Office) -> list[bytes]:
    """Return the files of the newest request to Claude."""
    messages = office.model.requests[-1].messages
    return [file.data for message in messages for file in message.files]


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("writes", [True, False])
@pytest.mark.parametrize("part", [0, 1])
async def test_a_deleted_part_stays_deleted_if_a_retry_fails(
    office: Office, part: int, *, heard: bool, writes: bool
) -> None:
    gate, last = asyncio.Event(), asyncio.Event()
    answer = "\n".join(f"line {n}: {'x' * 60}" for n in range(250))
    broken: list[Line] = ["Some words.", last, ModelCut("gone")]
    office.model.script(answer)
    office.model.script(gate, *(broken if writes else [ModelRejected("400")]))
    ts = office.ask("?")
    await office.settled(ts, 2)
    shown = [each for each in office.slack.thread(office.general, ts) if each.bot]
    office.ask("retry", thread_ts=ts)
    await office.slack.until(lambda: len(office.model.requests) == 2)
    deleted = shown[part]
    if heard:
        office.slack.delete(office.general, deleted.ts)
        await office.slack.until(lambda: office.slack.settled)
    else:
        replies = office.slack.world.replies(office.general, ts)
        replies[:] = [each for each in replies if each.ts != deleted.ts]
        lose(office, office.general, deleted.ts)
    gate.set()
    if writes:
        await office.slack.until(lambda: any("Some" in each for each in told(office)))
    last.set()
    await office.quiet()
    beginning = deleted.text[:20]
    assert not any(beginning in each for each in told(office))


@pytest.mark.parametrize("heard", [True, False])
async def test_a_deleted_answer_is_posted_again_if_asked_for(
    own_office: Office, *, heard: bool
) -> None:
    own_office.model.script("First.")
    own_office.model.script("Second.")
    own_office.model.script("Third.")
    ts = own_office.ask("?")
    await own_office.settled(ts)
    [answer] = [
        each for each in own_office.slack.thread(own_office.general, ts) if each.bot
    ]
    if heard:
        own_office.slack.delete(own_office.general, answer.ts)
        await until_gone(own_office, "First.")
    else:
        lose(own_office, own_office.general, answer.ts)
        own_office.slack.world.replies(own_office.general, ts).clear()
    for text in ("Second.", "Third."):
        own_office.ask("retry", thread_ts=ts)
        await own_office.answered(ts, text)
        await own_office.quiet()
