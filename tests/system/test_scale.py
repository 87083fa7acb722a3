"""Gateways and workers as processes on one PostgreSQL database, some of which are
killed, frozen and stopped."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.messages.answers import CROWDED
from tests.emulators.claude.reply import Hold, Step
from tests.emulators.slack.faults import hold as late
from tests.support.deep import deep_only, rounds
from tests.support.process import Nursery, Process
from tests.support.scale_harness import Cluster, cluster

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWNER = """
    SELECT processes.name FROM threads
    JOIN processes ON processes.id = owner
    WHERE threads.thread = %s
"""
ATTEMPTS = """
    SELECT attempts, state FROM turns JOIN threads ON threads.id = thread_id
    WHERE threads.thread = %s
"""
ENDED = """
    SELECT ended FROM turns JOIN threads ON threads.id = thread_id
    WHERE threads.thread = %s ORDER BY turns.id
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def everybody(
    tmp_path_factory: pytest.TempPathFactory, nursery: Nursery
) -> AsyncIterator[Cluster]:
    """The processes of most tests."""
    async with cluster(tmp_path_factory.mktemp("town"), nursery) as opened:
        # Edits and posts can be told apart, and two answers fill all places.
        opened.env = {"SLACK_NATIVE_STREAMS": "off", "THREADKEEP_ANSWERS_AT_ONCE": "1"}
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def town(everybody: Cluster) -> Cluster:
    """One gateway and two workers; those that an earlier test ended are replaced. Each
    test has its own threads."""
    everybody.slack.faults.clear()
    everybody.claude.forget_scripts()
    for role, count in (("gateway", 1), ("work", 2)):
        for _ in range(count - len(everybody.running(role))):
            await everybody.start(role)
    await everybody.until(lambda: everybody.listed() == ["gateway", "work", "work"])
    return everybody


async def begin(town: Cluster) -> tuple[str, Process, asyncio.Event]:
    """Have a question answered up to its first words; return its ts, the process that
    answers, and what Claude waits for before it goes on."""
    gate = asyncio.Event()
    town.claude.script(["Paris is ", Hold(gate), "the capital."])
    ts = town.say("?")
    await town.until(lambda: "Paris is" in "".join(town.replies(ts)))
    [(name,)] = town.ask(OWNER, ts)
    pid = str(name).rpartition(":")[2]
    [process] = [each for each in town.processes if str(each.pid) == pid]
    return ts, process, gate


async def answered(town: Cluster, ts: str, text: str) -> None:
    """Wait until the answer reads `text`, alone, and is stored as delivered."""
    await town.until(lambda: town.replies(ts) == [text])
    await town.delivered()
    assert town.replies(ts) == [text]


async def test_a_question_is_heard_by_one_process_and_answered_by_another(
    town: Cluster,
) -> None:
    town.claude.always("Paris.")
    asked = [town.say("?") for _ in range(rounds(6, 60))]
    for ts in asked:
        await answered(town, ts, "Paris.")
    # In one thread, one after the other.
    for _ in range(2):
        town.say("and?", thread_ts=asked[0])
    await town.until(lambda: len(town.replies(asked[0])) >= 2)
    await town.delivered()
    [gateway] = town.running("gateway")
    assert "turn.done" not in gateway.output
    assert all("message.heard" not in each.output for each in town.running("work"))
    # None opens a port that nobody asked for.
    assert all("web.listening" not in each.output for each in town.processes)


async def test_who_waits_is_told_and_a_word_stops_an_answer_of_another_process(
    town: Cluster,
) -> None:
    ts, _, gate = await begin(town)
    second = town.say("And of Italy?", thread_ts=ts)

    def signs() -> tuple[str, ...]:
        return town.slack.message(town.channel, second).reactions

    await town.until(signs)
    town.claude.script(["Rome."])
    town.slack.say(town.alice, town.channel, "stop", thread_ts=ts)
    await town.until(lambda: town.replies(ts)[1:] == ["Rome."])
    await town.delivered()
    gate.set()
    assert "the capital" not in town.replies(ts)[0]
    ended = town.ask(ENDED, ts)
    assert ended == [("stopped",), ("done",)]
    await town.until(lambda: not signs())


async def test_the_answer_of_a_killed_worker_is_written_by_another(
    town: Cluster,
) -> None:
    ts, process, gate = await begin(town)
    town.claude.script(["Paris is the capital of France."])
    await town.crash(process)
    await answered(town, ts, "Paris is the capital of France.")
    gate.set()
    assert town.ask(ATTEMPTS, ts) == [(2, "delivered")]


async def test_a_worker_that_stops_gives_back_what_it_cannot_finish(
    town: Cluster,
) -> None:
    ts, process, gate = await begin(town)
    town.claude.script(["Paris is the capital of France."])
    await town.stop(process)
    await answered(town, ts, "Paris is the capital of France.")
    gate.set()
    assert town.listed() == ["gateway", "work"]


async def test_people_take_turns_while_all_workers_are_full(town: Cluster) -> None:
    bob, carol = town.slack.add_user("Bob"), town.slack.add_user("Carol")
    first, second = asyncio.Event(), asyncio.Event()
    town.claude.script(["Paris", Hold(first)], ["Paris", Hold(first)])
    town.claude.always(["Paris", Hold(second)])

    def say(person: str) -> str:
        return town.slack.say(person, town.channel, f"{town.slack.mention} ?")

    asked = [say(bob) for _ in range(2)]
    await town.until(lambda: all("Paris" in "".join(town.replies(a)) for a in asked))
    asked += [say(bob) for _ in range(3)]
    waiting = "SELECT count(*) FROM turns WHERE state = 'waiting'"
    await town.until(lambda: town.ask(waiting) == [(3,)])
    theirs = say(carol)
    for person in (bob, carol):
        await town.until(lambda who=person: town.slack.ephemerals(who))  # type: ignore[misc]
        assert [each.text for each in town.slack.ephemerals(person)] == [CROWDED]
    # One of the three that came before is in front of the other person.
    first.set()
    await town.until(lambda: town.ask(waiting) == [(2,)])
    await town.until(lambda: "Paris" in "".join(town.replies(theirs)))
    second.set()
    for ts in (*asked, theirs):
        await answered(town, ts, "Paris")
    assert len(town.slack.ephemerals(bob)) == 1


#: Cuts off a process, which is then taken for dead as soon as others have seen it.
CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = (
        SELECT 'threadkeep ' || id FROM processes WHERE name LIKE '%%:' || %s
    )
"""


async def frozen(town: Cluster, ts: str) -> Process:
    """Freeze the process that answers in a thread and cut it off; return it."""
    [(name,)] = town.ask(OWNER, ts)
    pid = str(name).rpartition(":")[2]
    [process] = [each for each in town.processes if str(each.pid) == pid]
    process.kill(signal.SIGSTOP)
    town.ask(CUT, pid)
    return process


async def late_and_taken_back(town: Cluster, method: str) -> None:
    """Have an answer begin with a call of `method`, which arrives when it is too
    late."""
    let_go = asyncio.Event()
    held = town.slack.faults.add(method, late(let_go))
    ts = town.say("?")
    await town.until(lambda: held.struck)
    process = await frozen(town, ts)
    await answered(town, ts, "Paris.")
    let_go.set()
    await town.until(lambda: len(town.replies(ts)) == 2)
    process.kill(signal.SIGCONT)
    await town.until(lambda: town.replies(ts) == ["Paris."])
    assert "reply.taken_back" in process.output


async def test_what_a_worker_posts_after_it_was_frozen_is_taken_back(
    town: Cluster,
) -> None:
    town.claude.always("Paris.")
    await late_and_taken_back(town, "chat.postMessage")


@pytest.mark.parametrize("_", deep_only("streams"))
async def test_a_stream_that_a_worker_begins_after_it_was_frozen_is_taken_back(
    tmp_path: Path, nursery: Nursery, _: str
) -> None:
    async with cluster(tmp_path, nursery) as town:
        town.env = {"SLACK_NATIVE_STREAMS": "all"}
        for role in ("gateway", "work", "work"):
            await town.start(role)
        # An answer that is there at once is posted.
        town.claude.script(["Paris", Hold(asyncio.Event())])
        town.claude.always("Paris.")
        await late_and_taken_back(town, "chat.startStream")


async def test_what_a_worker_edits_after_it_was_frozen_is_written_again(
    town: Cluster,
) -> None:
    let_go, gate = asyncio.Event(), asyncio.Event()
    much = "a city that has been the capital of all of France for a thousand years"
    begun: list[Step] = ["Paris is ", Hold(gate), much, Hold(asyncio.Event())]
    town.claude.script(begun)
    town.claude.always("Paris is the capital.")
    ts = town.say("?")
    await town.until(lambda: "Paris is" in "".join(town.replies(ts)))
    held = town.slack.faults.add("chat.update", late(let_go))
    gate.set()
    await town.until(lambda: held.struck)
    process = await frozen(town, ts)
    await answered(town, ts, "Paris is the capital.")
    let_go.set()
    await town.until(lambda: town.replies(ts) == [f"Paris is {much} …"])
    process.kill(signal.SIGCONT)
    await answered(town, ts, "Paris is the capital.")
    # Both had booked their edits on the rate that all processes share.
    assert ("edit",) in town.ask("SELECT kind FROM write_rates")


@pytest.mark.parametrize("_", deep_only("frozen"))
async def test_a_frozen_worker_that_wakes_writes_nothing_more(
    town: Cluster, _: str
) -> None:
    ts, process, gate = await begin(town)
    town.claude.script(["Paris is the capital of France."])
    process.kill(signal.SIGSTOP)
    await answered(town, ts, "Paris is the capital of France.")
    calls = len(town.slack.calls_of("chat.update"))
    process.kill(signal.SIGCONT)
    gate.set()
    await town.until(lambda: "turn.lost" in process.output)
    assert "process.was_reaped" in process.output
    assert town.replies(ts) == ["Paris is the capital of France."]
    assert len(town.slack.calls_of("chat.update")) == calls
    # It answers again.
    town.claude.always("Paris.")
    for ts in [town.say("?") for _ in range(8)]:
        await answered(town, ts, "Paris.")
