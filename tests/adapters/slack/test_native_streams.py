"""Answers as native Slack streams: whatever happens to a stream, the answer stays in
the same message, and no character is lost or doubled."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.slack.native_streams import LIFETIME, Mode, Streams
from bot.domain.completion import Activity, Report
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import Change
from bot.errors import ModelCut
from bot.messages.answers import EARLIER, warning
from bot.messages.commands import REPEATING
from bot.runtime.lru import LruDict
from tests.adapters.slack.conftest import Office
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.faults import ALWAYS, Fault, cut, error, status, throttle
from tests.emulators.slack.world import Seen
from tests.support.deep import deep_only, share
from tests.support.memory_store import MemoryStore
from tests.support.process import running
from tests.support.scripted_model import Line, ScriptedModel

#: Claude searches the web.
SEARCH = Report("claude-sonnet-5-5", activity=Activity("search"))

START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"


class Clock:
    """Time that a test can push forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + self.ahead


class Room(Office):
    """Alice's direct messages with the bot."""

    def begin(self, *pieces: str) -> tuple[str, list[asyncio.Event]]:
        """Let Alice ask, and Claude answer in pieces; each but the first waits for
        its event."""
        gates = [asyncio.Event() for _ in pieces[1:]]
        script: list[Line] = [pieces[0]]
        for gate, piece in zip(gates, pieces[1:], strict=True):
            script += [gate, piece]
        self.model.script(*script)
        return self.slack.say(self.alice, self.direct, "?"), gates

    @property
    def direct(self) -> str:
        return self.slack.open_dm(self.alice)

    def seen(self, ts: str) -> list[Seen]:
        """Return the bot's messages below a question."""
        return [each for each in self.slack.thread(self.direct, ts) if each.bot]

    async def shows(self, ts: str, text: str, *, streaming: bool = False) -> None:
        """Wait until the answer is one message that reads `text`."""

        def is_so() -> bool:
            return [(each.text, each.streaming) for each in self.seen(ts)] == [
                (text, streaming)
            ]

        await self.slack.until(is_so)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def room(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Room]:
    # The product and Slack must agree on when five minutes are over.
    monkeypatch.setattr(
        Streams.__init__, "__defaults__", (clock, LruDict(8), LruDict(8))
    )
    store, model = MemoryStore(), ScriptedModel()
    async with (
        SlackEmulator(clock=clock) as slack,
        running(slack, store, model, grace=0.2),
    ):
        yield Room(slack, store, model)


async def test_in_direct_messages_an_answer_is_a_stream(room: Room) -> None:
    ts, [more, last] = room.begin("The capital", " of France is", " Paris.")
    await room.shows(ts, "The capital", streaming=True)
    more.set()
    await room.shows(ts, "The capital of France is", streaming=True)
    last.set()
    await room.shows(ts, "The capital of France is Paris.")
    [seen] = room.seen(ts)
    assert [each.label for each in seen.controls] == ["Retry", "Receipt"]
    assert seen.metadata is not None
    assert room.slack.calls_of("chat.update") == []
    assert room.slack.status(room.direct, ts) == ""


async def test_a_word_stops_a_stream(room: Room) -> None:
    ts, _ = room.begin("The capital", " of France is", " Paris.")
    await room.shows(ts, "The capital", streaming=True)
    room.slack.say(room.alice, room.direct, "stop", thread_ts=ts)
    await room.slack.until(
        lambda: len(room.seen(ts)) == 2 and not room.seen(ts)[0].streaming
    )
    seen, _ = room.seen(ts)
    assert seen.text == "The capital\n\n_Stopped._"
    assert [each.label for each in seen.controls] == ["Continue", "Retry", "Receipt"]


async def test_in_channels_it_is_posted_and_edited(office: Office) -> None:
    office.model.script("Paris.")
    await office.answered(office.ask("?"), "Paris.")
    assert office.slack.calls_of(START) == []


async def test_an_answer_that_is_there_at_once_is_posted_whole(room: Room) -> None:
    room.model.script("Paris.")
    ts = room.slack.say(room.alice, room.direct, "?")
    await room.shows(ts, "Paris.")


@pytest.mark.parametrize(
    "fault",
    [
        error("channel_type_not_supported"),
        error("restricted_action"),
        error("msg_too_long"),
        throttle(60),
        cut(after=True),
        *deep_only(status(500)),
    ],
    ids=lambda fault: fault.answer.outcome if fault.answer else "cut",
)
async def test_what_cannot_begin_as_a_stream_is_posted(
    room: Room, fault: Fault
) -> None:
    room.slack.faults.add(START, fault)
    ts, [last] = room.begin("The capital of France", " is Paris.")
    await room.slack.until(lambda: room.seen(ts))
    last.set()
    await room.shows(ts, "The capital of France is Paris.")


async def test_where_there_are_no_streams_they_are_not_asked_for_again(
    room: Room,
) -> None:
    room.slack.streams.refused.add("im")
    for _ in range(2):
        ts, [last] = room.begin("The capital of France", " is Paris.")
        await room.shows(ts, "The capital of France …")
        last.set()
        await room.shows(ts, "The capital of France is Paris.")
    assert len(room.slack.calls_of(START)) == 1


#: One of the codes of each meaning: `test_refusals` has the others.
BREAKS = {
    **{
        code: error(code)
        for code in ("message_not_in_streaming_state", "stopped_by_user")
    },
    "msg_too_long": error("msg_too_long"),
    "503": status(503),
    "cut after": cut(after=True),
}


# Every one of them, at one of the two methods; at both in the long form.
@pytest.mark.parametrize(
    ("method", "name"),
    [(APPEND, each) for each in share([*BREAKS], 0, 2)]
    + [(STOP, each) for each in share([*BREAKS], 1, 2)],
)
async def test_a_stream_that_breaks_goes_on_as_a_message_that_is_edited(
    room: Room, method: str, name: str
) -> None:
    room.slack.faults.add(method, BREAKS[name])
    ts, [more, last] = room.begin("The capital", " of all of France", " is Paris.")
    await room.shows(ts, "The capital", streaming=True)
    more.set()
    await room.slack.until(lambda: room.slack.calls_of(APPEND))
    last.set()
    await room.shows(ts, "The capital of all of France is Paris.")


async def test_told_to_wait_for_appends_it_ends_the_stream_and_edits(
    room: Room,
) -> None:
    room.slack.faults.add(APPEND, throttle(60), times=ALWAYS)
    ts, [more, last] = room.begin("The capital", " of all of France", " is Paris.")
    await room.shows(ts, "The capital", streaming=True)
    more.set()
    await room.slack.until(lambda: room.slack.calls_of(STOP))
    last.set()
    await room.shows(ts, "The capital of all of France is Paris.")
    assert len(room.slack.calls_of(APPEND)) == 1


async def test_a_stream_is_ended_before_slack_does_it(room: Room, clock: Clock) -> None:
    ts, [more, last] = room.begin("The capital", " of all of France", " is Paris.")
    await room.shows(ts, "The capital", streaming=True)
    clock.ahead += LIFETIME + 1
    more.set()
    await room.slack.until(lambda: room.slack.calls_of(STOP))
    await room.slack.until(lambda: not room.seen(ts)[0].streaming)
    clock.ahead += 300
    last.set()
    await room.shows(ts, "The capital of all of France is Paris.")
    assert all(call.outcome == "ok" for call in room.slack.calls_of(STOP))


async def test_a_stream_that_slack_ended_is_mended(room: Room, clock: Clock) -> None:
    ts, [last] = room.begin("The capital", " is Paris.")
    await room.shows(ts, "The capital", streaming=True)
    clock.ahead += 301
    last.set()
    await room.shows(ts, "The capital is Paris.")


async def test_slacks_own_stop_ends_the_answer(room: Room) -> None:
    ts, _ = room.begin("The capital", " is Paris.")
    await room.shows(ts, "The capital", streaming=True)
    [seen] = room.seen(ts)
    room.slack.streams.press_stop(room.alice, room.direct, seen.ts)
    await room.shows(ts, "The capital\n\n_Stopped._")
    await room.slack.until(lambda: room.model.hung_up)


async def test_an_answer_comes_back_over_a_longer_one_that_breaks_off(
    room: Room,
) -> None:
    ts, _ = room.begin("Rome.")
    await room.shows(ts, "Rome.")
    lines = "\n".join(f"line {n}: {'x' * 60}" for n in range(400))
    gate = asyncio.Event()
    room.model.script(lines, gate, ModelCut("gone"))
    room.slack.say(room.alice, room.direct, "retry", thread_ts=ts)
    await room.slack.until(lambda: any(each.streaming for each in room.seen(ts)))
    gate.set()
    note = f"{warning(ModelCut.user_text)}\n_{EARLIER}_"
    shown = [f"Rome.\n\n{note}", REPEATING]
    await room.slack.until(lambda: [each.text for each in room.seen(ts)] == shown)


async def test_a_long_answer_is_several_streams(room: Room) -> None:
    lines = "\n".join(f"line {n}: {'x' * 60}" for n in range(400))
    ts, [last] = room.begin("It reads:\n\n", lines)
    await room.slack.until(lambda: room.seen(ts))
    last.set()
    await room.slack.until(
        lambda: (
            len(seen := room.seen(ts)) == 3
            and not any(each.streaming for each in seen)
            and seen[-1].controls
        ),
    )
    text = "".join(each.text for each in room.seen(ts))
    assert [n for n in range(400) if f"line {n}: " not in text] == []
    assert text.count("line 399: ") == 1


@pytest.mark.parametrize("mode", Mode)
def test_where_they_serve(mode: Mode) -> None:
    streams = Streams(mode, "U1")
    direct, general, other = (
        ThreadKey("slack", "T1", each, "1.0") for each in ("D1", "C1", "C2")
    )
    in_channels = mode in (Mode.AUTO, Mode.ALL)
    assert streams.serve(direct) is (mode is not Mode.OFF)
    assert streams.serve(general) is in_channels
    assert not streams.spare_others(direct)
    assert streams.spare_others(general) is (mode is Mode.AUTO)
    streams.refuse(direct)
    assert not streams.serve(direct)
    assert streams.serve(general) is in_channels
    streams.refuse_channel(general)
    assert not streams.serve(general)
    assert streams.serve(other) is in_channels


@pytest.mark.parametrize("refused", [False, True])
async def test_a_stream_has_its_file_below_or_all_of_it(
    room: Room, *, refused: bool
) -> None:
    code = "".join(f"print({number})\n" for number in range(100))
    if refused:
        fault = error("file_uploads_disabled")
        room.slack.faults.add("files.getUploadURLExternal", fault)
    begun, rest = f"So:\n\n```py\n{code[:80]}", f"{code[80:]}```\nRun it."
    ts, [gate] = room.begin(begun, rest)
    await room.slack.until(lambda: [each.streaming for each in room.seen(ts)] == [True])
    gate.set()
    await room.slack.until(
        lambda: room.seen(ts) and not room.seen(ts)[0].streaming,
    )
    answer, *below = room.seen(ts)
    assert "print(19)\n```\n📎 `code.py`: all of it is below" in answer.text
    if refused:
        assert "couldn't attach `code.py`" in answer.text
        assert f"```py\n{code}```" in answer.text
        assert below == []
    else:
        [shown] = below
        attached = room.slack.attached(room.direct, shown.ts)
        assert attached == {"code.py": code.encode()}
        assert answer.text.endswith("Run it.")


async def test_a_stream_has_cards_that_say_what_claude_did(room: Room) -> None:
    place = Scope("slack", room.slack.team, room.direct)
    change = Change(place, "web_search", "on")
    await room.store.change_settings([change], who="admin", now=1.0)
    gate = asyncio.Event()
    room.model.script(SEARCH, SEARCH, "Paris is", SEARCH, " a city.", gate)
    ts = room.slack.say(room.alice, room.direct, "?")
    await room.shows(ts, "Paris is a city.", streaming=True)
    gate.set()
    await room.shows(ts, "Paris is a city.")
    # One card for what was done several times in a row; none takes a call of its own.
    assert cards(room, ts) == [("Searched the web", "complete")]
    starts, stops = (room.slack.calls_of(name) for name in (START, STOP))
    assert [each["type"] for each in starts[0].value("chunks")] == [
        "task_update",
        "markdown_text",
    ]
    assert "task_update" not in str(stops)


async def test_where_slack_takes_no_cards_the_text_streams_all_the_same(
    room: Room,
) -> None:
    room.slack.streams.takes_cards = False
    place = Scope("slack", room.slack.team, room.direct)
    change = Change(place, "web_search", "on")
    await room.store.change_settings([change], who="admin", now=1.0)
    for _ in range(2):
        room.model.script(SEARCH, "Paris.")
        ts = room.slack.say(room.alice, room.direct, "?")
        await room.shows(ts, "Paris.")
        assert cards(room, ts) == []
    # It is not tried again.
    refused = [call for call in room.slack.calls_of(START) if "task_" in str(call)]
    assert len(refused) <= 1
    assert room.slack.calls_of("chat.update") == []


def cards(room: Room, ts: str) -> list[tuple[str, str]]:
    """Titles and states of the cards in the answer to a question."""
    [seen] = room.seen(ts)
    blocks = room.slack.world.messages[room.direct][seen.ts].blocks or []
    blocks = [each for each in blocks if each["type"] == "task_card"]
    return [(each["title"], each["status"]) for each in blocks]


async def test_a_stream_of_a_thread_that_another_process_took_is_left_to_it(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    ts, [more] = room.begin("The capital", " of France is Paris.")
    await room.shows(ts, "The capital", streaming=True)
    await room.store._write(lambda db: db.execute("UPDATE threads SET epoch = 9"))
    calls = len(room.slack.calls_of(APPEND))
    more.set()
    async with asyncio.timeout(60):
        while "turn.lost" not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert room.slack.calls_of(STOP) == []
    assert len(room.slack.calls_of(APPEND)) == calls
    assert room.seen(ts)[0].streaming
