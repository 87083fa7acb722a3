"""Every point of a turn on Discord at which Threadkeep may be killed, as a scenario.

Rule: a scenario says where it is caught and what people see in the end. That all
else is as it must be is for `invariants.check` to say, with which each one ends.
"""

import asyncio
from collections.abc import Awaitable, Callable

from bot.conversation.outcomes import INTERRUPTED
from tests.emulators.claude.reply import Hold, Step
from tests.emulators.discord.faults import CALLBACK, MESSAGE, MESSAGES, THREADS
from tests.support.crash_points import never
from tests.support.discord_crash_harness import DiscordScene, Scenarios, is_final

scenarios = Scenarios()

CUT = f"_{INTERRUPTED}_"
HALF = "Half of it …"

# Two messages of Discord's.
LONG = "\n".join("x" * 900 for _ in range(4))

# How many questions, and turns for them, there are; and the newest answer so far.
TURNS = "SELECT count(*) FROM turns"
TEXT = "SELECT text FROM turns ORDER BY id DESC LIMIT 1"

THREAD = r"/channels/\d+"
ORIGINAL = r"/webhooks/.+/messages/@original"

# Half of the time, a scene waits for Discord's SDK to wait for guilds.
AT_ONCE = 16

# Longer than Discord knows a nonce again ("a few minutes", platform facts B5).
LONG_AGO = 400.0


def on_both_sides(play: Callable[[DiscordScene, bool], Awaitable[None]]) -> None:
    """Play it with a call that is caught before its effect, and after."""
    for after, side in ((False, "before"), (True, "after")):

        async def played(scene: DiscordScene, after: bool = after) -> None:
            await play(scene, after)

        played.__name__ = f"{play.__name__}_{side}_its_effect"
        scenarios.add()(played)


async def half_answered(scene: DiscordScene, *later: str | list[Step]) -> str:
    """Begin an answer that does not end by itself; those to come are `later`."""
    scene.claude.script(["Half of it", never()], *later)
    thread = await scene.opens_with("all of it")
    await scene.answered(thread, HALF)
    # What is shown is stored before it is posted, and the message's id after.
    await scene.reads("SELECT count(message) FROM replies", 1)
    await scene.reads(TEXT, "Half of it")
    return thread


# First, because these take the longest: SQLite waits for a lock.


@scenarios.add()
async def killed_before_it_could_store_a_message(scene: DiscordScene) -> None:
    scene.claude.script("One.", "Two.")
    thread = await scene.opens_with("first")
    await scene.answered(thread, "One.")
    await scene.stored("delivered")
    with scene.locked():
        scene.discord.say(scene.bob, thread, "second")
        await scene.printed("store.refused")
        await scene.crash()
    await scene.start()
    await scene.ends_with(thread, "One.", "Two.")


@scenarios.add()
async def killed_when_the_answer_had_come_and_was_not_stored(
    scene: DiscordScene,
) -> None:
    gate = asyncio.Event()
    scene.claude.script(["It", Hold(gate), " is, of all cities,"], "It is Paris.")
    thread = await scene.opens_with("and the capital?")
    await scene.answered(thread, "It …")
    with scene.locked():
        gate.set()
        await scene.printed("reply.unsaved")
        await scene.crash()
    await scene.start()
    await scene.ends_with(thread, "It is Paris.")


# A question is heard.


@scenarios.add()
async def killed_right_after_it_stored_the_question(scene: DiscordScene) -> None:
    scene.claude.always("Paris.")
    thread = await scene.opens_with("and the capital?")
    await scene.reads(TURNS, 1)
    await scene.restart()
    await scene.ends_with(thread, "Paris.")


@on_both_sides
async def killed_while_it_makes_the_thread(scene: DiscordScene, after: bool) -> None:
    scene.claude.always("Paris.")
    make = scene.hold("POST", THREADS, after=after)
    thread = await scene.opens_with("and the capital?")
    await scene.restart_at(make)
    await scene.ends_with(thread, "Paris.")
    assert scene.discord.name(thread) == "and the capital?"


@scenarios.add()
async def spoken_to_while_it_is_dead(scene: DiscordScene) -> None:
    scene.claude.script("One.", "Two.", "Three.", "Four.")
    thread, place = await scene.opens_with("first"), scene.talk()
    await scene.answered(thread, "One.")
    scene.discord.say(scene.alice, place, "in person")
    await scene.answered(place, "Two.")
    await scene.crash()
    scene.discord.say(scene.bob, thread, "second")
    await scene.start()
    await scene.answered(thread, "One.", "Three.")
    await scene.crash()
    scene.discord.say(scene.alice, place, "still there?")
    await scene.start()
    await scene.ends_with(place, "Two.", "Four.")


# The first post.


async def killed_during_the_first_post(
    scene: DiscordScene, after: bool, seconds: float = 0.0, text: str = "It is Paris."
) -> None:
    scene.claude.script(["The capital", never()], "It is Paris.")
    post = scene.hold("POST", MESSAGES, after=after)
    thread = await scene.opens_with("and the capital?")
    await scene.caught(post)
    await scene.crash()
    there = [each.id for each in scene.replies(thread)]
    assert len(there) == after
    scene.pass_time(seconds)
    await scene.start()
    await scene.ends_with(thread, text)
    assert [each.id for each in scene.replies(thread)][: len(there)] == there


on_both_sides(killed_during_the_first_post)


@scenarios.add()
async def killed_during_the_first_post_long_ago(scene: DiscordScene) -> None:
    text = f"The capital\n\n{CUT}"
    await killed_during_the_first_post(scene, True, LONG_AGO, text)


@scenarios.add()
async def killed_during_the_first_post_of_a_whole_answer(scene: DiscordScene) -> None:
    scene.claude.script("Paris.")
    post = scene.hold("POST", MESSAGES, after=True)
    thread = await scene.opens_with("and the capital?")
    await scene.caught(post)
    await scene.stored("undelivered")
    await scene.restart()
    await scene.ends_with(thread, "Paris.")
    assert len(scene.claude.questions) == 1


@scenarios.add()
async def killed_again_while_it_looks_for_its_post(scene: DiscordScene) -> None:
    scene.claude.always(["The capital", never()])
    post = scene.hold("POST", MESSAGES, after=True)
    look = scene.hold("GET", MESSAGES)
    thread = await scene.opens_with("and the capital?")
    await scene.caught(post)
    await scene.crash()
    scene.pass_time(LONG_AGO)
    await scene.start()
    await scene.restart_at(look)
    await scene.ends_with(thread, f"The capital\n\n{CUT}")


# Streaming.


@on_both_sides
async def killed_during_an_edit(scene: DiscordScene, after: bool) -> None:
    gate = asyncio.Event()
    begun: list[Step] = ["The capital", Hold(gate), " of France", never()]
    scene.claude.script(begun, "It is Paris.")
    edit = scene.hold("PATCH", MESSAGE, after=after)
    thread = await scene.opens_with("and the capital?")
    await scene.answered(thread, "The capital …")
    gate.set()
    await scene.restart_at(edit)
    await scene.ends_with(thread, "It is Paris.")


@scenarios.add()
async def killed_twice_keeps_what_was_shown(scene: DiscordScene) -> None:
    thread = await half_answered(scene, ["It is", never()], "Paris.")
    await scene.restart()
    await scene.answered(thread, "It is …")
    await scene.reads(TEXT, "It is")
    await scene.restart()
    await scene.answered(thread, f"It is\n\n{CUT}")
    scene.discord.say(scene.bob, thread, "continue")
    await scene.ends_with(thread, f"It is\n\n{CUT}", "Paris.")


@scenarios.add()
async def killed_while_others_wait_in_the_thread(scene: DiscordScene) -> None:
    thread = await half_answered(scene, "One.", "Two.")
    for word in ("second", "third"):
        scene.discord.say(scene.bob, thread, word)
    await scene.heard(3)
    await scene.restart()
    await scene.ends_with(thread, "One.", "Two.")


@scenarios.add()
async def killed_while_it_signs_in_again(scene: DiscordScene) -> None:
    thread = await half_answered(scene, "All of it.")
    await scene.crash()
    for path in ("/users/@me", "/oauth2/applications/@me"):
        call = scene.hold("GET", path)
        await scene.begin()
        await scene.caught(call)
        await scene.crash()
    await scene.start()
    await scene.ends_with(thread, "All of it.")


# Finished.


@scenarios.add()
async def killed_again_and_again_during_the_last_edit(scene: DiscordScene) -> None:
    gate = asyncio.Event()
    scene.claude.script(["The capital", Hold(gate), " is Paris."])
    edits = [
        scene.hold("PATCH", MESSAGE, after=after, nth=nth, when=is_final)
        for nth, after in enumerate((True, False, True), start=1)
    ]
    thread = await scene.opens_with("and the capital?")
    await scene.answered(thread, "The capital …")
    gate.set()
    await scene.restart_at(*edits)
    await scene.until(lambda: len(scene.discord.calls_of("PATCH", MESSAGE)) == 4)
    await scene.ends_with(thread, "The capital is Paris.")
    assert len(scene.claude.questions) == 1


async def killed_during_the_second_post(
    scene: DiscordScene, after: bool, seconds: float = 0.0
) -> None:
    scene.claude.script(LONG)
    post = scene.hold("POST", MESSAGES, nth=2, after=after)
    thread = await scene.opens_with("all of it")
    await scene.caught(post)
    await scene.crash()
    there = [each.id for each in scene.replies(thread)]
    assert len(there) == 1 + after
    scene.pass_time(seconds)
    await scene.start()
    await scene.end()
    shown = scene.replies(thread)
    assert [each.id for each in shown][: len(there)] == there
    assert sum(each.text.count("x") for each in shown) == LONG.count("x")
    assert len(scene.claude.questions) == 1


on_both_sides(killed_during_the_second_post)


@scenarios.add()
async def killed_during_the_second_post_long_ago(scene: DiscordScene) -> None:
    await killed_during_the_second_post(scene, True, LONG_AGO)


@scenarios.add()
async def killed_in_the_second_message_and_answered_in_one(scene: DiscordScene) -> None:
    scene.claude.script([LONG, never()], "In short.")
    post = scene.hold("POST", MESSAGES, nth=2, after=True)
    take_back = scene.hold("DELETE", MESSAGE, after=True)
    thread = await scene.opens_with("all of it")
    await scene.restart_at(post, take_back)
    await scene.ends_with(thread, "In short.")


@scenarios.add()
async def killed_while_it_answers_once_more(scene: DiscordScene) -> None:
    scene.claude.script("Paris?", ["It", never()], "It is Paris.")
    thread = await scene.opens_with("and the capital?")
    await scene.answered(thread, "Paris?")
    await scene.stored("delivered")
    scene.discord.command(scene.alice, thread, "claude retry")
    await scene.asked(2)
    await scene.restart()
    await scene.ends_with(thread, "It is Paris.")


# Asked by command.


@scenarios.add()
async def killed_as_soon_as_a_command_is_stored(scene: DiscordScene) -> None:
    scene.claude.always("Paris.")
    await scene.start()
    scene.command("and the capital?")
    await scene.reads(TURNS, 1)
    await scene.restart()
    await scene.ends_with(await scene.thread(), "Paris.")


async def asked_by_command(scene: DiscordScene, *caught: tuple[str, str, bool]) -> None:
    scene.claude.always("Paris.")
    calls = [scene.hold(verb, path, after=after) for verb, path, after in caught]
    await scene.start()
    scene.command("and the capital?")
    await scene.restart_at(*calls)
    await scene.ends_with(await scene.thread(), "Paris.")


@on_both_sides
async def killed_while_it_shows_the_card(scene: DiscordScene, after: bool) -> None:
    await asked_by_command(scene, ("POST", CALLBACK, after))


@on_both_sides
async def killed_between_card_and_thread(scene: DiscordScene, after: bool) -> None:
    await asked_by_command(scene, ("POST", THREADS, after))


@on_both_sides
async def killed_while_it_posts_the_card(scene: DiscordScene, after: bool) -> None:
    caught = ("POST", CALLBACK, False), ("POST", MESSAGES, after)
    await asked_by_command(scene, *caught)


@on_both_sides
async def killed_after_a_command_had_to_wait(scene: DiscordScene, after: bool) -> None:
    scene.claude.always("Paris.")
    edit = scene.hold("PATCH", ORIGINAL, after=after)
    await scene.start()
    with scene.locked():
        asked = scene.command("and the capital?")
        await scene.until(lambda: asked.acked)
    await scene.restart_at(edit)
    await scene.ends_with(await scene.thread(), "Paris.")


@on_both_sides
async def killed_at_a_command_elsewhere(scene: DiscordScene, after: bool) -> None:
    scene.claude.script("One.")
    scene.claude.always("Two.")
    thread, place = await scene.opens_with("first"), scene.talk()
    await scene.answered(thread, "One.")
    for where, texts in ((thread, ["One.", "Two."]), (place, ["Two."])):
        call = scene.hold("POST", CALLBACK, after=after)
        scene.command("second", where)
        await scene.restart_at(call)
        await scene.answered(where, *texts)
    await scene.end()
