"""Kill points while an answer is a native Slack stream, which has no metadata before
its end."""

import asyncio

from tests.emulators.claude.reply import Hold
from tests.emulators.slack.world import Seen
from tests.support.crash_harness import Repertoire
from tests.support.crash_points import never
from tests.support.crash_scenes import SlackScene, on_slack

scenarios = Repertoire[SlackScene](on_slack)

HALF, WHOLE = "The capital of France", "It is Paris."


async def asked(scene: SlackScene) -> tuple[str, str]:
    """Start Threadkeep, and let Alice ask in her direct messages. Return channel and
    ts."""
    scene.claude.script([HALF, never()], WHOLE)
    await scene.start()
    direct = scene.slack.open_dm(scene.alice)
    return direct, scene.slack.say(scene.alice, direct, "and the capital?")


def replies(scene: SlackScene, direct: str, ts: str) -> list[Seen]:
    return [each for each in scene.slack.thread(direct, ts) if each.bot]


async def ends(scene: SlackScene, direct: str, ts: str, *texts: str) -> None:
    """Wait until the answer reads `texts` and is no longer a stream; then end the
    scene."""

    def is_so() -> bool:
        seen = replies(scene, direct, ts)
        over = not any(each.streaming for each in seen)
        return over and [each.text for each in seen] == [*texts]

    await scene.until(is_so)
    await scene.end()


@scenarios.add()
async def killed_while_a_stream_grows(scene: SlackScene) -> None:
    direct, ts = await asked(scene)
    await scene.until(lambda: replies(scene, direct, ts)[0].streaming)
    await scene.restart()
    await ends(scene, direct, ts, WHOLE)


# In the long form only: nothing is to be seen, as when a post had no effect.
@scenarios.add(deep=True)
async def killed_while_a_stream_begins_before_its_effect(scene: SlackScene) -> None:
    start = scene.hold("chat.startStream")
    direct, ts = await asked(scene)
    await scene.restart_at(start)
    await ends(scene, direct, ts, WHOLE)


@scenarios.add()
async def killed_while_a_stream_begins_after_its_effect(scene: SlackScene) -> None:
    start = scene.hold("chat.startStream", after=True)
    direct, ts = await asked(scene)
    await scene.restart_at(start)
    await ends(scene, direct, ts, WHOLE)


@scenarios.add()
async def killed_while_a_stream_ends(scene: SlackScene) -> None:
    gate = asyncio.Event()
    stop = scene.hold("chat.stopStream", after=True)
    scene.claude.script([HALF, Hold(gate), " is Paris."])
    await scene.start()
    direct = scene.slack.open_dm(scene.alice)
    ts = scene.slack.say(scene.alice, direct, "and the capital?")
    await scene.until(lambda: replies(scene, direct, ts))
    gate.set()
    await scene.restart_at(stop)
    await ends(scene, direct, ts, f"{HALF} is Paris.")
    assert len(scene.questions) == 1
