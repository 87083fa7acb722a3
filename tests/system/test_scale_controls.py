"""Controls, commands and reports of health while gateways and workers share one
database.

The process that receives them is not the one that answers, and the two events of a
mention may reach different processes."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from bot.messages.answers import BUSY
from bot.messages.commands import RENEWED, STOPPING
from tests.emulators.claude.reply import Asked, Hold, Stop
from tests.emulators.slack import faults
from tests.support.process import Nursery, Process
from tests.support.scale_harness import Cluster, cluster

pytestmark = pytest.mark.asyncio(loop_scope="module")

LISTENING = re.compile(r"web\.listening address=(http://127\.0\.0\.1:\d+)")
HALF = "The capital of France "
ENDED = """
    SELECT ended FROM turns JOIN threads ON threads.id = thread_id
    WHERE thread = %s ORDER BY turns.id
"""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def everybody(
    tmp_path_factory: pytest.TempPathFactory, nursery: Nursery
) -> AsyncIterator[Cluster]:
    """Two gateways and two workers, which report their health. The last one finds its
    address in use."""
    async with cluster(tmp_path_factory.mktemp("town"), nursery) as opened:
        # Only what is edited has a button.
        opened.env = {"SLACK_NATIVE_STREAMS": "off", "THREADKEEP_WEB": "127.0.0.1:0"}
        for role in ("gateway", "gateway", "work"):
            await opened.start(role)
        taken = await address_of(opened, opened.processes[0])
        opened.env["THREADKEEP_WEB"] = taken.removeprefix("http://")
        await opened.start("work")
        yield opened


@pytest.fixture
def town(everybody: Cluster) -> Cluster:
    """The cluster of all tests, cleared; each test has its own threads."""
    everybody.slack.faults.clear()
    everybody.claude.requests.clear()
    return everybody


async def address_of(town: Cluster, process: Process) -> str:
    """Return the address at which `process` reports its health."""
    await town.until(lambda: LISTENING.search(process.output))
    found = LISTENING.search(process.output)
    assert found
    return found[1]


async def begin(town: Cluster, thread: str | None = None) -> str:
    """Have a question answered up to its first words, and no further; return its ts."""
    town.claude.script([HALF, Hold(asyncio.Event())])
    ts = town.say("?", thread_ts=thread)
    await town.until(lambda: HALF.strip() in last(town, thread or ts))
    return ts


def last(town: Cluster, thread: str) -> str:
    """Return the text of the bot's last message in `thread`; "" before there is one."""
    return (["", *town.replies(thread)])[-1]


def asked(town: Cluster) -> list[Asked]:
    """Return the questions that reached Claude."""
    return [each for each in town.claude.requests if each.path == "/v1/messages"]


async def press(town: Cluster, thread: str, label: str) -> None:
    """Let Alice press the button that reads `label` below the last answer."""

    def found() -> list[tuple[str, str]]:
        return [
            (seen.ts, control.action)
            for seen in town.slack.thread(town.channel, thread)
            for control in seen.controls
            if control.label == label
        ]

    await town.until(found)
    ts, action = found()[-1]
    sent = town.slack.press(town.alice, town.channel, ts, action)
    await town.until(lambda: sent.acked)


async def test_controls_work_whichever_process_answers(town: Cluster) -> None:
    ts = await begin(town)
    await press(town, ts, "Stop")
    await town.until(lambda: last(town, ts).endswith("_Stopped._"))
    await town.delivered()

    town.claude.script([HALF, Stop("max_tokens")])
    await press(town, ts, "Retry")
    await town.until(lambda: "length limit" in last(town, ts))
    await town.delivered()

    town.claude.script("is Paris.")
    await press(town, ts, "Continue")
    await town.until(lambda: last(town, ts) == "is Paris.")
    await town.delivered()
    assert len(asked(town)) == 3
    assert town.ask(ENDED, ts) == [("stopped",), ("done",), ("done",)]

    # `new` is typed, so that it comes as two events; it is carried out once.
    await begin(town, ts)
    town.say("new", thread_ts=ts)
    await town.until(lambda: RENEWED in town.replies(ts))
    await town.delivered()
    # Slack tells of it again, to whichever gateway.
    for each in list(town.slack.deliveries):
        if str(each.event.get("text", "")).endswith("> new"):
            town.slack.socket.deliver(each.payload)
    await town.until(lambda: town.slack.settled)
    town.claude.script("Rome.")
    town.say("And of Italy?", thread_ts=ts)
    await town.until(lambda: last(town, ts) == "Rome.")
    await town.delivered()
    assert town.replies(ts).count(RENEWED) == 1
    assert town.ask(ENDED, ts)[-2:] == [("stopped",), ("done",)]
    # Claude reads nothing of what was said above.
    assert len(asked(town)[-1].body["messages"]) == 1


async def test_stop_in_a_channel_ends_what_its_author_asked_there(
    town: Cluster,
) -> None:
    bob = town.slack.add_user("Bob")
    mine = [await begin(town) for _ in range(2)]
    gate = asyncio.Event()
    town.claude.script([HALF, Hold(gate), "is Paris."])
    said = f"{town.slack.mention} ?"
    theirs = town.slack.say(bob, town.channel, said)
    await town.until(lambda: HALF.strip() in last(town, theirs))
    typed = town.say("stop")
    for ts in mine:
        await town.until(lambda ts=ts: last(town, ts).endswith("_Stopped._"))  # type: ignore[misc]

    def told() -> list[str]:
        return [each.text for each in town.slack.ephemerals(town.alice)]

    await town.until(told)
    gate.set()
    await town.until(lambda: last(town, theirs) == f"{HALF}is Paris.")
    await town.delivered()
    # Both of its events were heard, and one of them counted.
    assert told().count(STOPPING) == 1
    assert town.replies(typed) == []


async def test_a_second_asker_is_told_once_that_an_answer_of_another_process_runs(
    town: Cluster,
) -> None:
    bob = town.slack.add_user("Bob")
    town.slack.faults.add("reactions.add", faults.error("missing_scope"), times=99)
    ts = await begin(town)
    for _ in range(2):
        said = f"{town.slack.mention} And of Italy?"
        town.slack.say(bob, town.channel, said, thread_ts=ts)

    def told() -> list[str]:
        return [each.text for each in town.slack.ephemerals(bob)]

    await town.until(told)
    heard = "SELECT count(*) FROM messages WHERE author = %s"
    await town.until(lambda: town.ask(heard, bob) == [(2,)])
    town.claude.script("Rome.")
    await press(town, ts, "Stop")
    await town.until(lambda: last(town, ts) == "Rome.")
    await town.delivered()
    assert told() == [BUSY]


async def test_a_stop_is_seen_though_its_notification_is_lost(town: Cluster) -> None:
    ts = await begin(town)
    town.ask("ALTER TABLE turns DISABLE TRIGGER threadkeep_turn_stops")
    try:
        await press(town, ts, "Stop")
        await town.until(lambda: last(town, ts).endswith("_Stopped._"))
    finally:
        town.ask("ALTER TABLE turns ENABLE TRIGGER threadkeep_turn_stops")
    await town.delivered()


async def test_a_gateway_and_a_worker_report_their_health(town: Cluster) -> None:
    async with ClientSession(raise_for_status=True) as session:
        for process in (town.running("gateway")[0], town.running("work")[0]):
            address = await address_of(town, process)
            async with session.get(f"{address}/readyz") as response:
                assert (await response.json())["ready"]
            async with session.get(f"{address}/healthz") as response:
                assert await response.json() == {"alive": True}
            async with session.get(f"{address}/metrics") as response:
                assert "threadkeep_ready 1.0" in await response.text()


async def test_a_worker_that_finds_its_address_in_use_says_so_and_works(
    town: Cluster,
) -> None:
    first, late = town.running("work")
    taken = await address_of(town, town.running("gateway")[0])
    taken = taken.removeprefix("http://")
    assert f"Another process uses {taken}" in late.output
    await town.stop(first)
    town.claude.script("Paris.")
    ts = town.say("?")
    await town.until(lambda: town.replies(ts) == ["Paris."])
    await town.delivered()
