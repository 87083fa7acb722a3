"""The points of a turn at which Threadkeep may be killed, on every platform.

The points of one platform alone are in `slack_crash_points`,
`slack_stream_crash_points` and `discord_crash_points`.

Rule: a scenario states where Threadkeep is caught and what people see in the end. Each
scenario ends with `invariants.check`, which checks everything else.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from bot.conversation.outcomes import UNFINISHED
from bot.messages.answers import INTERRUPTED
from tests.emulators.claude.reply import Hold, Step
from tests.support.crash_harness import Played, Repertoire, Scene
from tests.support.crash_scenes import DiscordScene, SlackScene, on_discord, on_slack
from tests.support.deep import rounds

slack = Repertoire[SlackScene](on_slack)
discord = Repertoire[DiscordScene](on_discord)

CUT = f"⚠️ _{INTERRUPTED}_"

# The text of the newest answer so far, and the number of its posted messages.
TEXT = "SELECT text FROM turns ORDER BY id DESC LIMIT 1"
POSTED = (
    "SELECT count(replies.message) FROM replies JOIN turns ON turns.id = turn_id "
    "WHERE thread_id > {before}"
)

# An answer whose second message is a file.
CODE = "print()\n" * 100
WITH_FILE = f"All of it:\n\n```py\n{CODE}```"

S = TypeVar("S", bound=Played)


def never() -> Hold:
    """Return a step of an answer that does not end."""
    return Hold(asyncio.Event())


def on_slack_first(play: Callable[[Scene], Awaitable[None]]) -> None:
    """Add a plot on Slack, and on Discord in the long form only, because the behaviour
    does not depend on the adapter."""
    slack.add()(play)
    discord.add(deep=True)(play)


BEFORE, AFTER = SIDES = (False, True)


def on_both_sides(
    *stages: Repertoire[S], short: Collection[bool] = SIDES
) -> Callable[[Callable[[S, bool], Awaitable[None]]], None]:
    """Add a plot twice: with the held call before its effect, and after. The short form
    plays only the sides in `short`."""

    def added(play: Callable[[S, bool], Awaitable[None]]) -> None:
        for after, side in ((BEFORE, "before"), (AFTER, "after")):

            async def played(scene: S, after: bool = after) -> None:
                await play(scene, after)

            played.__name__ = f"{play.__name__}_{side}_its_effect"
            for stage in stages:
                stage.add(deep=after not in short)(played)

    return added


# The first post.


async def killed_during_the_first_post(scene: Scene, after: bool) -> None:
    scene.claude.script(["It is", never()], "Paris.")
    post = scene.hold_post(after=after)
    thread = await scene.opens_with("and the capital?")
    await scene.caught(post)
    await scene.asked(1)
    await scene.crash()
    there = scene.ids(thread)
    assert len(there) == after
    await scene.start()
    await scene.ends_with(thread, "Paris.")
    assert scene.ids(thread)[: len(there)] == there


@on_slack_first
async def killed_during_the_first_post_of_a_finished_answer(scene: Scene) -> None:
    scene.claude.script("Paris.")
    post = scene.hold_post(after=True)
    thread = await scene.opens_with("and the capital?")
    await scene.caught(post)
    await scene.stored("undelivered")
    await scene.restart()
    await scene.ends_with(thread, "Paris.")
    assert len(scene.questions) == 1


# Streaming.


async def half_answered(scene: Scene, *later: str | list[Step]) -> str:
    """Begin an answer that does not end by itself. `later` are the answers after it."""
    scene.claude.script(["Half of it", never()], *later)
    thread = await scene.opens_with("all of it")
    await scene.answered(thread, "Half of it …")
    # The text is stored before it is posted, and the id of the message afterwards.
    await scene.reads(POSTED, 1)
    await scene.reads(TEXT, "Half of it")
    return thread


async def killed_during_the_first_edit(scene: Scene, after: bool) -> None:
    more = asyncio.Event()
    begun: list[Step] = ["The capital", Hold(more), " of France", never()]
    scene.claude.script(begun, "It is Paris.")
    edit = scene.hold_edit(after=after)
    thread = await scene.opens_with("and the capital?")
    await scene.answered(thread, "The capital …")
    more.set()
    await scene.restart_at(edit)
    await scene.ends_with(thread, "It is Paris.")


@on_slack_first
async def killed_while_others_wait_in_the_thread(scene: Scene) -> None:
    thread = await half_answered(scene, "One.", "Two.")
    for word in ("second", "third"):
        scene.go_on(thread, word)
    await scene.remembered(3)
    await scene.until(lambda: scene.signs(thread) == 2)
    await scene.restart()
    await scene.ends_with(thread, "One.", "Two.")
    await scene.until(lambda: not scene.signs(thread))
    newest = scene.questions[-1].body["messages"][-1]["content"]
    assert [word in newest for word in ("second", "third")] == [True, True]


@on_slack_first
async def killed_twice_keeps_what_was_shown(scene: Scene) -> None:
    thread = await half_answered(scene, ["It is", never()], "Paris.")
    await scene.restart()
    await scene.answered(thread, "It is …")
    await scene.reads(TEXT, "It is")
    await scene.restart()
    await scene.answered(thread, f"It is\n\n{CUT}")
    scene.go_on(thread, "continue")
    await scene.ends_with(thread, f"It is\n\n{CUT}", "Paris.")
    read = scene.questions[-1].body["messages"]
    assert read[1]["content"] == f"It is{UNFINISHED}"


# Finished.


@on_slack_first
async def killed_again_and_again_during_the_last_edit(scene: Scene) -> None:
    gate = asyncio.Event()
    scene.claude.script(["It is", Hold(gate), " Paris."])
    sides = rounds((AFTER, BEFORE), (AFTER, BEFORE, AFTER))
    edits = [
        scene.hold_edit(after=after, nth=nth, final=True)
        for nth, after in enumerate(sides, start=1)
    ]
    thread = await scene.opens_with("and the capital?")
    await scene.answered(thread, "It is …")
    gate.set()
    await scene.restart_at(*edits)
    await scene.until(lambda: scene.count_last_edits(thread) == len(edits) + 1)
    await scene.ends_with(thread, "It is Paris.")
    assert len(scene.questions) == 1


# Between two messages of one answer.


async def killed_during_the_second_post(scene: Scene, after: bool) -> None:
    scene.claude.script(scene.two_messages)
    post = scene.hold_post(nth=2, after=after)
    thread = await scene.opens_with("all of it")
    await scene.caught(post)
    await scene.crash()
    there = scene.ids(thread)
    assert len(there) == 1 + after
    await scene.start()
    await scene.stored("delivered")
    await scene.end()
    assert scene.ids(thread)[: len(there)] == there
    assert "".join(scene.texts(thread)).count("x") == scene.two_messages.count("x")
    assert len(scene.questions) == 1


# On Slack, the short form plays each side of the first post and edit once, as another
# plot covers the edit that took effect. On Discord, it plays the post that took effect,
# which Discord recognises; later ones are recognised likewise.
for play, on_slack_too, on_discord_too in (
    (killed_during_the_first_post, SIDES, (AFTER,)),
    (killed_during_the_first_edit, (BEFORE,), ()),
    (killed_during_the_second_post, (AFTER,), ()),
):
    on_both_sides(slack, short=on_slack_too)(play)
    on_both_sides(discord, short=on_discord_too)(play)


# At the start.


@on_slack_first
async def killed_while_it_signs_in_again(scene: Scene) -> None:
    thread = await half_answered(scene, "All of it.")
    await scene.crash()
    for nth in rounds((1,), (0, 1)):
        call = scene.hold_sign_in(nth)
        await scene.begin()
        await scene.caught(call)
        await scene.crash()
    await scene.start()
    await scene.ends_with(thread, "All of it.")
