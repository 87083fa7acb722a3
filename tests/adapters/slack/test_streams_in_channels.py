"""Answers in channels as native Slack streams, when the limits of posts and edits are
reached.

The asker sees them grow, everybody sees them when edits would show them, and after any
failure of a stream the answer continues with posts and edits."""

import asyncio
from collections.abc import Sequence

import pytest

from bot.domain.scope import Scope
from bot.domain.setting import Change
from tests.adapters.slack.conftest import Office
from tests.emulators.slack.faults import ALWAYS, Fault, cut, error, throttle
from tests.emulators.slack.world import Seen
from tests.support.scripted_model import Line

START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"
POST, EDIT = "chat.postMessage", "chat.update"

PIECES = ("The capital", " of all of France", " is Paris.")


def begin(
    office: Office, pieces: Sequence[str] = PIECES
) -> tuple[str, list[asyncio.Event]]:
    """Let Alice ask, and Claude answer in pieces; each but the first waits for its
    event."""
    gates = [asyncio.Event() for _ in pieces[1:]]
    script: list[Line] = [pieces[0]]
    for gate, piece in zip(gates, pieces[1:], strict=True):
        script += [gate, piece]
    office.model.script(*script)
    return office.ask("?"), gates


def seen(office: Office, ts: str) -> Seen:
    """Return the bot's only message below a question."""
    [found] = [each for each in office.slack.thread(office.general, ts) if each.bot]
    return found


async def shows(office: Office, ts: str, text: str, *, streaming: bool = False) -> None:
    """Wait until the answer is one message that reads `text`."""

    def is_so() -> bool:
        found = [each for each in office.slack.thread(office.general, ts) if each.bot]
        return [(each.text, each.streaming) for each in found] == [(text, streaming)]

    await office.slack.until(is_so)


async def test_where_a_post_would_wait_an_answer_is_a_stream(office: Office) -> None:
    office.slack.faults.add(POST, throttle(60))
    ts, [more, last] = begin(office)
    await shows(office, ts, "The capital", streaming=True)
    more.set()
    await shows(office, ts, "The capital of all of France", streaming=True)
    last.set()
    await shows(office, ts, "The capital of all of France is Paris.")
    assert [each.label for each in seen(office, ts).controls] == ["Retry", "Receipt"]
    assert seen(office, ts).metadata is not None
    [start] = office.slack.calls_of(START)
    assert start.arguments["recipient_user_id"] == office.alice
    assert office.slack.calls_of(EDIT) == []


async def test_where_a_post_would_wait_a_whole_answer_is_started_and_stopped(
    office: Office,
) -> None:
    office.slack.faults.add(POST, throttle(60))
    ts, [last] = begin(office, ("It is ", "Paris."))
    last.set()
    await shows(office, ts, "It is Paris.")
    assert [each.label for each in seen(office, ts).controls] == ["Retry", "Receipt"]
    assert len(office.slack.calls_of(STOP)) == 1


async def test_in_the_turn_of_its_edit_a_stream_is_stopped_for_everybody(
    office: Office,
) -> None:
    # Edits stand still for so long that the next answer is a stream.
    office.slack.faults.add(EDIT, throttle(3))
    ts, [last] = begin(office, PIECES[:2])
    await shows(office, ts, "The capital …")
    last.set()
    await office.slack.until(lambda: office.slack.calls_of(EDIT))
    ts, [more, last] = begin(office)
    await shows(office, ts, "The capital", streaming=True)
    more.set()
    await shows(office, ts, "The capital of all of France", streaming=True)
    await shows(office, ts, "The capital of all of France …")
    # It looks like any answer that grows.
    assert [each.label for each in seen(office, ts).controls] == ["Stop"]
    last.set()
    await shows(office, ts, "The capital of all of France is Paris.")
    assert len(office.slack.calls_of(START)) == 1
    assert len(office.slack.calls_of(STOP)) == 1


# Each fault is met in direct messages, by `test_native_streams`.
@pytest.mark.parametrize(
    ("method", "fault"),
    [(APPEND, error("message_not_in_streaming_state")), (STOP, cut(after=True))],
    ids=["appended", "stopped"],
)
async def test_a_stream_that_breaks_goes_on_as_a_message_that_is_edited(
    office: Office, method: str, fault: Fault
) -> None:
    office.slack.faults.add(POST, throttle(60))
    office.slack.faults.add(method, fault)
    ts, [more, last] = begin(office)
    await shows(office, ts, "The capital", streaming=True)
    more.set()
    await office.slack.until(lambda: office.slack.calls_of(APPEND))
    last.set()
    await shows(office, ts, "The capital of all of France is Paris.")


@pytest.mark.parametrize("name", ["not_in_channel", "channel_type_not_supported"])
async def test_where_the_app_may_post_and_not_stream_it_posts(
    office: Office, name: str
) -> None:
    office.slack.faults.add(POST, throttle(1), times=1)
    office.slack.faults.add(START, error(name), times=ALWAYS)
    ts, [more, last] = begin(office)
    await office.slack.until(lambda: office.slack.calls_of(START))
    more.set()
    last.set()
    await shows(office, ts, "The capital of all of France is Paris.")
    # It is remembered, for this channel or for all of its type.
    office.slack.faults.add(POST, throttle(1), times=1)
    ts, [more, last] = begin(office)
    more.set()
    last.set()
    await shows(office, ts, "The capital of all of France is Paris.")
    assert len(office.slack.calls_of(START)) == 1


async def test_told_to_wait_for_starts_it_posts_and_edits(office: Office) -> None:
    office.slack.faults.add(POST, throttle(2))
    office.slack.faults.add(START, throttle(60))
    ts, [more, last] = begin(office)
    await shows(office, ts, "The capital …")
    more.set()
    await shows(office, ts, "The capital of all of France …")
    last.set()
    await shows(office, ts, "The capital of all of France is Paris.")
    assert len(office.slack.calls_of(START)) == 1


async def test_somebody_of_another_organisation_sees_a_stream_of_their_own_workspace(
    office: Office,
) -> None:
    stan = office.slack.add_user("Stan", team="T99999999")
    place = Scope("slack", office.slack.team, office.general)
    await office.store.change_settings(
        [Change(place, "who", f"user:{stan}")], who=office.alice, now=1.0
    )
    office.slack.faults.add(POST, throttle(60))
    gate = asyncio.Event()
    office.model.script("The capital", gate, " is Paris.")
    ts = office.slack.say(stan, office.general, f"{office.slack.mention} ?")
    await office.slack.until(lambda: office.slack.calls_of(START))
    gate.set()
    await office.slack.until(
        lambda: any(
            each.bot and "The capital is Paris." in each.text and not each.streaming
            for each in office.slack.thread(office.general, ts)
        ),
    )
    [start] = office.slack.calls_of(START)
    assert start.outcome == "ok"
    assert start.arguments["recipient_user_id"] == stan
    assert start.arguments["recipient_team_id"] == "T99999999"
