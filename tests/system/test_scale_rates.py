"""Workers that share the rate limits of one Slack workspace."""

from pathlib import Path

import pytest

from tests.emulators.claude.reply import Pause
from tests.emulators.slack.rates import RATES
from tests.support.deep import rounds
from tests.support.process import Nursery
from tests.support.scale_harness import Cluster, cluster

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "The capital of France is Paris, and has been for a long time."


async def answered(town: Cluster, ts: str) -> None:
    await town.until(lambda: [each.strip() for each in town.replies(ts)] == [WORDS])


async def test_workers_together_keep_to_the_limits_of_a_workspace(
    tmp_path: Path, nursery: Nursery
) -> None:
    answers, workers = rounds(12, 50), rounds(2, 4)
    # More edits than the workspace allows, if each worker had the limit for itself.
    growing = [part for word in WORDS.split() for part in (f"{word} ", Pause(0.3))]
    async with cluster(tmp_path, nursery, rates=RATES) as town:
        town.claude.always(growing)
        await town.start("gateway")
        for _ in range(workers):
            await town.start("work")
        asked = [town.say("?") for _ in range(answers)]
        for ts in asked:
            await answered(town, ts)
        await town.delivered()
        assert town.slack.refused == {}
        rows = town.ask("SELECT kind FROM write_rates ORDER BY kind")
        assert ("edit",) in rows
