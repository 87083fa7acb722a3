"""The points of a turn on Slack at which Threadkeep may be killed.

The rule of `crash_points` applies, which has the points of every platform.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import Sequence

from tests.emulators.claude.prompt import Body
from tests.emulators.claude.reply import Hold, Step
from tests.support.crash_harness import Repertoire
from tests.support.crash_points import (
    AFTER,
    CUT,
    WITH_FILE,
    never,
    on_both_sides,
)
from tests.support.crash_scenes import (
    SlackScene,
    is_final_on_slack,
    is_look_up,
    on_slack,
)
from tests.support.deep import rounds

scenarios = Repertoire[SlackScene](on_slack)


# First, because it takes the longest: Slack allows 48 edits a minute.
@scenarios.add(alone=True)
async def killed_while_many_threads_stream(scene: SlackScene) -> None:
    threads = rounds(4, 20)
    begun: Counter[str] = Counter()

    def answer(body: Body) -> Sequence[Step]:
        question = body["messages"][-1]["content"]
        begun[question] += 1
        return ["Half of it", never()] if begun[question] == 1 else ["All of it."]

    scene.claude.always(answer)
    await scene.start()
    channels = [scene.slack.add_channel(f"team-{n}") for n in range(threads)]
    asked = [
        (each, scene.slack.say(scene.alice, each, f"{scene.slack.mention} {each}?"))
        for each in channels
    ]

    def shown() -> list[str]:
        found = [scene.slack.thread(*each) for each in asked]
        return [each.text for thread in found for each in thread if each.bot]

    await scene.asked(threads)
    await scene.until(lambda: len(shown()) == threads)
    await scene.until(lambda: shown().count("Half of it …") > 1)
    await scene.restart()
    await scene.until(lambda: shown() == ["All of it."] * threads)
    await scene.end()


# Received, and not answered yet.


# In the long form only: nothing is stored in the next plot, either.
@scenarios.add(deep=True)
async def killed_before_it_could_acknowledge(scene: SlackScene) -> None:
    scene.claude.script("Paris.")
    await scene.start()
    # A stopped process receives events but does not handle them.
    scene.process.kill(signal.SIGSTOP)
    ts = scene.ask("and the capital?")
    await scene.until(lambda: all(each.attempts for each in scene.deliveries))
    await scene.restart()
    await scene.ends_with(ts, "Paris.")
    assert all(len(each.attempts) >= 2 for each in scene.deliveries[:2])


@scenarios.add()
async def killed_before_it_could_store_what_it_heard(scene: SlackScene) -> None:
    scene.claude.script("Paris.")
    await scene.start()
    with scene.locked():
        ts = scene.ask("and the capital?")
        told = scene.deliveries
        await scene.until(lambda: any(len(each.attempts) > 1 for each in told))
        await scene.crash()
    assert not any(each.acked for each in told)
    await scene.start()
    await scene.ends_with(ts, "Paris.")


@scenarios.add()
async def killed_when_its_acknowledgement_had_not_arrived(scene: SlackScene) -> None:
    scene.claude.script(["It is", never()], "Paris.")
    post = scene.hold("chat.postMessage")
    ts = await scene.opens_with("and the capital?")
    await scene.until(lambda: all(each.attempts for each in scene.deliveries))
    scene.slack.socket.freeze()
    await scene.caught(post)
    await scene.asked(1)
    await scene.crash()
    assert not any(each.acked for each in scene.deliveries)
    await scene.start()
    await scene.ends_with(ts, "Paris.")


@scenarios.add()
async def killed_right_after_it_acknowledged(scene: SlackScene) -> None:
    scene.claude.always("Paris.")
    ts = await scene.opens_with("and the capital?")
    await scene.until(lambda: any(each.acked for each in scene.deliveries))
    await scene.restart()
    await scene.ends_with(ts, "Paris.")


# Reading the earlier messages of a thread.


@scenarios.add()
async def killed_while_it_reads_the_thread(scene: SlackScene) -> None:
    scene.claude.always("Since Monday.")
    read = scene.hold("conversations.replies")
    await scene.start()
    ts = scene.slack.say(scene.alice, scene.general, "the build fails")
    scene.slack.say(scene.bob, scene.general, "since when?", thread_ts=ts)
    scene.ask("do you know?", thread_ts=ts)
    await scene.restart_at(read)
    await scene.ends_with(ts, "Since Monday.")
    [request] = scene.questions
    assert "since when?" in request.body["messages"][0]["content"]


@scenarios.add()
async def killed_when_it_had_read_the_thread(scene: SlackScene) -> None:
    scene.claude.script([never()], "Since Monday.")
    await scene.start()
    ts = scene.slack.say(scene.alice, scene.general, "the build fails")
    scene.ask("do you know why?", thread_ts=ts)
    await scene.asked(1)
    await scene.thinking(ts)
    await scene.restart()
    await scene.ends_with(ts, "Since Monday.")
    assert len(scene.calls_of("conversations.replies")) == 1


@scenarios.add()
async def killed_when_it_had_stored_a_file(scene: SlackScene) -> None:
    """Claude has not been asked, and the file is deleted before the next start."""
    scene.claude.always("Two words.")
    named = scene.hold("users.info")
    await scene.start()
    said = f"{scene.slack.mention} what does it say?"
    ts = scene.slack.say(
        scene.alice, scene.general, said, files={"a.txt": b"some words"}
    )
    await scene.caught(named)
    await scene.reads("SELECT data FROM file_contents", b"some words")
    assert not scene.questions
    await scene.crash()
    [file] = scene.slack.world.messages[scene.general][ts].files
    scene.slack.files.delete(file["id"])
    await scene.start()
    await scene.ends_with(ts, "Two words.")
    [request] = scene.questions
    [document, _] = request.body["messages"][0]["content"]
    assert document["source"]["data"] == "some words"
    assert len(scene.slack.files.served) == 1


# In the first post.


@scenarios.add()
async def killed_again_while_it_looks_for_its_post(scene: SlackScene) -> None:
    scene.claude.always(["It is", never()])
    post = scene.hold("chat.postMessage", after=True)
    look = scene.hold("conversations.replies", when=is_look_up)
    ts = await scene.opens_with("and the capital?")
    await scene.restart_at(post, look)
    await scene.ends_with(ts, f"It is\n\n{CUT}")


# Streaming.


@on_both_sides(scenarios, short=(AFTER,))
async def killed_while_it_shows_that_it_thinks(scene: SlackScene, after: bool) -> None:
    scene.claude.always("Paris.")
    status = scene.hold("assistant.threads.setStatus", after=after)
    ts = await scene.opens_with("and the capital?")
    await scene.restart_at(status)
    await scene.ends_with(ts, "Paris.")


# In the long form only: a similar kill after reading a thread is above.
@scenarios.add(deep=True)
async def killed_before_any_text_is_there(scene: SlackScene) -> None:
    scene.claude.script([never()], "Paris.")
    ts = await scene.opens_with("and the capital?")
    await scene.asked(1)
    await scene.thinking(ts)
    await scene.restart()
    await scene.ends_with(ts, "Paris.")


# In the long form only: see the plot with others waiting in the thread.
@scenarios.add(deep=True)
async def killed_in_mid_stream(scene: SlackScene) -> None:
    scene.claude.script(["The capital of France", never()], "It is Paris.")
    ts = await scene.opens_with("and the capital?")
    await scene.answered(ts, "The capital of France …")
    await scene.restart()
    await scene.ends_with(ts, "It is Paris.")


@scenarios.add()
async def killed_during_the_first_edit_and_once_more(scene: SlackScene) -> None:
    more = asyncio.Event()
    scene.claude.script(
        ["The capital of France", Hold(more), " is, of all cities,", never()],
        [never()],
    )
    edit = scene.hold("chat.update", after=True)
    ts = await scene.opens_with("and the capital?")
    await scene.answered(ts, "The capital of France …")
    more.set()
    await scene.restart_at(edit)
    await scene.asked(2)
    await scene.restart()
    await scene.ends_with(ts, f"The capital of France is, of all cities,\n\n{CUT}")


@scenarios.add()
async def killed_long_ago_keeps_what_was_shown(scene: SlackScene) -> None:
    scene.claude.script(["The capital", never()])
    ts = await scene.opens_with("and the capital?")
    await scene.answered(ts, "The capital …")
    await scene.crash()
    scene.age(3600)
    await scene.start()
    await scene.ends_with(ts, f"The capital\n\n{CUT}")
    assert len(scene.questions) == 1


# Finished.


@scenarios.add()
async def killed_when_the_answer_had_come_and_was_not_stored(scene: SlackScene) -> None:
    gate = asyncio.Event()
    scene.claude.script(
        ["Well, it is", Hold(gate), " the city of Paris."], "It is Paris."
    )
    ts = await scene.opens_with("and the capital?")
    await scene.answered(ts, "Well, it is …")
    with scene.locked():
        gate.set()
        # When the answer is shown anyway depends on how long the database waits.
        await scene.printed("reply.unsaved")
        await scene.crash()
    await scene.start()
    await scene.ends_with(ts, "It is Paris.")


# In the long form only: see the plot with repeated kills at the last edit.
@scenarios.add(deep=True)
async def killed_during_the_last_edit_before_its_effect(scene: SlackScene) -> None:
    gate = asyncio.Event()
    scene.claude.script(["It is", Hold(gate), " Paris."])
    edit = scene.hold("chat.update", when=is_final_on_slack)
    ts = await scene.opens_with("and the capital?")
    await scene.answered(ts, "It is …")
    gate.set()
    await scene.restart_at(edit)
    await scene.ends_with(ts, "It is Paris.")
    assert len(scene.questions) == 1


# Between two messages of one answer.


@scenarios.add()
async def killed_in_the_second_message_and_answered_in_one(scene: SlackScene) -> None:
    scene.claude.script([scene.two_messages, never()], "In short.")
    take_back = scene.hold("chat.delete", after=True)
    ts = await scene.opens_with("all of it")
    await scene.until(lambda: len(scene.replies(ts)) == 2)
    await scene.restart()
    await scene.restart_at(take_back)
    await scene.ends_with(ts, "In short.")


# At the start.


@scenarios.add()
async def killed_while_it_takes_up_what_was_left(scene: SlackScene) -> None:
    scene.claude.always([never()])
    ts = await scene.opens_with("and the capital?")
    await scene.thinking(ts)
    for times in (1, 2):
        await scene.asked(times)
        await scene.restart()
    await scene.ends_with(ts, CUT)


# With a file.


async def restarted_at_its_file(scene: SlackScene, method: str, after: bool) -> None:
    scene.claude.always(WITH_FILE)
    call = scene.hold(method, after=after)
    ts = await scene.opens_with("as a file")
    await scene.restart_at(call)
    await scene.settled(ts, 2)
    await scene.end()
    assert len(scene.questions) == 1


# The short form plays the call that shows the file: before its effect, nothing is to be
# seen, as at the announcement; afterwards everything is, as when it is looked for.
@on_both_sides(scenarios, short=())
async def killed_while_a_file_is_announced(scene: SlackScene, after: bool) -> None:
    await restarted_at_its_file(scene, "files.getUploadURLExternal", after)


@on_both_sides(scenarios)
async def killed_while_a_file_is_shown(scene: SlackScene, after: bool) -> None:
    await restarted_at_its_file(scene, "files.completeUploadExternal", after)


@on_both_sides(scenarios, short=())
async def killed_while_a_file_is_looked_for(scene: SlackScene, after: bool) -> None:
    await restarted_at_its_file(scene, "files.info", after)


@on_both_sides(scenarios, short=(AFTER,))
async def killed_while_the_file_of_an_old_answer_is_deleted(
    scene: SlackScene, after: bool
) -> None:
    scene.claude.script(WITH_FILE, WITH_FILE.replace("print", "show"))
    call = scene.hold("files.delete", after=after)
    ts = await scene.opens_with("as a file")
    await scene.settled(ts, 2)
    await scene.stored("delivered")
    said = f"{scene.slack.mention} retry"
    said = scene.slack.say(scene.alice, scene.general, said, thread_ts=ts)
    await scene.restart_at(call)
    # A command belongs to no turn.
    scene.slack.delete(scene.general, said)
    await scene.settled(ts, 2)
    await scene.end()
