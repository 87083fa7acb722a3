"""A message that is deleted on the platform leaves no text in the database.

Every kind of message is stored in every possible way and deleted. The test then
searches every column of every table, and the bytes of the database files.
"""

import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.answer_file import Upload
from bot.domain.attachment import Attachment, FileContent, FileKind
from bot.domain.message import Disposition
from bot.domain.reply import PostedPart
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import Draft
from bot.domain.summary import Summary
from bot.domain.triage_case import TriageCase
from bot.domain.turn import Ended, Outcome, TurnState
from bot.ports.store import Store
from bot.runtime.background import Background
from bot.triage.chat.auto import AutoTriage
from bot.triage.chat.classifier import ClassificationResult, Classifier
from bot.ui.elements import Response
from storage import erasures, tombstones
from storage.connection import Connection
from storage.opening import open_store
from storage.store import DatabaseStore
from tests.adapters.discord.conftest import Guild, guild, unattended
from tests.adapters.slack.conftest import Office
from tests.adapters.slack.conftest import own_office as office
from tests.emulators.discord.interactions import Asked
from tests.security.older import undo_m010
from tests.security.remains import (
    in_files,
    in_rows,
    in_tables,
    until_gone,
    until_there,
)
from tests.support.command_harness import CHANNEL, MEMBER, THREAD
from tests.support.command_harness import Office as Desk
from tests.support.deep import deep_only, rounds, share
from tests.support.memory_store import MemoryStore
from tests.support.store_helpers import (
    HERE,
    THERE,
    answer,
    ask,
    disposition,
    done,
    exchange,
    following,
    keep,
    said,
    waiting,
)
from tests.support.triage_requests import sorted_as
from tests.unit.triage.chat.test_commands import heard, put

__all__ = ["guild", "office", "unattended"]

WORD = "kumquat"
HERE_PLACE = Scope.of(HERE)
SECRET = said(
    "7", at=7.0, text=f"my {WORD} is ripe", files=(Attachment(f"{WORD}.png"),)
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "threadkeep.db"


@pytest.fixture
async def store(database: Path) -> AsyncIterator[DatabaseStore]:
    async with open_store(database) as opened:
        yield opened


async def erase(store: Store, *messages: str, channel: str | None = "C1") -> None:
    await store.delete_messages("slack", "T1", messages, channel, 50.0)


def case(message: str, *made_of: str, place: Scope = HERE_PLACE) -> TriageCase:
    text = f"{WORD} trouble"
    return TriageCase(0, place, message, 5.0, "U1", text, messages=made_of)


async def opened_case(store: Store, case: TriageCase) -> TriageCase:
    """Return `case` as it is after people have corrected it and an admin has agreed."""
    known = await store.open_case(case)
    await store.record_case_result(known.id, {"summary": f"A {WORD}."}, "")
    await store.correct_case(known.id, "category", f"{WORD} bug", "U2", 9.0)
    agreed = await store.approve_example(known.id, "U3")
    assert agreed is not None
    return agreed


# What is stored of a message, shape by shape, in the store.


async def a_root(store: Store) -> None:
    await store.receive(replace(SECRET, opens=True, message="1.0"), answer)
    await store.receive(replace(SECRET, message="7", text="hello", files=()), answer)


async def a_reply(store: Store) -> None:
    await exchange(store, said("1", at=1.0, opens=True), "One.")
    await exchange(store, SECRET, "Two.")


async def one_read_along(store: Store) -> None:
    await store.receive(said("1", at=1.0), answer)
    await store.receive(SECRET, keep)


async def a_file_alone(store: Store) -> None:
    await exchange(store, replace(SECRET, text=""), "What is it?")


async def a_file_that_was_read(store: Store) -> None:
    turn = await ask(store, SECRET)
    # Of many pages of the database.
    data = f"{WORD} and more, ".encode() * 20_000
    content = FileContent(FileKind.TEXT, "text/plain", data, 9)
    file = SECRET.files[0]
    await store.store_file(HERE, "7", file, "digest", len(data), content)
    await store.finish_turn(turn, done("Right."), 20.0)
    await store.mark_delivered(turn, 21.0)


async def an_edited_one(store: Store) -> None:
    await exchange(store, replace(SECRET, text="nothing yet", files=()), "Right.")
    await store.edit_message(SECRET, f"<message>{SECRET.text}</message>", 30.0)


async def one_edited_away(store: Store) -> None:
    await exchange(store, SECRET, "Right.")
    await opened_case(store, case("7"))
    await store.edit_message(replace(SECRET, text="nothing", files=()), "nothing", 30.0)


async def one_in_a_case(store: Store) -> None:
    await opened_case(store, case("7"))


async def one_in_the_case_of_its_thread(store: Store) -> None:
    await opened_case(store, case("thread:1.0", "1.0", "7", "8"))


async def one_in_the_case_of_an_unknown_thread(store: Store) -> None:
    await opened_case(store, case("thread:9.9", "7", place=Scope.of(THERE)))


async def one_in_a_case_that_was_made_anew(store: Store) -> None:
    await store.open_case(replace(case("thread:1.0", "1.0"), text="nothing yet"))
    again = replace(case("thread:1.0", "1.0", "7"), text=f"{WORD} once more")
    await opened_case(store, again)


async def one_quoted_elsewhere(store: Store) -> None:
    await exchange(store, said("9", at=9.0, thread=THERE, quotes=(SECRET,)), "Nine.")
    await exchange(store, SECRET, "Seven.")


async def one_forwarded(store: Store) -> None:
    text = f"> {SECRET.text}"
    await exchange(store, said("9", thread=THERE, text=text, holds=("7",)), "Nine.")
    await opened_case(store, case("9", "7", place=Scope.of(THERE)))


async def one_waiting(store: Store) -> None:
    await waiting(store, SECRET)


async def one_being_answered(store: Store) -> None:
    turn = await ask(store, SECRET)
    await store.store_part(turn, PostedPart(0, "m", "Because"), "Because", 11.0)


async def one_begun_and_not_given(store: Store) -> None:
    await store.begin_turn(await waiting(store, SECRET), 8.0)


async def one_answered_anew(store: Store) -> None:
    turn = await exchange(store, SECRET, "One.")
    assert await store.retry_turn(HERE, turn.key, 30.0)


async def one_judged(store: Store) -> None:
    turn = await exchange(store, SECRET, "One.")
    await store.record_feedback(HERE, turn.key, good=True)


async def one_before_a_fresh_start(store: Store) -> None:
    await exchange(store, SECRET, "One.")
    await store.reset_context(HERE)


async def one_backfilled(store: Store) -> None:
    turn = await waiting(store, said("8", at=8.0))
    await store.backfill(turn, [SECRET])


async def one_in_a_thread_that_moved(store: Store) -> None:
    await exchange(store, SECRET, "One.")
    await store.move_thread(HERE, replace(HERE, thread="9.0"))


async def one_in_a_summary(store: Store) -> None:
    await exchange(store, SECRET, "One.")
    await exchange(store, said("8", at=8.0), "Two.")
    [covered, _] = await store.read_turns(HERE)
    summary = Summary(f"A {WORD}.", f"<summary>A {WORD}.</summary>", 2, "m", 9.0)
    assert await store.store_summary(HERE, [covered], summary)
    await exchange(store, said("9", at=9.0), "Three.")


SHAPES = [
    *(a_root, a_reply, one_read_along, a_file_alone, an_edited_one, one_edited_away),
    a_file_that_was_read,
    *(one_in_a_case, one_in_the_case_of_its_thread, one_quoted_elsewhere),
    *(one_in_the_case_of_an_unknown_thread, one_in_a_case_that_was_made_anew),
    *(one_forwarded, one_waiting, one_being_answered, one_begun_and_not_given),
    *(one_answered_anew, one_judged, one_before_a_fresh_start, one_backfilled),
    *(one_in_a_thread_that_moved, one_in_a_summary),
]

Shape = Callable[[DatabaseStore], Awaitable[None]]


#: Shapes whose database is a file: what a deleted row leaves in its pages does not
#: depend on the table, but on its size.
IN_FILES = rounds(
    [a_root, a_file_that_was_read, one_in_a_case, one_in_a_summary], SHAPES
)


@pytest.mark.parametrize("shape", IN_FILES, ids=lambda shape: shape.__name__)
async def test_a_deleted_message_leaves_no_word_behind(
    store: DatabaseStore, database: Path, shape: Shape
) -> None:
    await shape(store)
    assert in_tables(database, WORD) or shape is one_edited_away
    await erase(store, "1.0" if shape is a_root else "7")
    assert in_tables(database, WORD) == []
    assert in_files(database, WORD) == []


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
async def test_one_deleted_leaves_no_word_in_any_row(shape: Shape) -> None:
    """Also by its id alone, as on Discord, where that says nothing of the channel."""
    for channel in share(("C1", None), len(shape.__name__), 2):
        store = MemoryStore()
        await shape(store)
        assert in_rows(store.db.conn, WORD) or shape is one_edited_away
        await erase(store, "1.0" if shape is a_root else "7", channel=channel)
        assert in_rows(store.db.conn, WORD) == []


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
async def test_one_deleted_before_it_is_heard_is_not_stored(shape: Shape) -> None:
    """Events come in any order, and an event may be on its way when people delete."""
    store = MemoryStore()
    await erase(store, "1.0" if shape is a_root else "7")
    # There is no turn to be begun then, or no case to be corrected.
    with contextlib.suppress(AssertionError):
        await shape(store)
    assert in_rows(store.db.conn, WORD) == []


#: Each shape, in a thread or a channel that is deleted; under `make deep`, in both.
PLACES = [
    pytest.param(shape, whole_channel, id=f"{whole_channel}-{shape.__name__}")
    for number, shape in enumerate(SHAPES)
    for whole_channel in share((False, True), number, 2)
]


@pytest.mark.parametrize(("shape", "whole_channel"), PLACES)
async def test_a_deleted_thread_or_channel_leaves_no_word_behind(
    shape: Shape, *, whole_channel: bool
) -> None:
    store = MemoryStore()
    await shape(store)
    draft = Draft(0, HERE_PLACE, "prompt", f"Say {WORD}.", "U1", 9.0)
    await store.save_draft(draft)
    if whole_channel:
        await store.delete_scope(HERE_PLACE.at(ScopeLevel.CHANNEL), 50.0)
    else:
        for thread in (HERE, THERE, replace(HERE, thread="9.0")):
            await store.delete_scope(Scope.of(thread), 50.0)
    assert in_rows(store.db.conn, WORD) == []
    # What was on its way then is not stored, either.
    late = said("99", at=99.0, text=f"late {WORD}")
    assert await disposition(store, late, answer) is Disposition.IGNORE


async def test_only_what_was_deleted_is_forgotten() -> None:
    store = MemoryStore()
    await exchange(store, said("1", at=1.0, text="apples"), "One.")
    await exchange(store, SECRET, "Two.")
    await opened_case(store, case("thread:1.0", "1", "7"))
    kept = await opened_case(store, replace(case("1"), text="apples"))
    await erase(store, "7")
    assert await store.transcript(HERE) == [
        ("U1", "apples"),
        ("", "One."),
        ("", "Two."),
    ]
    assert [each.id for each in await store.examples(HERE_PLACE)] == [kept.id]
    elsewhere = replace(HERE, channel="C2")
    await store.receive(said("7", thread=elsewhere), answer)
    assert await store.transcript(elsewhere) == [("U1", "text of 7")]


async def test_a_deletion_in_one_thread_leaves_the_next_alone() -> None:
    store = MemoryStore()
    await exchange(store, said("1", at=1.0, thread=THERE), "There.")
    await exchange(store, said("2", at=2.0), "Here.")
    await store.delete_scope(HERE_PLACE, 50.0)
    assert await store.transcript(HERE) == []
    assert await store.conversation(HERE) == []
    assert await store.transcript(THERE) == [("U1", "text of 1"), ("", "There.")]
    turn = await ask(store, said("3", at=3.0, thread=THERE))
    await store.finish_turn(turn, done("More."), 60.0)
    await store.mark_delivered(turn, 61.0)
    assert ("", "More.") in await store.transcript(THERE)


# Answers.


async def test_an_answer_that_people_delete_is_forgotten(
    store: DatabaseStore, database: Path
) -> None:
    turn = await ask(store, said("1", at=1.0))
    await store.store_part(turn, PostedPart(0, "m0", f"A {WORD}"), f"A {WORD}", 11.0)
    await store.store_part(
        turn, PostedPart(1, "m1", "and more"), f"A {WORD} and more", 12.0
    )
    file = Upload(0, 0, f"{WORD}.py", "0" * 64, "F1", is_shown=True)
    await store.store_uploads(turn, [file])
    await store.finish_turn(turn, done(f"A {WORD} and more"), 20.0)
    await store.mark_delivered(turn, 21.0)
    await erase(store, "m1")
    assert in_tables(database, WORD) == []
    assert in_files(database, WORD) == []
    await exchange(store, said("2", at=2.0), "Two.")
    assert [each.role for each in await store.conversation(HERE)] == [
        *("user", "user", "assistant")
    ]


@pytest.mark.parametrize("ended", [Ended.DONE, *deep_only(Ended.STOPPED, Ended.FAILED)])
async def test_an_answer_deleted_while_it_is_written_is_forgotten_at_its_end(
    ended: Ended,
) -> None:
    store = MemoryStore()
    turn = await ask(store, said("1", at=1.0))
    await store.store_part(turn, PostedPart(0, "m0", f"A {WORD}"), f"A {WORD}", 11.0)
    await erase(store, "m0")
    assert (await following(store)).state is TurnState.ANSWERING
    await store.finish_turn(turn, Outcome(ended, f"A {WORD}", replay=f"A {WORD}"), 20.0)
    await store.mark_delivered(turn, 21.0)
    assert in_rows(store.db.conn, WORD) == []


async def test_an_answer_that_was_written_again_is_forgotten_with_the_new_one() -> None:
    store = MemoryStore()
    await exchange(store, said("0", at=0.5), "Zero.")
    turn = await ask(store, said("1", at=1.0))
    for text in (f"A {WORD}", f"Two {WORD}s", "None."):
        await store.store_part(turn, PostedPart(0, "m0", text), text, 11.0)
        await store.finish_turn(turn, done(text), 20.0)
        await store.mark_delivered(turn, 21.0)
        assert await store.retry_turn(HERE, turn.key, 30.0)
        turn = await following(store)
        await store.begin_turn(turn, 31.0)
    await store.finish_turn(turn, done("Right."), 40.0)
    await store.mark_delivered(turn, 41.0)
    await erase(store, "m0")
    assert in_rows(store.db.conn, WORD) == []
    assert ("", "Zero.") in await store.transcript(HERE)


async def test_an_answer_deleted_before_it_is_given_up_is_forgotten() -> None:
    store = MemoryStore()
    turn = await ask(store, said("1", at=1.0))
    await store.store_part(turn, PostedPart(0, "m0", f"A {WORD}"), f"A {WORD}", 11.0)
    await erase(store, "m0")
    await store.abandon_turn(turn, "five failures", 20.0)
    assert in_rows(store.db.conn, WORD) == []


async def test_an_answer_in_a_thread_deleted_meanwhile_is_forgotten_at_its_end() -> (
    None
):
    store = MemoryStore()
    turn = await ask(store, said("1", at=1.0))
    await store.delete_scope(HERE_PLACE, 15.0)
    await store.finish_turn(turn, done(f"A {WORD}"), 20.0)
    await store.mark_delivered(turn, 21.0)
    assert in_rows(store.db.conn, WORD) == []


async def test_an_answer_stays_when_its_question_is_deleted() -> None:
    store = MemoryStore()
    await exchange(store, SECRET, "Ripe in May.")
    await erase(store, "7")
    assert await store.transcript(HERE) == [("", "Ripe in May.")]


NAMED = f"_I haven't read `{WORD}.png` (empty)._"


@pytest.mark.parametrize("when", ["written", "ended", "delivered", "repeated"])
async def test_a_deleted_file_is_not_named_with_the_answer_any_more(when: str) -> None:
    store = MemoryStore()
    turn = await ask(store, replace(SECRET, message="7"))
    shown = f"{NAMED}\n\nA fruit."
    if when == "written":
        await erase(store, "7")
    await store.store_part(turn, PostedPart(0, "m0", shown), "A fruit.", 11.0, NAMED)
    outcome = replace(done("A fruit."), head=NAMED, note=f"_Send `{WORD}` again._")
    await store.finish_turn(turn, outcome, 20.0)
    await store.store_part(
        turn, PostedPart(0, "m0", f"{shown}\n\n{outcome.note}"), "A fruit.", 20.0
    )
    if when == "ended":
        await erase(store, "7")
        left = await following(store)
        assert (left.head, left.text, left.note) == ("", "A fruit.", "")
        assert [each.text for each in left.shown] == ["A fruit."]
    await store.mark_delivered(turn, 21.0)
    if when == "repeated":
        assert await store.retry_turn(HERE, turn.key, 22.0)
    if when in ("delivered", "repeated"):
        await erase(store, "7")
    assert in_rows(store.db.conn, WORD) == []


# Many at once, in any order.


async def test_no_word_is_left_in_any_page_of_a_large_database(
    store: DatabaseStore, database: Path
) -> None:
    """Long and short texts, so that pages overflow, split and are given back."""
    chance = random.Random(11)
    count = rounds(18, 600)
    for number in range(count):
        text = f"{WORD} {number} " * chance.choice([1, 20, 900])
        thread = replace(HERE, thread=f"{number % 7}.0")
        heard = said(f"k{number}", at=float(number), thread=thread, text=text)
        await exchange(store, heard, "Right.")
        await opened_case(store, replace(case(f"k{number}"), text=text))
        if number % 3 == 0:
            await store.edit_message(replace(heard, text=f"{text} edited"), text, 30.0)
    gone = [f"k{number}" for number in range(count)]
    chance.shuffle(gone)
    for some in range(0, count, 9):
        await erase(store, *gone[some : some + 9])
    assert in_tables(database, WORD) == []
    assert in_files(database, WORD) == []


async def test_what_is_deleted_is_found_by_an_index() -> None:
    store = MemoryStore()
    await exchange(store, SECRET, "One.")
    plans = (
        *(tombstones.IS_DELETED, erasures.STORED, erasures.HELD),
        *(erasures.OPENING, erasures.ANSWERS),
    )
    nothing = dict.fromkeys(
        ("platform", "workspace", "channel", "thread", "message"), ""
    )
    for sql in plans:
        plan = await planned(store, sql, nothing)
        assert not any(each.startswith("SCAN") for each in plan), (sql, plan)


async def planned(store: DatabaseStore, sql: str, values: dict[str, str]) -> list[str]:
    """Return SQLite's query plan for `sql`."""

    def read(db: Connection) -> list[str]:
        rows = db.execute(f"EXPLAIN QUERY PLAN {sql}", values)
        return [row["detail"] for row in rows]

    return await store._read(read)


async def test_older_cases_of_threads_are_known_by_what_was_stored(
    database: Path,
) -> None:
    """As they were before it was noted what a case was made of."""
    async with open_store(database) as store:
        await store.receive(said("1", at=1.0), answer)
        await store.receive(SECRET, keep)
        for message in ("thread:1.0", "7"):
            await opened_case(store, case(message))
        gone = case("thread:2.0", place=Scope.of(THERE))
        await store.receive(said("8", at=8.0, thread=THERE), answer)
        await opened_case(store, gone)
        await erase(store, "8")
    undo_m010(database)
    async with open_store(database) as store:
        assert len(await store.examples(HERE_PLACE)) == 2
        await erase(store, "7")
    assert in_tables(database, WORD) == []


# In the chat: the case of a thread, made by people.


async def test_a_message_deleted_while_its_thread_is_sorted_is_not_kept() -> None:
    desk = Desk()
    message = said("m1", thread=THREAD.key, text=f"{WORD} broke")
    desk.adapter.past = [message]
    await desk.store.delete_messages("fake", "w", ["m1"], "c", 1.0)
    told = await desk.give("triage", MEMBER, THREAD)
    assert isinstance(told, Response)
    assert "deleted" in told.text
    assert desk.model.requests == []


async def test_the_case_of_a_thread_goes_with_any_message_of_it() -> None:
    desk = Desk()
    desk.adapter.past = [
        said("m1", thread=THREAD.key, text="It broke"),
        said("m2", thread=THREAD.key, text=f"with my {WORD}"),
    ]
    desk.model.script(sorted_as())
    await desk.give("triage", MEMBER, THREAD)
    [found] = await opened(desk)
    assert WORD in found.text
    await desk.store.correct_case(found.id, "category", "billing", "max", 1.0)
    await desk.store.approve_example(found.id, "olga")
    assert await desk.store.examples(CHANNEL)
    await desk.store.delete_messages("fake", "w", ["m2"], None, 1.0)
    assert await opened(desk) == []
    assert await desk.store.examples(CHANNEL) == []
    assert await desk.store.case(found.id) is None


@pytest.mark.parametrize("asked", [False, True])
async def test_what_is_deleted_before_it_is_shown_is_not_shown(*, asked: bool) -> None:
    """Waiting for its turn, it is not sent to Claude either."""
    desk = Desk()
    await put(desk, "auto_triage", "on")
    await put(desk, "triage_sign", "both")

    class Deleting(Classifier):
        async def classify(self, *arguments: Any, **named: Any) -> ClassificationResult:
            if asked:
                await erase_it()
            return await super().classify(*arguments, **named)

    async def erase_it() -> None:
        await desk.store.delete_messages("fake", "w", ["m1"], None, 1.0)

    desk.model.script(sorted_as())
    sorter = Deleting(desk.store, desk.model, desk.operator, desk.clock)
    adapters = {"fake": desk.adapter}
    async with Background() as tasks:
        auto = AutoTriage(
            *(desk.store, sorter, desk.authority, adapters, tasks), desk.clock
        )
        await auto.receive(heard(f"{WORD} broke"))
        if not asked:
            await erase_it()
    assert (desk.adapter.marks, desk.adapter.posts) == ({}, [])
    assert len(desk.model.requests) == asked
    assert await desk.store.waiting_cases(["fake"], 9) == []


async def opened(desk: Desk) -> list[TriageCase]:
    """Return every known case, by its number."""
    found = [await desk.store.case(number) for number in range(1, 9)]
    return [each for each in found if each is not None]


# Through the SDKs, against the emulators.


async def test_what_people_delete_on_slack_is_forgotten(
    office: Office, database: Path
) -> None:
    """An answer, a public channel, which may be archived before, and a private one;
    `adapters/slack/test_corrections` deletes what people said."""
    slack = office.slack
    office.model.script(f"A {WORD}.")
    root = office.ask("what is it?")
    await office.answered(root, f"A {WORD}.")
    await office.quiet()
    [answer] = [each for each in slack.thread(office.general, root) if each.bot]
    slack.delete(office.general, answer.ts)
    await until_gone(database, WORD)
    open_to_all = slack.add_channel("open")
    members = [office.alice, slack.bot_user]
    private = slack.add_channel("private", kind="group", members=members)
    office.model.always("Indeed.")
    for channel, word in ((open_to_all, "durian"), (private, WORD)):
        ts = slack.say(office.alice, channel, f"{slack.mention} my {word}")
        await office.answered(ts, "Indeed.", channel=channel)
    await office.quiet()
    # What is archived can still be read.
    slack.archive(open_to_all)
    slack.delete_channel(private)
    await until_gone(database, WORD)
    assert in_tables(database, "durian")
    slack.delete_channel(open_to_all)
    await until_gone(database, "durian")


async def test_what_people_delete_on_discord_is_forgotten(
    guild: Guild, database: Path
) -> None:
    """What was forwarded, with the original; a question by command, with what shows it;
    threads and channels. `adapters/discord/test_thread` deletes what people said."""
    discord = guild.discord
    guild.claude.always("Right.")
    thread = await guild.thread_of(guild.mention("hello"))
    await guild.settled(thread)
    source = discord.say(guild.bob, guild.general, f"a {WORD} to pass on")
    discord.forward(guild.alice, source, thread)
    await guild.settled(thread, 2)
    await until_there(database, f"a {WORD} to pass on")
    discord.delete(source)
    await until_gone(database, WORD)

    asked = discord.command(guild.alice, guild.general, "ask", question=f"my {WORD}?")
    card = await shown(guild, asked)
    # At the top of a channel the thread stands on it; elsewhere nothing does.
    thread = await guild.thread_of(card)
    await guild.settled(thread)
    again = discord.command(guild.bob, thread, "ask", question=f"{WORD}, too?")
    await guild.settled(thread, 2)
    await guild.quiet()
    discord.delete(card, await shown(guild, again))
    await until_gone(database, WORD)

    for whole_channel in (False, True):
        thread = await guild.thread_of(guild.mention(f"my {WORD}"))
        await guild.settled(thread)
        await guild.quiet()
        discord.delete_channel(guild.general if whole_channel else thread)
        await until_gone(database, WORD)


async def shown(guild: Guild, asked: Asked) -> str:
    """Return the id of the message that responds to a command."""
    await guild.discord.until(lambda: asked.response and asked.response.message)
    assert asked.response is not None
    assert asked.response.message is not None
    return asked.response.message.id
