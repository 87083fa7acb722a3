"""Threadkeep is killed, stopped and started twice, and nothing is lost or doubled.

The points of kills are in `crash_points` and `slack_crash_points`. This module also
kills Threadkeep at every call, tells it to stop, starts it twice, and tests the checks
themselves.
"""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing

import pytest
import pytest_asyncio

from bot.domain.reply import PLACEHOLDER
from tests.emulators.claude.reply import Hold
from tests.emulators.slack.calls import Call as SlackCall
from tests.emulators.slack.faults import ALWAYS
from tests.emulators.slack.faults import hold as late
from tests.emulators.slack.world import Message
from tests.support import (
    crash_points,
    invariants,
    slack_crash_points,
    slack_stream_crash_points,
)
from tests.support.crash_harness import PATIENCE, Repertoire, Scenario, playing
from tests.support.crash_points import never
from tests.support.crash_scenes import SlackScene, on_slack
from tests.support.damaged import damage_large

scenarios = Repertoire[SlackScene](on_slack)

# Seconds in which a process ends that waits for nothing. Less than anything that it
# might wait for; on a busy machine, Python itself takes most of them.
QUICK = 20


# At every call of a turn that reads a thread and is answered in two messages; by the
# last number there are no more.
FIRST_CALL, LAST_CALL = 1, 10

# The calls at which other plots kill it by name, on both sides where these differ: in
# the short form those are all. After a restart, a message for which no post is left
# may be a stream.
NAMED = {
    *("auth.test", "apps.connections.open", "conversations.replies", "users.info"),
    *("assistant.threads.setStatus", "chat.postMessage", "chat.update"),
    *("chat.startStream", "chat.appendStream", "chat.stopStream"),
}

# The call for names of channels in the operator's reports. On PostgreSQL it is made at
# each full minute, whatever is answered then.
OF_REPORTS = "conversations.info"


def killed_at_call(nth: int, *, after: bool) -> Callable[[SlackScene], Awaitable[None]]:
    """Killed at the `nth` call that it makes of Slack, whichever that is."""

    async def play(scene: SlackScene) -> None:
        scene.claude.always(scene.two_messages)
        await scene.start()
        call = scene.hold("*", nth=nth, after=after, when=_is_of_answer)
        restarting = asyncio.create_task(scene.restart_at(call))
        ts = scene.slack.say(scene.alice, scene.general, "the log is long")
        scene.ask("read it", thread_ts=ts)
        await scene.settled(ts, 2)
        await scene.stored("delivered")
        if call.struck:
            await restarting
        restarting.cancel()
        await scene.end()
        assert nth < LAST_CALL or not call.struck
        here = (None, scene.general)
        seen = (e for e in scene.calls if e.arguments.get("channel") in here)
        assert {e.method for e in seen if _is_of_answer(e)} <= NAMED

    play.__name__ = f"killed_at_call_{nth}_{'after' if after else 'before'}_its_effect"
    return play


def _is_of_answer(call: SlackCall) -> bool:
    return call.method != OF_REPORTS


for nth in range(FIRST_CALL, LAST_CALL + 1):
    for after in (False, True):
        is_deep = nth < LAST_CALL or after
        scenarios.add(deep=is_deep)(killed_at_call(nth, after=after))


# Told to stop.


@scenarios.add(grace=1)
async def told_to_stop_it_hands_a_long_answer_over(scene: SlackScene) -> None:
    scene.claude.script(["Half of it", never()], [never()], "All of it.", "More.")
    ts = await scene.opens_with("all of it")
    await scene.answered(ts, "Half of it …")
    scene.slack.say(scene.bob, scene.general, "and more", thread_ts=ts)
    await scene.heard()
    [posted] = scene.replies(ts)
    # Twice: one who is told to stop has not failed, and uses up no attempt.
    assert 1 <= await scene.stop() < QUICK
    await scene.start()
    await scene.asked(2)
    assert 1 <= await scene.stop() < QUICK
    await scene.start()
    await scene.ends_with(ts, "All of it.", "More.")
    assert scene.replies(ts)[0].ts == posted.ts


@scenarios.add(grace=1)
async def told_to_stop_it_does_not_wait_for_slack(scene: SlackScene) -> None:
    scene.claude.script("Paris.")
    await scene.start()
    silence = asyncio.Event()
    scene.slack.faults.add("*", late(silence), times=ALWAYS)
    ts = scene.ask("and the capital?")
    await scene.until(lambda: scene.calls_of("chat.postMessage"))
    assert await scene.stop() < QUICK
    scene.slack.faults.clear()
    await scene.start()
    await scene.ends_with(ts, "Paris.")
    # With an answer, the post that nobody waits for would have its effect.
    await scene.close()
    silence.set()


@scenarios.add()
async def what_is_said_while_it_stops_is_answered_by_the_next(
    scene: SlackScene,
) -> None:
    gate = asyncio.Event()
    scene.claude.script(["One", Hold(gate), "."], "Two.")
    ts = await scene.opens_with("first")
    await scene.answered(ts, "One …")
    stopping = asyncio.create_task(scene.stop())
    await scene.until(lambda: not scene.slack.connections)
    scene.slack.say(scene.bob, scene.general, "second", thread_ts=ts)
    gate.set()
    await stopping
    # A short answer is finished first.
    assert scene.texts(ts) == ["One."]
    await scene.start()
    await scene.ends_with(ts, "One.", "Two.")


# Started the way that operators start it, as no other is. The others that are told to
# stop get SIGTERM.
@scenarios.add(cold=True)
async def idle_it_stops_at_once_on_sigint(scene: SlackScene) -> None:
    ts = await scene.opens_with("hello")
    await scene.settled(ts)
    await scene.stored("delivered")
    assert await scene.stop(signal.SIGINT) < QUICK
    assert "Traceback" not in scene.process.output
    scene.check()


# Two of them.


@scenarios.add(on_server=False)
async def a_second_process_on_the_same_file_gives_up(scene: SlackScene) -> None:
    await scene.start()
    second = await scene.start_another()
    assert await second.ended(PATIENCE) == 2
    assert second.output == (
        f"threadkeep: Another threadkeep is using {scene.process.database}; stop it "
        "first, or set THREADKEEP_DB to another file.\n"
    )
    ts = scene.ask("are you still there?")
    await scene.settled(ts)
    # A lock goes with its process, however that ends.
    await scene.restart()
    await scene.end()


@scenarios.add(alone=True, on_server=False)
async def a_large_damaged_file_ends_it_once_it_listens(scene: SlackScene) -> None:
    damage_large(scene.process.database)
    await scene.begin()
    assert await scene.process.ended(PATIENCE) == 2
    assert scene.slack.socket.opened == 1
    (said,) = (
        line for line in scene.process.output.splitlines() if "threadkeep: " in line
    )
    assert f"{scene.process.database} is damaged" in said
    assert "restore it from a backup" in said


# That we would notice.


@scenarios.add(alone=True, on_server=False)
async def the_checks_see_what_is_wrong(scene: SlackScene) -> None:
    scene.claude.script("Paris.")
    ts = await scene.opens_with("and the capital?")
    await scene.ends_with(ts, "Paris.")
    await scene.close()
    world, database = scene.slack.world, scene.process.database

    def sees(*sentences: str) -> None:
        found = "\n".join(invariants.faults(scene.claude, database, scene.witness))
        assert [each for each in sentences if each not in found] == [], found

    [reply] = world.replies(scene.general, ts)
    world.edit(reply, text=PLACEHOLDER, blocks=None)
    sees("looks unfinished", "took its words back")
    sees("does not read what it was to read", "is remembered otherwise")
    world.edit(reply, text="Paris.", blocks=None)
    sees("changed after it was finished")
    world.delete(reply)
    sees("shows parts []")
    stray = Message(world.next_ts(), scene.general, world.bot.id, "!", thread_ts=ts)
    world.post(stray)
    sees("belongs to no turn of its thread")
    world.set_status(scene.general, ts, "is thinking…")
    sees("still is thinking…")
    scene.claude.requests *= 2
    sees("2 times in 1 attempts")
    scene.ask("and of Spain?", thread_ts=ts)
    sees("was never acknowledged", "belongs to 0 turns")
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("UPDATE turns SET state = 'answering'")
        db.execute("UPDATE replies SET turn_id = 99")
    sees("is answering", "refers to nothing")


def scenes() -> list[Scenario]:
    plots = (
        slack_crash_points.scenarios,
        crash_points.slack,
        slack_stream_crash_points.scenarios,
        scenarios,
    )
    return [scenario for each in plots for scenario in each.all]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[Scenario, asyncio.Future[None]]]:
    """Those scenes that are to be tested, all begun: mostly they wait."""
    names = {each.name for each in request.session.items}
    name = test_nothing_is_lost_or_doubled.__name__
    chosen = [each for each in scenes() if f"{name}[{each}]" in names]
    async with playing(chosen, tmp_path_factory.mktemp) as tasks:
        yield tasks


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("scenario", scenes(), ids=str)
async def test_nothing_is_lost_or_doubled(
    scenario: Scenario, played: dict[Scenario, asyncio.Future[None]]
) -> None:
    await played[scenario]
