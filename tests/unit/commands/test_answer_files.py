"""Attaching the code and tables of an answer that shows them as text."""

import asyncio

import pytest

from bot.domain.reply import Control
from bot.errors import DeliveryError, UploadRefused
from bot.messages import answer_files as messages
from bot.messages.answers import EARLIER
from bot.messages.commands import NO_ANSWER, NOT_YOURS
from bot.rendering.file_blocks import MOST_FILES
from bot.ui.elements import SILENCE, Response
from tests.unit.commands.test_reply_controls import (
    ALICE,
    BOB,
    OLGA,
    controls,
    key,
    put,
    shown,
    use,
)
from tests.unit.conversation.test_responder import HERE, Desk

CODE = "".join(f"step({n})\n" for n in range(8))
ANSWER = f"One:\n\n```py\n{CODE}```\n\nTwo:\n\n| a |\n|---|\n| 1 |\n"
LONG = f"```py\n{CODE * 20}```\n\n```sh\n{CODE}```\n"


def attached(desk: Desk) -> list[tuple[str, str]]:
    return sorted(desk.adapter.attached.get(HERE, {}).values())


def attaching_desk() -> Desk:
    desk = Desk()
    desk.adapter.attaches = True
    return desk


async def test_what_is_text_can_be_files_once() -> None:
    desk = attaching_desk()
    desk.model.script(ANSWER)
    async with desk.open() as app:
        await desk.ask("code and table")
        await desk.closed(1)
        texts, turn = desk.adapter.texts(HERE), await key(desk)
        assert controls(desk) == (Control.ATTACH, Control.RETRY, Control.RECEIPT)
        assert attached(desk) == []
        # Whoever may ask there may.
        pressed = [use(app, "attach answer", BOB, turn) for _ in range(3)]
        told = await asyncio.gather(*pressed)
        assert SILENCE in told
        assert attached(desk) == [("code.py", CODE), ("table.csv", "a\n1\n")]
        again = await use(app, "attach answer", ALICE, turn)
        assert again == Response(messages.ALL_ATTACHED)
        assert await use(app, "file attach", ALICE) == again
        assert len(attached(desk)) == 2
        assert desk.adapter.texts(HERE) == texts


async def test_only_what_is_no_file_yet_is_attached() -> None:
    desk = attaching_desk()
    desk.model.script(LONG)
    desk.model.script("No code.")
    async with desk.open() as app:
        await desk.ask("two scripts")
        await desk.closed(1)
        assert [name for name, _ in attached(desk)] == ["code.py"]
        assert Control.ATTACH in controls(desk)
        assert await use(app, "file attach", ALICE) == Response(messages.ATTACHED)
        assert attached(desk) == [("code.py", CODE * 20), ("code.sh", CODE)]
        # An answer that takes its place takes all of them away.
        await use(app, "retry", ALICE)
        await shown(desk, "No code.")
        await desk.adapter.until(lambda: not attached(desk))
        await desk.adapter.until(lambda: not desk.adapter.open)
        assert Control.ATTACH not in controls(desk)
        told = await use(app, "file attach", ALICE)
        assert told == Response(messages.NOTHING_TO_ATTACH)


async def test_an_answer_that_stays_keeps_its_file() -> None:
    desk = attaching_desk()
    desk.model.script(LONG)
    async with desk.open() as app:
        await desk.ask("two scripts")
        await desk.closed(1)
        files = attached(desk)
        assert [name for name, _ in files] == ["code.py"]
        # Alice may ask no longer, so there is no new answer.
        await put(desk, "who", "user:bob")
        await use(app, "retry", OLGA)
        await desk.adapter.until(lambda: EARLIER in desk.adapter.texts(HERE)[-1])
        await desk.adapter.until(lambda: not desk.adapter.open)
        assert Control.ATTACH in controls(desk)
        assert attached(desk) == files


async def test_an_answer_of_words_or_single_lines_has_no_button() -> None:
    desk = attaching_desk()
    desk.model.script("Run ```make``` or:\n\n```sh\nmake\n```\n")
    async with desk.open() as app:
        await desk.ask("how?")
        await desk.closed(1)
        assert Control.ATTACH not in controls(desk)
        # It is done for who asks for it.
        assert await use(app, "file attach", ALICE) == Response(messages.ATTACHED)
        assert attached(desk) == [("code.sh", "make\n")]


async def test_never_leaves_only_what_is_asked_for() -> None:
    desk = attaching_desk()
    desk.model.script(f'```py title="a.py"\n{CODE}```\n\n```py\n{CODE * 50}```\n')
    await put(desk, "attach_lines", "0")
    async with desk.open():
        await desk.ask("as a file")
        await desk.closed(1)
        assert attached(desk) == [("a.py", CODE)]


async def test_where_there_is_nothing_to_attach_to_it_says_so() -> None:
    desk = attaching_desk()
    desk.model.script(ANSWER)
    async with desk.open() as app:
        told = Response(messages.NO_ANSWER_HERE)
        assert await use(app, "file attach", ALICE) == told
        await desk.ask("code")
        await desk.closed(1)
        for turn in ("0" * 16, "x"):
            told = Response(NO_ANSWER)
            assert await use(app, "attach answer", ALICE, turn) == told
        desk.adapter.attaches = False
        told = Response(messages.NO_FILES_HERE)
        assert await use(app, "file attach", ALICE) == told
        await put(desk, "who", "user:alice")
        refused = await use(app, "attach answer", BOB, await key(desk))
        assert isinstance(refused, Response)
        assert refused.text not in ("", messages.ATTACHED, NOT_YOURS)
        assert attached(desk) == []


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (UploadRefused("403", messages.MAY_NOT_ATTACH), messages.MAY_NOT_ATTACH),
        (UploadRefused("full"), ""),
    ],
)
async def test_a_refusal_is_told_and_can_be_tried_again(
    trouble: DeliveryError, why: str
) -> None:
    desk = attaching_desk()
    desk.model.script(ANSWER)
    async with desk.open() as app:
        await desk.ask("code")
        await desk.closed(1)
        desk.adapter.file_troubles = [trouble]
        told = await use(app, "file attach", ALICE)
        assert told == Response(messages.refused(why=why))
        assert await use(app, "file attach", ALICE) == Response(messages.ATTACHED)
        assert len(attached(desk)) == 2


async def test_so_many_files_at_once_and_the_rest_the_next_time() -> None:
    desk = attaching_desk()
    blocks = "".join(f"```sh\necho {n}\n```\n\n" for n in range(MOST_FILES + 2))
    desk.model.script(blocks)
    async with desk.open() as app:
        await desk.ask("many")
        await desk.closed(1)
        assert await use(app, "file attach", ALICE) == Response(messages.ATTACHED)
        assert len(attached(desk)) == MOST_FILES
        assert await use(app, "file attach", ALICE) == Response(messages.ATTACHED)
        assert len(attached(desk)) == MOST_FILES + 2
