"""Tasks that only one process does at a time, and that another one takes over when the
first is killed."""

from pathlib import Path

import pytest

from tests.emulators.slack import faults
from tests.support.process import Nursery
from tests.support.scale_harness import cluster

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Older than what Slack repeats, and young enough to be answered.
OLD = 600.0

CATCHING_UP = """
    SELECT processes.name FROM outages JOIN processes ON processes.id = owner
"""


async def test_what_was_missed_is_fetched_by_one_gateway_and_then_another(
    tmp_path: Path, nursery: Nursery
) -> None:
    async with cluster(tmp_path, nursery) as town:
        town.slack.world._epoch -= OLD
        town.claude.always("Paris.")
        gateway = await town.start("gateway")
        await town.start("work")
        ts = town.say("?")
        await town.until(lambda: town.replies(ts) == ["Paris."])
        await town.delivered()
        await town.crash(gateway)
        heard = set(town.slack.feed.subscribed)
        town.slack.feed.subscribed.clear()
        town.say("And now?", thread_ts=ts)
        town.slack.feed.subscribed.update(heard)

        reading = town.slack.faults.add(
            "conversations.replies",
            faults.hold(3600.0),
            when=lambda call: call.value("oldest") is not None,
        )
        first = await town.start("gateway")
        await town.until(lambda: reading.struck)
        second = await town.start("gateway")
        await town.until(lambda: "slack.listening" in second.output)
        [(name,)] = town.ask(CATCHING_UP)
        assert str(name).endswith(f":{first.pid}")
        assert "slack.catching_up" not in second.output
        await town.crash(first)
        await town.until(lambda: town.replies(ts) == ["Paris.", "Paris."])
        await town.delivered()
        assert second.output.count("slack.catching_up") == 1
        await town.until(lambda: town.ask(CATCHING_UP) == [])
        assert len(town.claude.sent) == 2
