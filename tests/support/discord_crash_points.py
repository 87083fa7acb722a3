"""The points of a turn on Discord at which Threadkeep may be killed.

The rule of `crash_points` applies, which has the points of every platform.
"""

import asyncio

from tests.emulators.claude.reply import Hold
from tests.emulators.discord.calls import Call
from tests.emulators.discord.faults import CALLBACK, MESSAGE, MESSAGES, THREADS
from tests.support.crash_harness import Repertoire
from tests.support.crash_points import (
    AFTER,
    BEFORE,
    CUT,
    WITH_FILE,
    never,
    on_both_sides,
)
from tests.support.crash_scenes import DiscordScene, on_discord

scenarios = Repertoire[DiscordScene](on_discord)

# The number of turns.
TURNS = "SELECT count(*) FROM turns WHERE thread_id > {before}"

THREAD = r"/channels/\d+"
ORIGINAL = r"/webhooks/.+/messages/@original"

# A scene spends half of its time waiting for Discord's SDK, which waits for guilds.
AT_ONCE = 16

# Longer than Discord recognises a nonce ("a few minutes", platform facts B5).
LONG_AGO = 400.0


# In the long form only: the next process finds what is found after a message to a dead
# one.
@scenarios.add(deep=True)
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


# In the long form only: it does not depend on the adapter, and Slack's plot plays it.
@scenarios.add(deep=True)
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


@on_both_sides(scenarios)
async def killed_while_it_makes_the_thread(scene: DiscordScene, after: bool) -> None:
    scene.claude.always("Paris.")
    make = scene.hold("POST", THREADS, after=after)
    thread = await scene.opens_with("and the capital?")
    await scene.restart_at(make)
    await scene.ends_with(thread, "Paris.")
    assert scene.discord.name(thread) == "and the capital?"


@scenarios.add()
async def spoken_to_while_it_is_dead(scene: DiscordScene) -> None:
    scene.claude.script("One.", "Two.")
    scene.claude.always("Three.")
    thread, place = await scene.opens_with("first"), scene.talk()
    await scene.answered(thread, "One.")
    scene.discord.say(scene.alice, place, "in person")
    await scene.answered(place, "Two.")
    await scene.crash()
    scene.discord.say(scene.bob, thread, "second")
    scene.discord.say(scene.alice, place, "still there?")
    await scene.start()
    await scene.answered(thread, "One.", "Three.")
    await scene.ends_with(place, "Two.", "Three.")


# The first post.


@scenarios.add()
async def killed_during_the_first_post_long_ago(scene: DiscordScene) -> None:
    scene.claude.script(["The capital", never()])
    post = scene.hold_post(after=True)
    thread = await scene.opens_with("and the capital?")
    await scene.caught(post)
    await scene.crash()
    there = scene.ids(thread)
    scene.pass_time(LONG_AGO)
    await scene.start()
    await scene.ends_with(thread, f"The capital\n\n{CUT}")
    assert scene.ids(thread) == there


# In the long form only, because it resembles the first post.
@scenarios.add(deep=True)
async def killed_during_the_second_post_long_ago(scene: DiscordScene) -> None:
    scene.claude.script(scene.two_messages)
    post = scene.hold_post(nth=2, after=True)
    thread = await scene.opens_with("all of it")
    await scene.caught(post)
    await scene.crash()
    there = scene.ids(thread)
    scene.pass_time(LONG_AGO)
    await scene.start()
    await scene.end()
    assert scene.ids(thread)[: len(there)] == there
    assert "".join(scene.texts(thread)).count("x") == scene.two_messages.count("x")
    assert len(scene.questions) == 1


# In the long form only: to look for a post changes nothing.
@scenarios.add(deep=True)
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


# Finished.


# In the long form only: which messages are taken back does not depend on the adapter.
@scenarios.add(deep=True)
async def killed_in_the_second_message_and_answered_in_one(scene: DiscordScene) -> None:
    scene.claude.script([scene.two_messages, never()], "In short.")
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


# In the long form only: the same is stored when the card is about to be shown.
@scenarios.add(deep=True)
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


@on_both_sides(scenarios)
async def killed_while_it_shows_the_card(scene: DiscordScene, after: bool) -> None:
    await asked_by_command(scene, ("POST", CALLBACK, after))


# The short form leaves out the side after: the thread is then found as without a
# command.
@on_both_sides(scenarios, short=(BEFORE,))
async def killed_between_card_and_thread(scene: DiscordScene, after: bool) -> None:
    await asked_by_command(scene, ("POST", THREADS, after))


@on_both_sides(scenarios, short=(AFTER,))
async def killed_while_it_posts_the_card(scene: DiscordScene, after: bool) -> None:
    caught = ("POST", CALLBACK, False), ("POST", MESSAGES, after)
    await asked_by_command(scene, *caught)


@on_both_sides(scenarios, short=(AFTER,))
async def killed_after_a_command_had_to_wait(scene: DiscordScene, after: bool) -> None:
    scene.claude.always("Paris.")
    edit = scene.hold("PATCH", ORIGINAL, after=after)
    await scene.start()
    with scene.locked():
        asked = scene.command("and the capital?")
        await scene.until(lambda: asked.acked)
    await scene.restart_at(edit)
    await scene.ends_with(await scene.thread(), "Paris.")


@on_both_sides(scenarios, short=(BEFORE,))
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


# With a file.


def has_files(call: Call) -> bool:
    """Return whether a call posts the files of an answer."""
    return "-f" in str((call.body or {}).get("nonce", ""))


async def caught_at_its_file(scene: DiscordScene, after: bool) -> str:
    """Crash while the files of an answer are posted; return the thread."""
    scene.claude.always(WITH_FILE)
    post = scene.hold("POST", MESSAGES, after=after, when=has_files)
    thread = await scene.opens_with("as a file")
    await scene.caught(post)
    await scene.crash()
    return thread


async def ends_with_its_file(scene: DiscordScene, thread: str) -> None:
    await scene.start()
    await scene.until(lambda: "" in scene.texts(thread))
    await scene.end()
    assert len(scene.texts(thread)) == 2
    assert len(scene.questions) == 1


# The short form leaves out the side before: nothing is to be seen then, as before any
# other post.
@on_both_sides(scenarios, short=(AFTER,))
async def killed_while_a_file_is_posted(scene: DiscordScene, after: bool) -> None:
    thread = await caught_at_its_file(scene, after)
    await ends_with_its_file(scene, thread)


@on_both_sides(scenarios, short=(AFTER,))
async def killed_while_a_file_is_posted_long_ago(
    scene: DiscordScene, after: bool
) -> None:
    thread = await caught_at_its_file(scene, after)
    scene.pass_time(LONG_AGO)
    await ends_with_its_file(scene, thread)
