"""From the files of messages to what Claude reads of them."""

import hashlib
import struct
import time
import zlib
from dataclasses import replace
from itertools import pairwise

import pytest

from bot.claude.catalog import ModelAvailability
from bot.context.files import Accepted
from bot.conversation import model_files
from bot.conversation.file_reader import MOST_FILES, FileReader
from bot.domain.attachment import Attachment
from bot.domain.completion import Request, RequestFile
from bot.domain.message import Message
from bot.domain.reply import Part, PostedPart
from bot.domain.turn import Ended, Outcome
from bot.errors import DeliveryError, FileRefused, FileUnread, PromptTooLong, Unread
from bot.messages.answers import INTERRUPTED, TOO_LONG
from bot.messages.commands import REPEATING
from bot.ui.elements import SILENCE, Response
from tests.support import store_helpers
from tests.support.fakes import FakeAdapter, show
from tests.support.memory_store import MemoryStore
from tests.support.store_helpers import ask, said
from tests.unit.commands.test_reply_controls import ALICE, CUT, key, use
from tests.unit.conversation.test_responder import HERE, Desk, again


def png(seed: int) -> bytes:
    """Return an image of eight by eight pixels in a colour of its own."""

    def chunk(name: bytes, data: bytes) -> bytes:
        check = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + bytes([seed, 99, 99]) * 8) * 8)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", rows), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def posted(desk: Desk, *names: str) -> tuple[Attachment, ...]:
    """Files with these names, which the platform hands out."""
    stored = desk.adapter.stored_files
    files = []
    for nth, name in enumerate(names):
        data = png(nth) if name.endswith("png") else f"text of {name}".encode()
        stored[name] = data
        files.append(Attachment(name, url=name, id=f"F{name}", size=len(data)))
    return tuple(files)


def shown(request: Request) -> list[list[tuple[str, bytes]]]:
    return [
        [(file.name, file.data) for file in each.files if file.unread is None]
        for each in request.messages
        if each.role == "user"
    ]


def files_of(request: Request) -> list[RequestFile]:
    return [file for each in request.messages for file in each.files]


async def test_what_was_read_once_is_sent_again_byte_for_byte() -> None:
    desk = Desk()
    names = ("a.png", "b.txt")
    async with desk.open():
        files = posted(desk, *names)
        quoted = replace(desk.said("look", addressed=False), files=files[1:])
        question = replace(desk.said("what?"), files=files[:1], quotes=(quoted,))
        await desk.adapter.receive(question)
        await desk.answered("Understood.")
    [first] = desk.model.requests
    assert shown(first) == [[("b.txt", b"text of b.txt"), ("a.png", png(0))]]
    assert "(attached: a.png; shown above)" in first.messages[0].content
    # Another process; the platform has nothing any more.
    desk.adapter = again(desk.adapter)
    async with desk.open():
        await desk.ask("and now?")
        await desk.answered("Understood.", "Understood.")
    second = desk.model.requests[1]
    assert second.messages[0] == first.messages[0]


async def test_a_file_that_is_not_read_is_named_with_its_reason() -> None:
    desk = Desk()
    desk.model.script("A login page.")
    async with desk.open():
        files = posted(desk, "a.png", "b.txt")
        desk.adapter.stored_files["b.txt"] = FileUnread(Unread.NO_SCOPE)
        question = replace(desk.said("what?"), files=files)
        await desk.adapter.receive(question)
        head = (
            "_I haven't read `b.txt` (the app has no permission to read files). "
            "Please ask an admin to give the app this permission._"
        )
        await desk.answered(f"{head}\n\nA login page.")
        await desk.ask("and now?")
        await desk.answered(f"{head}\n\nA login page.", "Understood.")
    request, later = desk.model.requests
    assert shown(request) == [[("a.png", png(0))]]
    why = "not shown: you have no permission to read files in this chat"
    assert f"(attached: b.txt; {why})" in request.messages[0].content
    # Claude did not write it.
    assert later.messages[1].content == "A login page."


async def test_the_line_about_files_is_there_from_the_first_word_on() -> None:
    """Also when Claude refuses another file before that."""
    desk = Desk()
    desk.model.script(FileRefused("400", digest(png(0))))
    desk.model.script("It ", "is ", "red.")
    async with desk.open():
        files = posted(desk, "a.png", "b.png", "c.txt")
        desk.adapter.stored_files["c.txt"] = FileUnread(Unread.EMPTY)
        await desk.adapter.receive(replace(desk.said("what?"), files=files))
        await desk.closed(1)
    head = "_I haven't read `c.txt` (empty) and `a.png` (refused by Claude)._\n\n"
    texts = [part.text for _, _, part in desk.adapter.writes if part.text]
    assert texts[-1].startswith(f"{head}It is red.\n\n_`c.txt`: Please check it")
    for earlier, later in pairwise(texts):
        assert earlier.startswith(head)
        assert later.startswith(earlier)


@pytest.mark.parametrize("attempts", [1, 2])
async def test_the_line_about_files_survives_a_crash(attempts: int) -> None:
    """With one attempt the answer is begun again; with two it is left as it is."""
    desk = Desk()
    head = "_I haven't read `a.png` (not available). Please upload it again._"
    question = replace(desk.said("?"), files=(Attachment("a.png", "u", size=9),))
    await desk.store.receive(question, store_helpers.answer)
    turn = await desk.turn()
    for _ in range(attempts):
        await desk.store.begin_turn(turn, time.time())
    await desk.store.store_prompt(turn, "", {question.message: "?"})
    async with desk.adapter.surface(turn) as surface:
        message = await show(surface, Part(0, f"{head}\n\nIt is"))
    part = PostedPart(0, message, f"{head}\n\nIt is")
    await desk.store.store_part(turn, part, "It is", time.time(), head)
    desk.model.script("It is blue.")
    async with desk.open():
        await desk.closed(2)
    [answer] = desk.adapter.texts(HERE)
    rest = "It is blue." if attempts == 1 else f"It is\n\n⚠️ _{INTERRUPTED}_"
    assert answer.startswith(f"{head}\n\n{rest}")


async def test_the_line_about_files_is_there_again_after_retry_and_continue() -> None:
    desk = Desk()
    head = "_I haven't read `a.png` (not available). Please upload it again._"
    desk.model.script("One.")
    desk.model.script("Two", CUT)
    desk.model.script("And three.")
    async with desk.open() as app:
        files = (Attachment("a.png", "u", size=9),)
        await desk.adapter.receive(replace(desk.said("?"), files=files))
        await desk.answered(f"{head}\n\nOne.")
        assert await use(app, "retry answer", ALICE, await key(desk)) == Response(
            REPEATING
        )
        await desk.answered(f"{head}\n\nTwo\n\n_{TOO_LONG}_")
        assert await use(app, "continue answer", ALICE, await key(desk)) == SILENCE
        # Nothing new was left out.
        await desk.answered(f"{head}\n\nTwo\n\n_{TOO_LONG}_", "And three.")


async def test_the_line_about_files_is_delivered_after_a_crash_behind_the_end() -> None:
    desk = Desk()
    turn = await desk.left("_Not read._\n\nIt is")
    outcome = Outcome(Ended.DONE, "It is red.", head="_Not read._", replay="It is red.")
    await desk.store.finish_turn(turn, outcome, time.time())
    async with desk.open():
        await desk.answered("_Not read._\n\nIt is red.")
    assert desk.model.requests == []


NOT_ACCEPTED = "(refused by Claude). Please send it in another format."


@pytest.mark.parametrize("named", [False, True])
async def test_a_refused_file_is_left_out_for_good(named: bool) -> None:
    desk = Desk()
    desk.model.script(FileRefused("400", digest(png(0)) if named else ""))
    desk.model.script("Two.")
    async with desk.open():
        question = replace(desk.said("what?"), files=posted(desk, "a.png", "b.png"))
        await desk.adapter.receive(question)
        bad = "a.png" if named else "b.png"
        head = f"_I haven't read `{bad}` {NOT_ACCEPTED}_"
        await desk.answered(f"{head}\n\nTwo.")
    assert len(desk.model.requests) == 2
    good = "b.png" if named else "a.png"
    assert [name for name, _ in shown(desk.model.requests[1])[0]] == [good]
    desk.adapter = again(desk.adapter)
    async with desk.open():
        await desk.ask("and now?")
        await desk.answered(f"{head}\n\nTwo.", "Understood.")
    third = desk.model.requests[2]
    assert third.messages[0] == desk.model.requests[1].messages[0]


@pytest.mark.parametrize("error", [FileRefused("400"), PromptTooLong("413")])
async def test_files_never_make_a_thread_useless(
    error: FileRefused | PromptTooLong,
) -> None:
    """However often Claude refuses them, there is an answer in the end."""
    desk = Desk()
    for _ in range(4):
        desk.model.script(error)
    desk.model.script("Without them.")
    async with desk.open():
        names = [f"{nth}.png" for nth in range(6)]
        question = replace(desk.said("what?"), files=posted(desk, *names))
        await desk.adapter.receive(question)
        await desk.adapter.until(
            lambda: "Without them." in str(desk.adapter.texts(HERE))
        )
        await desk.closed(1)
    assert shown(desk.model.requests[-1]) == [[]]
    assert len(desk.model.requests) == 5


async def test_a_file_that_is_too_large_for_a_proxy_is_not_given_up() -> None:
    """Another one, or the API itself, may take it."""
    desk = Desk()
    desk.model.script(PromptTooLong("413"))
    desk.model.script("Without it.")
    async with desk.open():
        question = replace(desk.said("what?"), files=posted(desk, "a.txt"))
        await desk.adapter.receive(question)
        await desk.closed(1)
        [answer] = desk.adapter.texts(HERE)
        assert answer.startswith("_I haven't read `a.txt` (too large).")
        assert answer.endswith("\n\nWithout it.")
    # Another process, which does not know how much was left out.
    desk.adapter = again(desk.adapter)
    async with desk.open():
        await desk.ask("and now?")
        await desk.answered(answer, "Understood.")
    assert shown(desk.model.requests[-1])[0] == [("a.txt", b"text of a.txt")]


async def test_a_request_without_files_that_is_refused_fails_as_ever() -> None:
    desk = Desk()
    desk.model.script(FileRefused("400"))
    async with desk.open():
        await desk.ask("hello")
        await desk.closed(1)
    assert len(desk.model.requests) == 1


# The reader alone.


async def asked(store: MemoryStore, *messages: Message) -> list[Message]:
    await ask(store, *messages)
    return list(messages)


async def test_a_dead_server_does_not_hold_up_an_answer() -> None:
    store, adapter = MemoryStore(), FakeAdapter()
    reader = FileReader(store, {"slack": adapter}, patience=0.01)
    adapter.stored_files = {"u": DeliveryError("503"), "v": b"text"}
    files = (Attachment("a", "u"), Attachment("b", "v", size=10**9), Attachment("c"))
    messages = await asked(store, said("1", files=files))
    found = await reader.read(messages[0].thread, messages, Accepted())
    reasons = [Unread.UNAVAILABLE, Unread.TOO_LARGE, Unread.UNAVAILABLE]
    assert [each.unread for each in found["1"]] == reasons


async def test_the_newest_and_the_question_are_read_first() -> None:
    store, adapter = MemoryStore(), FakeAdapter()
    reader = FileReader(store, {"slack": adapter})

    def some(prefix: str) -> tuple[Attachment, ...]:
        names = [f"{prefix}{nth}" for nth in range(8)]
        adapter.stored_files |= {name: name.encode() for name in names}
        return tuple(Attachment(name, name) for name in names)

    messages = await asked(
        store,
        said("1", at=1.0, files=some("q")),
        *(
            said(name, at=at, files=some(name), addressed=False)
            for name, at in (("2", 2.0), ("3", 3.0))
        ),
    )
    found = await reader.read(messages[0].thread, messages, Accepted())
    read = [each.name for files in found.values() for each in files if not each.unread]
    assert len(read) == MOST_FILES
    assert {name[0] for name in read[:8]} == {"q"}
    assert sum(name[0] == "3" for name in read) == 8
    assert {each.unread for each in found["2"]} == {None, Unread.TOO_MANY}
    # Posted again, nothing is fetched.
    adapter.stored_files.clear()
    assert await reader.read(messages[0].thread, messages, Accepted()) == found


def test_what_the_api_says_of_a_model_counts_more_than_the_catalog() -> None:
    survey = ModelAvailability(images={"claude-sonnet-5-5": False})
    limits = model_files.limits("claude-sonnet-5-5", survey, 1_000)
    assert (limits.images, limits.pdfs, limits.tokens) == (False, True, 750)
    assert model_files.limits("claude-opus-5-5", survey, 1_000).images
    assert model_files.limits("claude-haiku-4-5", None, 1_000).pages == 100
    edges = [
        model_files.accepted_files(m, 1_000_000).edge
        for m in ("claude-opus-4-6", "claude-x")
    ]
    assert edges == [1568, 1568]
    assert model_files.accepted_files("claude-opus-4-7", 1_000_000).edge == 2576
    # What is read of a PDF can be shown, whatever its pages hold.
    for model, room in (("claude-sonnet-5-5", 980_000), ("claude-haiku-4-5", 180_000)):
        found = model_files.accepted_files(model, room)
        most = model_files.limits(model, None, room).tokens
        assert found.page_tokens * 20 <= found.page_tokens * found.pages <= most
