"""The contract of stores: a file's content is stored once, and deleted with the last
message that has it."""

from dataclasses import replace

import pytest

from bot.domain.attachment import Attachment, FileContent, FileKind, StoredFile
from bot.domain.message import Message
from bot.domain.retention import Retention
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import Turn
from bot.errors import Unread
from bot.ports.store import Store
from tests.support.store_helpers import (
    HERE,
    THERE,
    ask,
    done,
    following,
    keep,
    repeated,
    said,
)

PICTURE = Attachment("a.png", "https://files/a", "F1", 3)
NOTES = Attachment("b.txt", "https://files/b", "F2", 5)
CONTENT = FileContent(FileKind.IMAGE, "image/png", b"png", 7)
TEXT = FileContent(FileKind.TEXT, "text/plain", b"notes", 5, cut=True)
PLACE = Scope.of(HERE)


async def asked(
    store: Store, name: str, *files: Attachment, at: float = 5.0, message: Message
) -> Turn:
    """Return a turn of a message with `files`, all of which were read."""
    turn = await ask(store, replace(message, message=name, at=at, files=files))
    for file in files:
        content = CONTENT if file.name.endswith("png") else TEXT
        size = len(content.data)
        await store.store_file(turn.thread, name, file, f"#{file.name}", size, content)
    return turn


async def left(store: Store) -> set[str]:
    return set(await store.file_data(["#a.png", "#b.txt"]))


async def test_a_conversation_has_the_files_of_its_messages(store: Store) -> None:
    await asked(store, "1", NOTES, PICTURE, message=said("1"))
    [entry] = await store.conversation(HERE)
    assert [(f.name, f.digest, f.kind, f.tokens, f.size) for f in entry.files] == [
        ("b.txt", "#b.txt", FileKind.TEXT, 5, 5),
        ("a.png", "#a.png", FileKind.IMAGE, 7, 3),
    ]
    assert await store.file_data(["#a.png", "#none"]) == {"#a.png": b"png"}
    assert await store.stored_files(HERE, ["1", "2"]) == {
        "1": [StoredFile("F2", "b.txt", cut=True), StoredFile("F1", "a.png")],
        "2": [],
    }


async def test_a_content_is_stored_once(store: Store) -> None:
    await asked(store, "1", PICTURE, message=said("1"))
    turn = await ask(store, said("2", files=(PICTURE, NOTES), thread=THERE))
    # The same id and size: it need not be fetched.
    assert await store.link_file(THERE, "2", PICTURE)
    assert not await store.link_file(THERE, "2", NOTES)
    assert await store.link_file(THERE, "2", NOTES, "#a.png")
    # What was read first stays.
    other = replace(CONTENT, data=b"other")
    await store.store_file(THERE, "2", NOTES, "#a.png", 3, other)
    assert await store.file_data(["#a.png"]) == {"#a.png": b"png"}
    [entry] = await store.conversation(turn.thread)
    assert [f.digest for f in entry.files] == ["#a.png", "#a.png"]
    changed = replace(PICTURE, size=4)
    await ask(store, said("3", files=(changed,), thread=THERE))
    assert not await store.link_file(THERE, "3", changed)
    unknown = replace(PICTURE, size=None)
    assert not await store.link_file(THERE, "3", unknown)
    elsewhere = replace(HERE, workspace="T2")
    await ask(store, said("4", files=(PICTURE,), thread=elsewhere))
    assert not await store.link_file(elsewhere, "4", PICTURE)


async def test_why_a_file_is_not_read_is_stored(store: Store) -> None:
    await ask(store, said("1", files=(PICTURE,)))
    await store.store_unread(HERE, "1", PICTURE, Unread.ENCRYPTED)
    unread = [StoredFile("F1", "a.png", Unread.ENCRYPTED)]
    assert await store.stored_files(HERE, ["1"]) == {"1": unread}
    [entry] = await store.conversation(HERE)
    assert entry.files == ()


async def test_a_refused_content_is_refused_wherever_it_is(store: Store) -> None:
    await asked(store, "1", PICTURE, message=said("1"))
    await store.refuse_files(["#a.png", "#none"])
    again = replace(PICTURE, id="F9")
    await ask(store, said("2", files=(again,), thread=THERE))
    assert await store.link_file(THERE, "2", again, "#a.png")
    for thread, message in ((HERE, "1"), (THERE, "2")):
        [entry] = await store.conversation(thread)
        assert [f.unread for f in entry.files] == [Unread.REFUSED]
        [file] = (await store.stored_files(thread, [message]))[message]
        assert file.unread is Unread.REFUSED


@pytest.mark.parametrize("way", ["message", "scope", "edit", "age"])
async def test_a_content_is_deleted_with_its_last_message(
    store: Store, way: str
) -> None:
    for name in "12":
        turn = await asked(store, name, PICTURE, NOTES, message=said(name))
        await store.finish_turn(turn, done("Yes."), 6.0)
        await store.mark_delivered(turn, 7.0)
    await store.delete_messages("slack", "T1", ["1"], "C1", 50.0)
    assert await left(store) == {"#a.png", "#b.txt"}
    match way:
        case "message":
            await store.delete_messages("slack", "T1", ["2"], "C1", 50.0)
        case "scope":
            await store.delete_scope(PLACE, 50.0)
        case "edit":
            kept = said("2", text="changed", files=(NOTES,))
            await store.edit_message(kept, "CHANGED", 50.0)
            assert await left(store) == {"#b.txt"}
            await store.edit_message(replace(kept, files=()), "CHANGED", 50.0)
        case "age":
            await store.clean_up(Retention(threads=1.0), 1e12)
    assert await left(store) == set()


async def test_what_is_read_too_late_is_not_stored(store: Store) -> None:
    await ask(store, said("1", files=(PICTURE, NOTES)))
    await store.edit_message(said("1", text="x", files=(NOTES,)), "X", 6.0)
    await store.store_file(HERE, "1", PICTURE, "#a.png", 3, CONTENT)
    await store.delete_messages("slack", "T1", ["1"], "C1", 50.0)
    await store.store_file(HERE, "1", NOTES, "#b.txt", 5, TEXT)
    await store.store_unread(HERE, "1", NOTES, Unread.BROKEN)
    assert await left(store) == set()
    assert await store.stored_files(HERE, ["1"]) == {"1": []}


async def test_files_are_treated_as_their_messages_are(store: Store) -> None:
    """A reset hides them, a retry and a move take them along."""
    turn = await asked(store, "1", PICTURE, message=said("1"))
    await store.finish_turn(turn, done("Yes."), 6.0)
    await store.mark_delivered(turn, 7.0)
    assert await repeated(store, 8.0)
    [entry] = await store.conversation(HERE)
    assert [f.digest for f in entry.files] == ["#a.png"]
    await store.move_thread(HERE, THERE)
    assert await store.conversation(THERE) == [entry]
    turn = await following(store, THERE)
    await store.finish_turn(turn, done("Yes."), 9.0)
    await store.mark_delivered(turn, 9.0)
    await store.reset_context(THERE)
    assert await store.conversation(THERE) == []
    await store.receive(said("9", thread=THERE), keep)
    assert await left(store) == {"#a.png"}


REPORT = Attachment("r.pdf", "https://files/r", "F3", 9)
PDF = FileContent(FileKind.PDF, "application/pdf", b"300 pages", 900, 300, 300)
FIRST = replace(PDF, data=b"20 pages", tokens=60, pages=20)


async def shown(store: Store, thread: ThreadKey = HERE) -> list[tuple[str, object]]:
    files = [f for each in await store.conversation(thread) for f in each.files]
    return [(f.digest, f.unread or f.pages) for f in files]


async def test_people_decide_about_a_dear_file(store: Store) -> None:
    turn = await ask(store, said("1", files=(REPORT, NOTES)))
    await store.store_file(HERE, "1", REPORT, "#r", 9, PDF, lambda tokens: tokens > 5)
    await store.store_file(HERE, "1", NOTES, "#n", 5, TEXT, lambda tokens: tokens > 5)
    both = await store.thread_files(HERE)
    assert await store.thread_files(HERE, turn.key) == both
    assert await store.thread_files(HERE, "other") == []
    assert [(f.name, f.digest, f.pages, f.unread, f.is_cut) for f in both] == [
        ("r.pdf", "#r", 300, Unread.WAITING, False),
        ("b.txt", "#n", 0, None, False),
    ]
    assert (await following(store)).waiting == (300,)
    assert await shown(store) == [("#r", Unread.WAITING), ("#n", 0)]
    for unread, cut, then in (
        (Unread.SKIPPED, None, ("#r", Unread.SKIPPED)),
        (None, FIRST, ("#r/20", 20)),
        (None, None, ("#r", 300)),
        (None, FIRST, ("#r/20", 20)),
    ):
        assert await store.decide_file(HERE, "#r", unread, cut)
        assert not await store.decide_file(HERE, "#r", unread, cut)
        assert (await shown(store))[0] == then
        [file, _] = await store.thread_files(HERE)
        assert (file.digest, file.pages) == ("#r", 300)
        assert (file.unread, file.is_cut) == (unread, cut is not None)
    assert await store.file_data(["#r", "#r/20"]) == {
        "#r": PDF.data,
        "#r/20": FIRST.data,
    }
    assert (await following(store)).waiting == ()
    # Posted again: decided in this thread, and to be decided in another.
    again = replace(REPORT, id="F4")
    await store.receive(said("2", files=(again,)), keep)
    assert await store.link_file(HERE, "2", again, "#r", lambda tokens: True)
    await ask(store, said("3", files=(REPORT,), thread=THERE))
    assert await store.link_file(THERE, "3", REPORT, is_dear=lambda tokens: True)
    assert [f.is_cut for f in await store.thread_files(HERE)] == [True, False, True]
    assert await shown(store, THERE) == [("#r", Unread.WAITING)]
    assert not await store.decide_file(HERE, "#none", None)
    # What nobody has any more is deleted, and no sooner.
    await store.delete_messages("slack", "T1", ["3"], "C1", 50.0)
    await store.delete_messages("slack", "T1", ["1"], "C1", 50.0)
    assert set(await store.file_data(["#r", "#r/20", "#n"])) == {"#r", "#r/20"}
    await store.delete_messages("slack", "T1", ["2"], "C1", 50.0)
    assert await store.file_data(["#r", "#r/20"]) == {}


async def test_a_large_file_is_stored_piece_by_piece(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.dialect._PIECE", 1_000)
    data = bytes(range(256)) * 13 + b"end"
    large = replace(CONTENT, data=data)
    await ask(store, replace(said("1"), files=(PICTURE,)))
    await store.store_file(HERE, "1", PICTURE, "#large", len(data), large)
    assert await store.file_data(["#large"]) == {"#large": data}
    await store.delete_messages("slack", "T1", ["1"], "C1", 30.0)
    assert await store.file_data(["#large"]) == {}


async def test_an_empty_file_is_stored(store: Store) -> None:
    await ask(store, replace(said("1"), files=(PICTURE,)))
    empty = replace(CONTENT, data=b"")
    await store.store_file(HERE, "1", PICTURE, "#empty", 0, empty)
    assert await store.file_data(["#empty"]) == {"#empty": b""}
