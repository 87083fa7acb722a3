"""The cache of a conversation equals the stored one after any change."""

import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from sqlite_utils import Database

from bot.domain.attachment import Attachment, FileContent, FileKind
from bot.domain.completion import ChatMessage
from bot.domain.retention import Retention
from bot.domain.scope import Scope, ThreadKey
from bot.domain.summary import Summary
from bot.domain.turn import Ended
from bot.errors import StorageError, StorageRejected
from storage import passages
from storage.conversation import conversation, turns_read
from storage.database import open_for_writing
from storage.opening import forget_person, open_store
from storage.search_index import settle
from storage.store import DatabaseStore
from storage.writer import Writer
from tests.support.deep import rounds
from tests.support.store_helpers import (
    HERE,
    THERE,
    ask,
    done,
    exchange,
    following,
    repeated,
    said,
    waiting,
)

T = TypeVar("T")

TEAM = Scope("slack", "T1")
PICTURE = Attachment("a.png", "https://files/a", "F1", 3)
CONTENT = FileContent(FileKind.IMAGE, "image/png", b"png", 7)


@asynccontextmanager
async def keeping(path: Path) -> AsyncIterator[tuple[DatabaseStore, Writer]]:
    """A store that keeps passages and forgets what it wrote if the power fails."""
    db = passages.KeepingDatabase(open_for_writing(path))
    writer = Writer(db, settle)

    async def write(work: Callable[[Database], T], *, waits: bool = True) -> T:
        return await writer.write(work, waits=False)

    yield DatabaseStore(writer.write, write, clock=time.time), writer
    writer.close()


def both(db: Database, thread: ThreadKey = HERE) -> list[ChatMessage]:
    """Read with passages, and check that it is the same as without."""
    read = conversation(db, thread)
    anew = [entry for turn in turns_read(db, thread) for entry in turn.entries]
    assert read == anew
    return read


async def end(store: DatabaseStore, reply: str, ended: Ended = Ended.DONE) -> None:
    """Answer the next turn."""
    turn = await following(store)
    spoken = await store.begin_turn(turn, 10.0)
    contents = {each.message.message: f"read {each.message.text}" for each in spoken}
    await store.store_prompt(turn, "It is late.", contents)
    await store.finish_turn(turn, done(reply, ended), 20.0)
    await store.mark_delivered(turn, 21.0)


@pytest.mark.parametrize("seed", range(rounds(4, 300)))
async def test_what_is_kept_is_what_is_stored(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    names: list[str] = []
    deeds = (
        *("ask", "ask", "ask", "ask", "file", "refuse"),
        *("edit", "erase", "unsay", "new", "again", "sum", "move", "refused"),
    )
    async with keeping(tmp_path / "t.db") as (store, writer):
        for number in range(40):
            name, deed = f"{number}", chance.choice(deeds)
            known = chance.choice(names) if names else name
            if deed in ("ask", "refused", "file"):
                names.append(name)
                picture = replace(PICTURE, id=f"F{number}")
                files = (picture,) if deed == "file" else ()
                await waiting(store, said(name, at=float(number), files=files))
                if deed == "file":
                    digest = f"#{number % 3}"
                    await store.store_file(HERE, name, picture, digest, 3, CONTENT)
                ended = Ended.REFUSED if deed == "refused" else Ended.DONE
                await end(store, f"No. {number}.", ended)
            elif deed == "refuse":
                await store.refuse_files([f"#{number % 3}"])
            elif deed == "edit":
                edited = said(known, text=f"edited {number}")
                await store.edit_message(edited, f"read edited {number}", 30.0)
            elif deed == "erase":
                await store.delete_messages("slack", "T1", [known], "C1", 30.0)
            elif deed == "unsay":
                await store.delete_messages("slack", "T1", [f"a{known}"], "C1", 30.0)
            elif deed == "new" and chance.random() < 0.5:
                await store.reset_context(HERE)
            elif deed == "again" and await repeated(store, 40.0):
                await end(store, f"Again {number}.")
            elif deed == "sum":
                read = await store.read_turns(HERE)
                told = Summary(f"{number}", f"<summary>{number}</summary>", 2, "m", 3.0)
                covered = read[: len(read) // 2]
                # Nothing summarises a summary alone (`bot.context.summaries.cut`).
                if covered and not covered[-1].is_summary:
                    await store.store_summary(HERE, covered, told)
            elif deed == "move":
                await store.move_thread(HERE, THERE)
                await writer.write(lambda db: both(db, THERE))
                await store.move_thread(THERE, HERE)
            await writer.write(both)
        # Everything may have been deleted, or left behind by a new beginning.
        await waiting(store, said("last", at=50.0))
        await end(store, "No. 50.")
        assert len(await writer.write(both)) > 0
        await store.clean_up(Retention(threads=1.0), 1e12)
        assert await writer.write(both) == []


async def test_what_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    async with keeping(tmp_path / "t.db") as (store, writer):
        for number in range(4):
            await exchange(store, said(f"{number}", at=float(number)), "Yes.")
        first = await writer.write(conversation_here)
        # Its question is written meanwhile.
        await ask(store, said("5", at=5.0))
        second = await writer.write(conversation_here)
        assert [a is b for a, b in zip(first, second, strict=False)][:6] == [True] * 6
        await store.delete_messages("slack", "T1", ["1"], "C1", 30.0)
        third = await writer.write(conversation_here)
        assert third != second
        assert third[0] is not second[0]


def conversation_here(db: Database) -> list[ChatMessage]:
    return conversation(db, HERE)


async def test_what_another_connection_deletes_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    async with open_store(path) as store:
        for number, author in enumerate(("U1", "U2", "U1", "U2")):
            heard = said(f"{number}", at=float(number), author=author, text=author)
            await exchange(store, heard, f"Dear {author}.")
        await ask(store, said("7", at=7.0, author="U2", text="U2"))
        assert await forget_person(path, TEAM, "U1") == 2
        turn = await following(store)
        read = (await store.store_prompt(turn, "", {})).conversation
        assert not [each for each in read if each.content == "U1"]
        assert [each.content for each in read if each.role == "user"][-1] == "U2"
        assert read == await store.conversation(HERE)


@pytest.mark.parametrize("ends", ["one change", "the transaction"])
async def test_what_was_read_and_then_rolled_back_is_gone(
    tmp_path: Path, ends: str
) -> None:
    async with keeping(tmp_path / "t.db") as (store, writer):
        for number in range(3):
            await exchange(store, said(f"{number}", at=float(number)), "Yes.")
        before = await writer.write(both)

        def change(db: Database) -> None:
            db.execute("UPDATE messages SET content = 'never' WHERE role = 'user'")
            assert conversation(db, HERE)[0].content == "never"
            if ends == "the transaction":
                # What SQLite may do by itself when a disk is full.
                db.execute("ROLLBACK")
            raise StorageRejected("no")

        with suppress(StorageError):
            await writer.write(change)
        assert await writer.write(both) == before


async def test_the_json_made_for_a_question_is_there_for_the_next(
    tmp_path: Path,
) -> None:
    async with keeping(tmp_path / "t.db") as (store, writer):
        for number in range(3):
            await exchange(store, said(f"{number}", at=float(number)), "Yes.")
        first = await writer.write(both)
        await exchange(store, said("3", at=3.0), "Yes.")
        again = await writer.write(both)
    # The last turn may still have been under way.
    assert all(
        one.encoded is other.encoded is not None
        for one, other in zip(first[:4], again, strict=False)
    )


async def test_all_together_have_a_maximum_size(tmp_path: Path) -> None:
    db = open_for_writing(tmp_path / "t.db")
    kept = passages.Passages(db, most=5_000)
    for number in range(4):
        passage = kept.take(number, 0, 0)
        passage.add(7, [ChatMessage("user", "word " * 200)], ())
        kept.put(number, passage)
    left = [bool(kept.take(number, 0, 0).entries) for number in range(4)]
    assert left == [False, False, True, True]
    db.close()
