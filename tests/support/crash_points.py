"""Every point of a turn at which Threadkeep may be killed, as a scenario.

Rule: a scenario says where it is caught and what people see in the end. That all
else is as it must be is for `invariants.check` to say, with which each one ends.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import Sequence

from bot.conversation.outcomes import INTERRUPTED, UNFINISHED
from tests.emulators.claude.prompt import Body
from tests.emulators.claude.reply import Hold, Step
from tests.support.crash_harness import Scenarios, Scene, is_final, is_look_up

scenarios = Scenarios()

# Two messages of Slack's.
LONG = "\n".join("x" * 1_000 for _ in range(13))

CUT = f"_{INTERRUPTED}_"


def never() -> Hold:
    """A step of Claude's that does not end."""
    return Hold(asyncio.Event())


# First, because it takes the longest: Slack allows 48 edits a minute.
@scenarios.add()
async def killed_while_twenty_threads_stream(scene: Scene) -> None:
    begun: Counter[str] = Counter()

    def answer(body: Body) -> Sequence[Step]:
        question = body["messages"][-1]["content"]
        begun[question] += 1
        return ["Half of it", never()] if begun[question] == 1 else ["All of it."]

    scene.claude.always(answer)
    await scene.start()
    channels = [scene.slack.add_channel(f"team-{n}") for n in range(20)]
    asked = [
        (each, scene.slack.say(scene.alice, each, f"{scene.slack.mention} {each}?"))
        for each in channels
    ]

    def shown() -> list[str]:
        threads = [scene.slack.thread(*each) for each in asked]
        return [each.text for thread in threads for each in thread if each.bot]

    await scene.asked(20)
    await scene.until(lambda: len(shown()) == 20)
    await scene.until(lambda: shown().count("Half of it …") > 1)
    await scene.restart()
    await scene.until(lambda: shown() == ["All of it."] * 20)
    await scene.end()


# Heard, and not answered yet.


@scenarios.add()
async def killed_before_it_could_acknowledge(scene: Scene) -> None:
    scene.claude.script("Paris.")
    await scene.start()
    # What arrives at a stopped process is received, and no more than that.
    scene.process.kill(signal.SIGSTOP)
    ts = scene.ask("and the capital?")
    await scene.until(lambda: all(each.attempts for each in scene.slack.deliveries))
    await scene.restart()
    await scene.ends_with(ts, "Paris.")
    assert all(len(each.attempts) == 2 for each in scene.slack.deliveries[:2])


@scenarios.add()
async def killed_before_it_could_store_what_it_heard(scene: Scene) -> None:
    scene.claude.script("Paris.")
    await scene.start()
    with scene.locked():
        ts = scene.ask("and the capital?")
        told = scene.slack.deliveries
        await scene.until(lambda: any(len(each.attempts) > 1 for each in told))
        await scene.crash()
    assert not any(each.acked for each in told)
    await scene.start()
    await scene.ends_with(ts, "Paris.")


@scenarios.add()
async def killed_when_its_acknowledgement_had_not_arrived(scene: Scene) -> None:
    scene.claude.script(["It is", never()], "Paris.")
    post = scene.hold("chat.postMessage")
    ts = await scene.opens_with("and the capital?")
    await scene.until(lambda: all(each.attempts for each in scene.slack.deliveries))
    scene.slack.socket.freeze()
    await scene.caught(post)
    await scene.asked(1)
    await scene.crash()
    assert not any(each.acked for each in scene.slack.deliveries)
    await scene.start()
    await scene.ends_with(ts, "Paris.")


@scenarios.add()
async def killed_right_after_it_acknowledged(scene: Scene) -> None:
    scene.claude.always("Paris.")
    ts = await scene.opens_with("and the capital?")
    await scene.until(lambda: any(each.acked for each in scene.slack.deliveries))
    await scene.restart()
    await scene.ends_with(ts, "Paris.")


@scenarios.add()
async def spoken_to_while_it_is_dead(scene: Scene) -> None:
    scene.claude.script("One.", "Two.")
    ts = await scene.opens_with("first")
    await scene.answered(ts, "One.")
    await scene.crash()
    scene.slack.say(scene.bob, scene.general, "second", thread_ts=ts)
    await scene.start()
    await scene.ends_with(ts, "One.", "Two.")


# Reading the thread that it was called into.


@scenarios.add()
async def killed_while_it_reads_the_thread(scene: Scene) -> None:
    scene.claude.always("Since Monday.")
    read = scene.hold("conversations.replies")
    await scene.start()
    ts = scene.slack.say(scene.alice, scene.general, "the build fails")
    scene.slack.say(scene.bob, scene.general, "since when?", thread_ts=ts)
    scene.ask("do you know?", thread_ts=ts)
    await scene.restart_at(read)
    await scene.ends_with(ts, "Since Monday.")
    [request] = scene.claude.questions
    assert "since when?" in request.body["messages"][0]["content"]


@scenarios.add()
async def killed_when_it_had_read_the_thread(scene: Scene) -> None:
    scene.claude.script([never()], "Since Monday.")
    await scene.start()
    ts = scene.slack.say(scene.alice, scene.general, "the build fails")
    scene.ask("do you know why?", thread_ts=ts)
    await scene.asked(1)
    await scene.thinking(ts)
    await scene.restart()
    await scene.ends_with(ts, "Since Monday.")
    assert len(scene.slack.calls_of("conversations.replies")) == 1


# In the first post.


@scenarios.add()
async def killed_during_the_first_post_before_its_effect(scene: Scene) -> None:
    scene.claude.script(["It is", never()], "Paris.")
    post = scene.hold("chat.postMessage")
    ts = await scene.opens_with("and the capital?")
    await scene.caught(post)
    await scene.asked(1)
    await scene.crash()
    assert scene.replies(ts) == []
    await scene.start()
    await scene.ends_with(ts, "Paris.")


@scenarios.add()
async def killed_during_the_first_post_after_its_effect(scene: Scene) -> None:
    scene.claude.script(["It is", never()], "Paris.")
    post = scene.hold("chat.postMessage", after=True)
    ts = await scene.opens_with("and the capital?")
    await scene.caught(post)
    await scene.asked(1)
    await scene.crash()
    [posted] = scene.replies(ts)
    await scene.start()
    await scene.ends_with(ts, "Paris.")
    assert [each.ts for each in scene.replies(ts)] == [posted.ts]


@scenarios.add()
async def killed_during_the_first_post_of_a_finished_answer(scene: Scene) -> None:
    scene.claude.script("Paris.")
    post = scene.hold("chat.postMessage", after=True)
    ts = await scene.opens_with("and the capital?")
    await scene.caught(post)
    await scene.stored("undelivered")
    await scene.restart()
    await scene.ends_with(ts, "Paris.")
    assert len(scene.claude.questions) == 1


@scenarios.add()
async def killed_again_while_it_looks_for_its_post(scene: Scene) -> None:
    scene.claude.always(["It is", never()])
    post = scene.hold("chat.postMessage", after=True)
    look = scene.hold("conversations.replies", when=is_look_up)
    ts = await scene.opens_with("and the capital?")
    await scene.restart_at(post, look)
    await scene.ends_with(ts, f"It is\n\n{CUT}")


# Streaming.


@scenarios.add()
async def killed_before_any_text_is_there(scene: Scene) -> None:
    scene.claude.script([never()], "Paris.")
    ts = await scene.opens_with("and the capital?")
    await scene.asked(1)
    await scene.thinking(ts)
    await scene.restart()
    await scene.ends_with(ts, "Paris.")


@scenarios.add()
async def killed_in_mid_stream(scene: Scene) -> None:
    scene.claude.script(["The capital of France", never()], "It is Paris.")
    ts = await scene.opens_with("and the capital?")
    await scene.answered(ts, "The capital of France …")
    await scene.restart()
    await scene.ends_with(ts, "It is Paris.")


@scenarios.add()
async def killed_during_the_first_edit_after_its_effect(scene: Scene) -> None:
    more, gate = asyncio.Event(), asyncio.Event()
    scene.claude.script(
        ["The capital of France", Hold(more), " is, of all cities,", never()],
        [Hold(gate), "Paris."],
    )
    edit = scene.hold("chat.update", after=True)
    ts = await scene.opens_with("and the capital?")
    await scene.answered(ts, "The capital of France …")
    more.set()
    await scene.restart_at(edit)
    await scene.asked(2)
    gate.set()
    await scene.ends_with(ts, "Paris.")


@scenarios.add()
async def killed_during_the_first_edit_and_once_more(scene: Scene) -> None:
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
async def killed_while_others_wait_in_the_thread(scene: Scene) -> None:
    scene.claude.script(["Half of it", never()], "One.", "Two.")
    ts = await scene.opens_with("first")
    await scene.answered(ts, "Half of it …")
    for word in ("second", "third"):
        scene.slack.say(scene.bob, scene.general, word, thread_ts=ts)
    await scene.heard()
    await scene.restart()
    await scene.ends_with(ts, "One.", "Two.")
    newest = scene.claude.questions[-1].body["messages"][-1]["content"]
    assert [word in newest for word in ("second", "third")] == [True, True]


@scenarios.add()
async def killed_twice_keeps_what_was_shown(scene: Scene) -> None:
    scene.claude.script(["The capital", never()], ["It is", never()], "Paris.")
    ts = await scene.opens_with("and the capital?")
    await scene.answered(ts, "The capital …")
    await scene.restart()
    await scene.answered(ts, "It is …")
    await scene.restart()
    await scene.answered(ts, f"It is\n\n{CUT}")
    scene.ask("continue", thread_ts=ts)
    await scene.ends_with(ts, f"It is\n\n{CUT}", "Paris.")
    read = scene.claude.questions[-1].body["messages"]
    assert read[1]["content"] == f"It is{UNFINISHED}"


@scenarios.add()
async def killed_long_ago_keeps_what_was_shown(scene: Scene) -> None:
    scene.claude.script(["The capital", never()])
    ts = await scene.opens_with("and the capital?")
    await scene.answered(ts, "The capital …")
    await scene.crash()
    scene.age(3600)
    await scene.start()
    await scene.ends_with(ts, f"The capital\n\n{CUT}")
    assert len(scene.claude.questions) == 1


# Finished.


@scenarios.add()
async def killed_when_the_answer_had_come_and_was_not_stored(scene: Scene) -> None:
    gate = asyncio.Event()
    scene.claude.script(
        ["Well, it is", Hold(gate), " the city of Paris."], "It is Paris."
    )
    ts = await scene.opens_with("and the capital?")
    await scene.answered(ts, "Well, it is …")
    with scene.locked():
        gate.set()
        await scene.answered(ts, "Well, it is the city of Paris. …")
        await scene.crash()
    await scene.start()
    await scene.ends_with(ts, "It is Paris.")


@scenarios.add()
async def killed_during_the_last_edit_before_its_effect(scene: Scene) -> None:
    gate = asyncio.Event()
    scene.claude.script(["It is", Hold(gate), " Paris."])
    edit = scene.hold("chat.update", when=is_final)
    ts = await scene.opens_with("and the capital?")
    await scene.answered(ts, "It is …")
    gate.set()
    await scene.restart_at(edit)
    await scene.ends_with(ts, "It is Paris.")
    assert len(scene.claude.questions) == 1


@scenarios.add()
async def killed_again_and_again_during_the_last_edit(scene: Scene) -> None:
    gate = asyncio.Event()
    scene.claude.script(["It is", Hold(gate), " Paris."])
    edits = [
        scene.hold("chat.update", after=after, nth=nth, when=is_final)
        for nth, after in enumerate((True, False, True), start=1)
    ]
    ts = await scene.opens_with("and the capital?")
    await scene.answered(ts, "It is …")
    gate.set()
    await scene.restart_at(*edits)
    await scene.until(lambda: len(scene.slack.calls_of("chat.update")) == 4)
    await scene.ends_with(ts, "It is Paris.")
    assert len(scene.claude.questions) == 1


# Between two messages of one answer.


async def killed_during_the_second_post(scene: Scene, *, after: bool) -> None:
    scene.claude.script(LONG)
    post = scene.hold("chat.postMessage", nth=2, after=after)
    ts = await scene.opens_with("all of it")
    await scene.caught(post)
    await scene.crash()
    there = [each.ts for each in scene.replies(ts)]
    assert len(there) == (2 if after else 1)
    await scene.start()
    await scene.settled(ts, 2)
    await scene.end()
    assert [each.ts for each in scene.replies(ts)][: len(there)] == there
    assert len(scene.claude.questions) == 1


@scenarios.add()
async def killed_during_the_second_post_before_its_effect(scene: Scene) -> None:
    await killed_during_the_second_post(scene, after=False)


@scenarios.add()
async def killed_during_the_second_post_after_its_effect(scene: Scene) -> None:
    await killed_during_the_second_post(scene, after=True)


@scenarios.add()
async def killed_in_the_second_message_and_answered_in_one(scene: Scene) -> None:
    scene.claude.script([LONG, never()], "In short.")
    take_back = scene.hold("chat.delete", after=True)
    ts = await scene.opens_with("all of it")
    await scene.until(lambda: len(scene.replies(ts)) == 2)
    await scene.restart()
    await scene.restart_at(take_back)
    await scene.ends_with(ts, "In short.")


# At the start.


@scenarios.add()
async def killed_while_it_signs_in_again(scene: Scene) -> None:
    scene.claude.script(["Half of it", never()], "All of it.")
    ts = await scene.opens_with("all of it")
    await scene.answered(ts, "Half of it …")
    await scene.crash()
    for method in ("auth.test", "apps.connections.open"):
        call = scene.hold(method)
        await scene.begin()
        await scene.caught(call)
        await scene.crash()
    await scene.start()
    await scene.ends_with(ts, "All of it.")


@scenarios.add()
async def killed_while_it_takes_up_what_was_left(scene: Scene) -> None:
    scene.claude.always([never()])
    ts = await scene.opens_with("and the capital?")
    await scene.thinking(ts)
    for times in (1, 2):
        await scene.asked(times)
        await scene.restart()
    await scene.ends_with(ts, CUT)
