"""Threadkeep on Discord is killed and stopped, and nothing is lost or doubled.

Rule: a scenario states where Threadkeep is caught and what people see in the end. Each
scenario ends with `invariants.check`, which checks everything else.
"""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.emulators.discord.faults import THREADS
from tests.support import crash_points, invariants
from tests.support.crash_harness import Repertoire, Scenario, playing
from tests.support.crash_points import (
    AFTER,
    CUT,
    half_answered,
    never,
    on_both_sides,
)
from tests.support.crash_scenes import Both, DiscordScene, on_both
from tests.support.discord_crash_points import AT_ONCE, THREAD, TURNS, scenarios

WITHDRAWN = "SELECT count(deleted_at) FROM messages WHERE thread_id > {before}"
ENDED = "SELECT ended FROM turns ORDER BY id DESC LIMIT 1"

# What changes while it is dead.


@scenarios.add()
async def a_question_without_a_thread_is_deleted(scene: DiscordScene) -> None:
    scene.claude.always("Paris.")
    make = scene.hold("POST", THREADS)
    asked = await scene.opens_with("and the capital?")
    await scene.caught(make)
    await scene.crash()
    scene.discord.delete(asked)
    await scene.start()
    await scene.end()
    assert scene.discord.threads(scene.general) == []


@scenarios.add()
async def a_question_with_half_an_answer_is_deleted(scene: DiscordScene) -> None:
    thread = await half_answered(scene, "All of it.")
    await scene.crash()
    scene.discord.delete(thread)
    await scene.start()
    await scene.ends_with(thread, "All of it.")


# In the long form only: the deletion is stored before the kill.
@scenarios.add(deep=True)
async def a_question_that_waits_is_withdrawn(scene: DiscordScene) -> None:
    thread = await half_answered(scene, "One.")
    second = scene.discord.say(scene.bob, thread, "second")
    await scene.remembered(2)
    scene.discord.delete(second)
    await scene.reads(WITHDRAWN, 1)
    await scene.restart()
    await scene.ends_with(thread, "One.")
    assert len(scene.questions) == 2


@on_both_sides(scenarios, short=(AFTER,))
async def the_thread_is_archived(scene: DiscordScene, after: bool) -> None:
    thread = await half_answered(scene, "All of it.", "All of it.")
    await scene.crash()
    scene.discord.archive(thread)
    opening = scene.hold("PATCH", THREAD, after=after)
    await scene.start()
    await scene.restart_at(opening)
    await scene.ends_with(thread, "All of it.")


@scenarios.add()
async def the_thread_is_deleted(scene: DiscordScene) -> None:
    thread = await half_answered(scene, ["All", never()])
    await scene.crash()
    scene.discord.delete_channel(thread)
    await scene.start()
    await scene.end()
    await scene.reads(ENDED, "failed")
    assert scene.discord.threads(scene.general) == []


# Told to stop.


# In the long form only: it does not depend on the adapter, and Slack's plot plays it.
@scenarios.add(grace=1, deep=True)
async def told_to_stop_it_hands_a_long_answer_over(scene: DiscordScene) -> None:
    thread = await half_answered(scene, "All of it.", "More.")
    [posted] = scene.replies(thread)
    stopping = asyncio.create_task(scene.stop())
    await scene.printed("lanes.closing")
    scene.discord.say(scene.bob, thread, "and more")
    await stopping
    await scene.start()
    await scene.ends_with(thread, "All of it.", "More.")
    assert scene.replies(thread)[0].id == posted.id


# Again and again.


# In the long form only: Slack's plot is killed at two starts.
@scenarios.add(alone=True, deep=True)
async def killed_at_every_start(scene: DiscordScene) -> None:
    scene.claude.always([never()])
    thread = await scene.opens_with("and the capital?")
    await scene.reads(TURNS, 1)
    for _ in range(9):
        await scene.restart()
    await scene.ends_with(thread, CUT)
    assert len(scene.discord.gateway.log) <= 10
    assert scene.discord.command_puts == 1


# Two platforms.

BAD = "AAAAAAAAAAAAAAAAAAAAAAAA.BBBBBB.wrong"

together = Repertoire(on_both("discord", "slack"))
slack_alone = Repertoire(on_both("slack", DISCORD_TOKEN=BAD))
neither = Repertoire(on_both(DISCORD_TOKEN=BAD, SLACK_BOT_TOKEN="xoxb-wrong"))


@together.add(alone=True)
async def killed_on_both_platforms_at_once(both: Both) -> None:
    both.discord.claude.script(["Half", never()], ["Half", never()])
    both.discord.claude.always("All of it.")
    await both.discord.start()
    thread, ts = both.discord.ask("all of it"), both.slack.ask("all of it, too")
    await both.discord.answered(thread, "Half …")
    await both.slack.answered(ts, "Half …")
    await both.slack.heard()
    await both.discord.restart()
    await both.discord.answered(thread, "All of it.")
    await both.slack.answered(ts, "All of it.")
    await both.slack.stop()
    both.discord.check(both.slack.witness)


@slack_alone.add(alone=True)
async def with_a_wrong_token_for_discord_slack_works(both: Both) -> None:
    await both.slack.start()
    ts = both.slack.ask("are you there?")
    await both.slack.settled(ts)
    await both.slack.end()
    assert both.slack.process.output.count("DISCORD_TOKEN is not accepted") == 1
    assert both.discord.discord.gateway.log == []


@neither.add(alone=True)
async def with_two_wrong_tokens_it_gives_up(both: Both) -> None:
    await both.slack.begin()
    assert await both.slack.process.ended() == 2
    wrong = r"^threadkeep: (\w+) is not accepted"
    named = re.findall(wrong, both.slack.process.output, re.MULTILINE)
    assert sorted(named) == ["DISCORD_TOKEN", "SLACK_BOT_TOKEN"]


# That we would notice.


@scenarios.add(alone=True)
async def the_checks_see_what_is_wrong(scene: DiscordScene) -> None:
    scene.claude.script("Paris.")
    thread = await scene.opens_with("and the capital?")
    await scene.ends_with(thread, "Paris.")
    await scene.close()

    def sees(*sentences: str) -> None:
        database = scene.process.at
        found = "\n".join(invariants.faults(scene.claude, database, scene.witness))
        assert [each for each in sentences if each not in found] == [], found

    [reply] = scene.replies(thread)
    scene.discord.delete(reply.id)
    sees("shows parts []", "is remembered otherwise")
    scene.discord._model.post(int(thread), int(scene.discord.user_id), "!")
    sees("belongs to no turn")
    scene.ask("and of Spain?", thread)
    sees("belongs to 0 turns")


def scenes() -> list[Scenario]:
    stages = (scenarios, crash_points.discord, together, slack_alone, neither)
    return [scene for each in stages for scene in each.all]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[Scenario, asyncio.Future[None]]]:
    """Those scenes that are to be tested, all begun: mostly they wait."""
    names = {each.name for each in request.session.items}
    name = test_nothing_is_lost_or_doubled.__name__
    chosen = [each for each in scenes() if f"{name}[{each}]" in names]
    async with playing(chosen, tmp_path_factory.mktemp, AT_ONCE) as tasks:
        yield tasks


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("scenario", scenes(), ids=str)
async def test_nothing_is_lost_or_doubled(
    scenario: Scenario, played: dict[Scenario, asyncio.Future[None]]
) -> None:
    await played[scenario]
