"""Files below an answer: exactly once, whatever fails or ends in between."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bot.delivery.reply_uploads import ReplyUploads
from bot.domain.answer_file import AnswerFile
from bot.domain.turn import Turn
from bot.errors import (
    DeliveryError,
    StorageBusy,
    ThreadGone,
    ThreadkeepError,
    Throttled,
    UploadLost,
    UploadRefused,
)
from tests.support.fakes import FakeAdapter, FakeUploads
from tests.support.memory_store import MemoryStore
from tests.support.store_helpers import HERE, done, said, waiting

A, B = AnswerFile("a.py", "print(1)\n"), AnswerFile("b.csv", "a,b\n")
NEW = AnswerFile("a.py", "print(2)\n")


class Killed(BaseException):
    """The process ended."""


class Until:
    """Passes calls on, until the process ends before or after one of them."""

    def __init__(self, target: object, left: "Counter") -> None:
        self._target = target
        self._left = left

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._target, name)

        async def counted(*args: Any, **more: Any) -> Any:
            self._left.step()
            result = await call(*args, **more)
            self._left.step()
            return result

        return counted


class Counter:
    """Counts the steps to the end of the process."""

    def __init__(self, left: int) -> None:
        self.left = left

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed


class Desk:
    """A turn whose answer is complete, and where its files are shown."""

    def __init__(self) -> None:
        self.adapter = FakeAdapter()
        self.store = MemoryStore()
        self.time = 0.0

    async def turn(self) -> Turn:
        """Return the turn as the store has it now."""
        turn = await self.store.next_turn(HERE)
        assert turn is not None
        return turn

    async def begin(self) -> None:
        turn = await waiting(self.store, said("1"))
        await self.store.begin_turn(turn, 1.0)
        await self.store.finish_turn(turn, done("Answer."), 2.0)

    async def uploads(self, left: int = 0) -> ReplyUploads:
        """Return the files of the turn, in a process that ends after so many steps."""
        turn, counter = await self.turn(), Counter(left)
        return ReplyUploads(
            turn,
            Until(FakeUploads(self.adapter, turn), counter),
            store=Until(self.store, counter),
            clock=lambda: self.time,
        )

    async def settle(self, *files: AnswerFile, left: int = 0) -> list[str]:
        """Show `files`; return the names of those that are text instead."""
        uploads = await self.uploads(left)
        failed = await uploads.settle(files)
        await uploads.clean_up()
        return [each.file.name for each in failed]

    @property
    def shown(self) -> list[tuple[str, str]]:
        return sorted(self.adapter.attached.get(HERE, {}).values())


@pytest.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk()
    await desk.begin()

    async def wait(seconds: float) -> None:
        desk.time += seconds

    monkeypatch.setattr("bot.delivery.reply_uploads.asyncio.sleep", wait)
    return desk


def texts(*files: AnswerFile) -> list[tuple[str, str]]:
    return sorted((each.name, each.text) for each in files)


@pytest.mark.parametrize("left", range(1, 12))
async def test_killed_at_any_step_the_files_are_there_once(
    desk: Desk, left: int
) -> None:
    try:
        await desk.settle(A, B, left=left)
    except Killed:
        assert await desk.settle(A, B) == []
    assert desk.shown == texts(A, B)
    assert [each.is_shown for each in (await desk.turn()).uploads] == [True, True]
    # Another start changes nothing.
    await desk.settle(A, B)
    assert desk.shown == texts(A, B)


@pytest.mark.parametrize("left", range(1, 16))
async def test_killed_at_any_step_of_a_repeated_answer_only_its_files_are_left(
    desk: Desk, left: int
) -> None:
    await desk.settle(A, B)
    await desk.store.mark_delivered(await desk.turn(), 3.0)
    turn = await desk.store.answered(HERE)
    assert turn is not None
    assert await desk.store.retry_turn(HERE, turn.key, 4.0)
    assert [each.digest for each in (await desk.turn()).uploads] == ["", ""]
    try:
        await desk.settle(NEW, left=left)
    except Killed:
        # What is there is never less than before.
        assert len(desk.shown) >= 1
        assert await desk.settle(NEW) == []
    assert desk.shown == texts(NEW)
    assert len((await desk.turn()).uploads) == 1


async def test_an_answer_without_files_takes_old_ones_away(desk: Desk) -> None:
    await desk.settle(A)
    assert await desk.settle() == []
    assert desk.shown == []
    assert (await desk.turn()).uploads == ()


@pytest.mark.parametrize(
    "troubles",
    [
        [DeliveryError("reset")],
        [None, DeliveryError("reset")],
        [None, None, DeliveryError("after its effect")],
        [None, Throttled("slow", 90.0)],
        [None, UploadLost("gone")],
        [StorageBusy("busy")],
        [DeliveryError("reset")] * 4,
    ],
)
async def test_what_passes_is_tried_again(
    desk: Desk, troubles: Sequence[ThreadkeepError | None]
) -> None:
    desk.adapter.file_troubles = list(troubles)
    assert await desk.settle(A, B) == []
    assert desk.shown == texts(A, B)


@pytest.mark.parametrize(
    "troubles",
    [
        [UploadRefused("no scope")],
        [None, UploadRefused("too large")],
        [None, ThreadGone("no scope")],
        [DeliveryError("down")] * 50,
        [None, None, *[DeliveryError("down")] * 50],
        [Throttled("slow", 500.0)],
        [None, UploadLost("gone"), None, UploadLost("gone")],
    ],
)
async def test_what_does_not_pass_is_text_and_no_file_stays(
    desk: Desk, troubles: Sequence[ThreadkeepError | None]
) -> None:
    desk.adapter.file_troubles = list(troubles)
    assert await desk.settle(A, B) == ["a.py", "b.csv"]
    assert desk.shown == []
    assert desk.time < 150.0


async def test_where_there_are_no_files_all_is_text(desk: Desk) -> None:
    turn = await desk.turn()
    uploads = ReplyUploads(turn, None, store=desk.store, clock=lambda: 0.0)
    assert [each.file for each in await uploads.settle([A])] == [A]
    await uploads.clean_up()


async def test_what_is_added_later_stands_beside_what_is_there(desk: Desk) -> None:
    await desk.settle(A)
    uploads = await desk.uploads()
    assert uploads.shown == {(A.name, A.digest)}
    assert await uploads.add([B]) == []
    assert desk.shown == texts(A, B)
    desk.adapter.file_troubles = [UploadRefused("full")]
    [failed] = await (await desk.uploads()).add([NEW])
    assert failed.file == NEW
    assert desk.shown == texts(A, B)
