"""Workers that share the rate limits of one Slack workspace."""

from pathlib import Path

import pytest

from tests.emulators.claude.reply import Pause
from tests.emulators.slack.rates import RATES
from tests.support.deep import deep_only
from tests.support.process import Nursery
from tests.support.scale_harness import Cluster, cluster

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = "The capital of France is Paris, and has been for a long time."


async def answered(town: Cluster, ts: str) -> None:
    await town.until(lambda: [each.strip() for each in town.replies(ts)] == [WORDS])


# The short form plays the same with simulated processes, in tests/unit/delivery.
@pytest.mark.parametrize("_", deep_only("workers"))
async def test_workers_together_keep_to_the_limits_of_a_workspace(
    tmp_path: Path, nursery: Nursery, _: str
) -> None:
    answers, workers = 50, 4
    # More edits than the workspace allows, if each worker had the limit for itself.
    growing = [part for word in WORDS.split() for part in (f"{word} ", Pause(0.3))]
    async with cluster(tmp_path, nursery, rates=RATES) as town:
        town.claude.always(growing)
        for role in ("gateway", *["work"] * workers):
            await town.start(role)
        asked = [town.say("?") for _ in range(answers)]
        for ts in asked:
            await answered(town, ts)
        await town.delivered()
        assert town.slack.refused == {}
