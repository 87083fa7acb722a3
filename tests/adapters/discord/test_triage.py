"""Triage of messages in Discord, through the real SDK, as people there see it."""

import pytest

from adapters.discord.app_commands import SORT
from bot.domain.scope import Scope
from bot.domain.setting import Change
from tests.adapters.discord.test_admin import Town, town
from tests.support.triage_requests import sorted_as

__all__ = ["town"]

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def put(town: Town, name: str, value: str) -> None:
    await town.store.change_settings(
        [Change(town.channel, name, value)], who=town.ada, now=1.0
    )


async def test_a_message_is_sorted_from_its_menu(town: Town) -> None:
    town.claude.script(sorted_as(summary="The export @everyone broke."))
    message = town.discord.say(town.alice, town.general, "Export is broken!")
    asked = town.discord.message_command(town.bob, town.general, message, SORT)
    shown = await town.told(asked)
    assert shown.text == "🟠 · **bug** · **high**\nThe export @everyone broke."
    assert shown.ephemeral_for == ""
    assert len(shown.buttons) == 2
    assert town.discord.pings == []


async def test_a_post_in_a_forum_is_sorted_with_its_title(town: Town) -> None:
    town.claude.script(sorted_as(), sorted_as())
    forum = town.discord.add_channel("help", kind="forum")
    post = town.discord.forum_post(town.alice, forum, "Login fails", "see title")
    await town.told(town.discord.message_command(town.bob, post, post, SORT))
    await town.give("triage", user=town.alice, place=post)
    one, all_of_it = (
        each.body["messages"][0]["content"] for each in town.claude.questions
    )
    assert one == "<ticket>\nLogin fails\n\nsee title\n</ticket>"
    assert all_of_it.index("Login fails") < all_of_it.index("see title")


async def test_a_correction_shows_where_the_line_stands(town: Town) -> None:
    town.claude.script(sorted_as())
    message = town.discord.say(town.alice, town.general, "Pay me back")
    shown = await town.told(
        town.discord.message_command(town.bob, town.general, message, SORT)
    )
    chosen = town.discord.select(town.bob, shown.id, shown.buttons[0], ["billing"])
    await town.discord.until(lambda: chosen.acked)
    await town.discord.until(
        lambda: "Corrected by" in town.discord.message(shown.id).text
    )
    changed = town.discord.message(shown.id)
    assert changed.text.startswith("🟠 · **billing** · **high**")
    *_, learn = changed.buttons
    refused = await town.told(town.discord.click(town.bob, shown.id, learn))
    assert refused.text.startswith("Sorry, ")
    assert refused.ephemeral_for == town.bob
    town.discord.click(town.ada, shown.id, learn)
    await town.discord.until(
        lambda: "made this an example" in town.discord.message(shown.id).text
    )
    [case] = await town.store.examples(town.channel)
    assert (case.corrected_by, case.agreed_by) == (town.bob, town.ada)


async def test_the_last_messages_come_as_a_table_and_a_file(town: Town) -> None:
    for n in range(5):
        town.discord.say(town.alice, town.general, f"Ticket {n}")
    for _ in range(15):
        # Discord says that somebody joined.
        town.discord.post(town.bob, town.general, {"type": 7})
    for n in range(3):
        town.claude.script(sorted_as(priority="low", summary=f"Number {n}"))
    shown = await town.give("triage", last=3)
    assert "**3 messages sorted**" in shown.text
    assert "Priority: low 3." in shown.text
    assert shown.files == ("triage.csv",)
    assert shown.ephemeral_for == ""
    said = await town.give("triage", user=town.alice, last=3)
    assert said.text.startswith("Sorry, ")


async def test_a_thread_is_sorted(town: Town) -> None:
    town.claude.script("Hello!", sorted_as())
    thread = await town.thread_of(town.mention("The export broke"))
    await town.settled(thread)
    shown = await town.give("triage", user=town.alice, place=thread)
    assert shown.text.startswith("🟠 · **bug**")
    asked = town.claude.questions[-1].body["messages"][0]["content"]
    assert asked == "<ticket>\nAlice: The export broke\n</ticket>"


async def test_each_new_message_gets_a_sign_and_a_label(town: Town) -> None:
    await put(town, "auto_triage", "on")
    await put(town, "triage_sign", "both")
    await put(town, "triage_announce", f"channel:{town.random}")
    town.claude.script(sorted_as(priority="critical", summary="All is down."))
    message = town.discord.say(town.alice, town.general, "Nothing works!")
    await town.discord.until(lambda: town.discord.messages(town.random))
    assert town.discord.message(message).reactions == ("🔴",)
    [label] = [m for m in town.discord.messages(town.general) if m.bot]
    assert label.reply_to == message
    assert label.text == "🔴 · **bug** · **critical**\nAll is down."
    [announced] = town.discord.messages(town.random)
    path = f"{town.discord.guild}/{town.general}/{message}"
    assert announced.text.endswith(
        f"Posted by Alice in <#{town.general}>: https://discord.com/channels/{path}"
    )
    # No thread is made for it, and nobody is answered.
    assert town.discord.threads(town.general) == []
    assert (town.discord.pings, town.discord.previews) == ([], [])


async def test_a_new_post_in_a_forum_is_sorted_with_its_title(town: Town) -> None:
    forum = town.discord.add_channel("help", kind="forum")
    there = Scope("discord", town.discord.guild, forum)
    changes = [Change(there, "auto_triage", "on"), Change(there, "triage_sign", "both")]
    await town.store.change_settings(changes, who=town.ada, now=1.0)
    town.claude.script(sorted_as())
    post = town.discord.forum_post(town.alice, forum, "Login fails", "see title")
    await town.discord.until(lambda: town.discord.messages(post)[-1].bot)
    assert "Login fails" in str(town.claude.questions[0].body["messages"])
    assert town.discord.message(post).reactions == ("🟠",)


async def test_other_channels_are_left_alone(town: Town) -> None:
    await put(town, "auto_triage", "on")
    town.discord.say(town.alice, town.random, "Nothing works!")
    town.claude.script(sorted_as())
    message = town.discord.say(town.alice, town.general, "It broke")
    await town.discord.until(lambda: town.discord.message(message).reactions)
    assert len(town.claude.questions) == 1
