"""Dear files: asked about before they are read, and decided about by people."""

import io
from dataclasses import replace

import pypdf

from bot.domain.attachment import Attachment, FileKind
from bot.domain.completion import Request
from bot.domain.message import Message
from bot.domain.reply import Control
from bot.domain.scope import Scope
from bot.errors import ModelBusy, Unread
from bot.messages import files as messages
from bot.messages.commands import NO_ANSWER, NOT_YOURS, REPEATING
from bot.ui.elements import Response
from tests.support.plain_files import pages
from tests.unit.commands.test_reply_controls import (
    ALICE,
    BOB,
    controls,
    key,
    put,
    use,
)
from tests.unit.conversation.test_responder import HERE, Desk, again

REPORT = "r.pdf"
# 25 pages of 3,000 tokens of text and 4,784 of the picture: 194,600. For Haiku, that
# prompt is a long one.
PRICES = "$0.78 with claude-sonnet-5-5, and $0.19 with claude-haiku-5-5"
HEAD = f"_I haven't read `{REPORT}` (waiting for a decision about the price)._"
NOTE = f"Reading `{REPORT}` (25 pages) costs at most {PRICES}."
ASKED = f"_{NOTE}_\n_{messages.CHOOSE_BELOW}_"


def asking(desk: Desk, name: str, data: bytes, text: str = "what?") -> Message:
    """Return a question with a file that the platform hands out."""
    said = desk.said(text)
    file = Attachment(name, url=name, id=f"F{said.message}", size=len(data))
    desk.adapter.stored_files[name] = data
    return replace(said, files=(file,))


def read(request: Request) -> list[int]:
    """Return the pages of each PDF that a request shows, as the PDF itself has them."""
    found = []
    for file in (file for each in request.messages for file in each.files):
        if file.unread is None and file.kind is FileKind.PDF:
            count = len(pypdf.PdfReader(io.BytesIO(file.data)).pages)
            assert count == file.pages
            found.append(count)
    return found


async def test_people_decide_whether_a_dear_file_is_read() -> None:
    desk = Desk()
    desk.model.uncountable = ModelBusy("529")
    for text in ("Without.", "Twenty.", "All.", "Twice.", "Skipped."):
        desk.model.script(text)
    async with desk.open() as app:
        await desk.adapter.receive(asking(desk, REPORT, pages(25)))
        await desk.answered(f"{HEAD}\n\nWithout.", ASKED)
        assert controls(desk) == (
            *(Control.READ, Control.FIRST, Control.SKIP),
            *(Control.RETRY, Control.RECEIPT),
        )
        # The platform hands it out no more.
        desk.adapter.stored_files.clear()
        turn = await key(desk)
        assert await use(app, "read answer", ALICE, "0" * 16) == Response(NO_ANSWER)
        assert await use(app, "read answer", BOB, turn) == Response(NOT_YOURS)
        assert await use(app, "first answer", ALICE, turn) == Response(REPEATING)
        await desk.answered("Twenty.")
        assert controls(desk) == (Control.RETRY, Control.RECEIPT)
        assert await use(app, "file read", ALICE) == Response(REPEATING)
        await desk.answered("All.")
        assert await use(app, "file read", ALICE) == Response(messages.NONE_ASKED)
    desk.adapter = again(desk.adapter)
    async with desk.open() as app:
        # The same bytes again: nobody is asked.
        await desk.adapter.receive(asking(desk, "copy.pdf", pages(25), "and this?"))
        await desk.answered("All.", "Twice.")
        command = app.host.commands.parse(f"file skip {REPORT}")
        assert command is not None
        told = await app.host.commands.run(command, Scope.of(HERE), ALICE)
        assert told == Response(messages.LEFT_OUT)
        await desk.ask("and now?")
        await desk.closed(2)
    assert [read(each) for each in desk.model.requests] == [
        [],
        [20],
        [25],
        [25, 25],
        [],
    ]
    first, second, third, _, last = (each.messages[0] for each in desk.model.requests)
    assert first.content == second.content == third.content == last.content
    assert [f.unread for f in (*first.files, *last.files)] == [
        Unread.WAITING,
        Unread.SKIPPED,
    ]


async def test_a_file_of_an_earlier_question_is_read_from_the_next_on() -> None:
    desk = Desk()
    # As in the terminal, which has no buttons.
    desk.adapter.messenger = None
    async with desk.open() as app:
        await put(desk, "file_price", "0")
        await desk.adapter.receive(asking(desk, "a.txt", b"text"))
        await desk.closed(1)
        assert messages.READ_BY_COMMAND in desk.adapter.texts(HERE)[-1]
        turn = await key(desk)
        assert Control.FIRST not in controls(desk)
        told = Response(messages.no_first_pages(pages=20))
        assert await use(app, "first answer", ALICE, turn) == told
        await desk.ask("and now?")
        await desk.closed(2)
        told = Response(messages.READ_LATER)
        assert await use(app, "read answer", ALICE, turn) == told
        await desk.ask("and then?")
        await desk.closed(3)
    unread = [each.messages[0].files[0].unread for each in desk.model.requests]
    assert unread == [Unread.WAITING, Unread.WAITING, None]


async def test_a_count_spares_the_question_and_a_budget_still_holds() -> None:
    """The bound of the tokens is dear; of what the API counts, the price is not."""
    desk = Desk()
    async with desk.open() as app:
        await put(desk, "file_price", "0.12")
        text = b"0123456789 " * 9_000
        await desk.adapter.receive(asking(desk, "a.txt", text))
        await desk.answered("Understood.")
        [request] = desk.model.requests
        assert request.messages[0].files[0].unread is None
        await put(desk, "budget_day", "0.8")
        desk.model.uncountable = ModelBusy("529")
        await desk.adapter.receive(asking(desk, REPORT, pages(25)))
        await desk.closed(2)
        assert await use(app, "read answer", ALICE, await key(desk)) == Response(
            REPEATING
        )
        await desk.closed(3)
        assert "budget" in desk.adapter.texts(HERE)[-2]
        assert len(desk.model.requests) == 2
