"""Claude reads the parts of a message besides its text: embeds, polls, forwards."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.discord.app_commands import SORT
from adapters.discord.ask_command import ABOUT, QUESTION
from tests.adapters.discord.conftest import Guild
from tests.adapters.discord.conftest import shared_guild as guild
from tests.adapters.discord.test_admin import Town, town
from tests.support import discord_messages
from tests.support.triage_requests import sorted_as

__all__ = ["guild", "town"]

live = pytest.mark.asyncio(loop_scope="module")

SHAPES = Path(__file__).parents[2] / "data" / "messages"


def shape(name: str) -> dict[str, Any]:
    """Return a message as it is on the wire."""
    body: dict[str, Any] = json.loads((SHAPES / f"{name}.json").read_text())
    return body


def reading(body: dict[str, Any]) -> str:
    """Return what Claude reads of `body`."""
    [text] = discord_messages.read([body])
    return text


def test_parts_stand_in_a_fixed_order_under_their_labels() -> None:
    body = {
        **shape("discord-preview"),
        **{key: shape("discord-poll")[key] for key in ("poll",)},
        "message_snapshots": shape("discord-forwarded-all")["message_snapshots"],
        "components": shape("discord-components")["components"],
        "sticker_items": shape("discord-sticker")["sticker_items"],
    }
    lines = reading(body).splitlines()
    labels = [each for each in lines if each.startswith("[")]
    assert labels == [
        "[Forwarded message of 2026-11-27 09:00 UTC]",
        "[Preview of https://example.com/post]",
        "[Poll]",
        "[Components]",
        "[Sticker]",
    ]


def test_an_embed_reads_as_it_is_shown() -> None:
    assert reading(shape("discord-alert")).split(">", 1)[1] == (
        "[Embed]\n"
        "> Production\n"
        "> Checkout is failing (https://grafana.example/1)\n"
        "> HTTP 500 on /pay\n"
        "> Service: checkout-api\n"
        "> Error rate: 42 %\n"
        "> (image: graph.png)\n"
        "> runbook RB-17 · 2026-11-28 10:00 UTC</message>"
    )


@pytest.mark.parametrize(
    ("kind", "webhook", "label"),
    [
        ("rich", {"webhook_id": "7"}, "[Embed]"),
        ("rich", {}, "[Preview of https://example.com/post]"),
        ("link", {"webhook_id": "7"}, "[Preview of https://example.com/post]"),
        ("video", {}, "[Preview of https://example.com/post]"),
    ],
)
def test_what_discord_made_of_a_link_is_called_a_preview(
    kind: str, webhook: dict[str, str], label: str
) -> None:
    embed = {"type": kind, "url": "https://example.com/post", "title": "Post"}
    assert label in reading({"embeds": [embed], **webhook})


def test_a_poll_has_counts_where_discord_tells_them() -> None:
    assert "Pizza: 3 votes\n> - Sushi: 0 votes" in reading(shape("discord-poll"))
    assert "vote" not in reading(shape("discord-poll-without-results"))
    result = discord_messages.received(shape("discord-poll-result"))
    assert result is not None
    assert "Lunch on Friday?\n> Most votes: Pizza (3 of 4)" in result.text
    # Its author did not write it: it is read and not answered.
    assert result.automated


def test_a_poll_without_an_end_is_read() -> None:
    body = shape("discord-poll")
    body["poll"]["expiry"] = None
    read = reading(body)
    assert "Lunch on Friday?" in read
    assert "Open until" not in read


def test_a_part_that_the_sdk_cannot_parse_is_left_out() -> None:
    body = shape("discord-alert-beside-text")
    expected = reading(body)
    strange: dict[str, Any] = {
        "sticker_items": [{"new": 1}],
        "poll": {},
        "components": None,
    }
    assert reading({**body, **strange}) == expected
    assert reading({**body, "message_reference": {"new": 1}}) == expected


def test_times_emoji_and_commands_read_as_they_are_shown() -> None:
    read = reading(shape("discord-times-and-names"))
    assert "due Saturday, 21 November 2026 22:26 UTC or 21 November 2026" in read
    assert "see Channels & Roles and /claude help :wave:; not `<t:17953" in read


def test_a_mention_in_a_forward_addresses_nobody_and_is_read() -> None:
    heard = discord_messages.received(shape("discord-forwarded-all"))
    assert heard is not None
    assert not heard.addressed
    assert "> see below, @Threadkeep" in reading(shape("discord-forwarded-all"))


def test_what_nobody_said_is_not_read() -> None:
    assert discord_messages.received(shape("discord-pinned")) is None


@live
async def test_a_message_without_text_is_read_live(guild: Guild) -> None:
    thread = await guild.thread_of(guild.mention("hello"))
    await guild.settled(thread)
    guild.discord.post(guild.bob, thread, shape("discord-forwarded-file"))
    await guild.settled(thread, 2)
    assert "> (file: report.pdf)" in guild.prompts()[1]
    guild.discord.post(guild.bob, thread, shape("discord-poll"))
    await guild.settled(thread, 3)
    assert "> - 🍕 Pizza: 3 votes" in guild.prompts()[2]


@live
async def test_what_the_sdk_cannot_parse_ends_no_session(guild: Guild) -> None:
    endless = shape("discord-poll")
    endless["poll"]["expiry"] = None
    left = guild.discord.identifies_left
    thread = await guild.thread_of(guild.mention("hello"))
    await guild.settled(thread)
    guild.discord.post(guild.bob, thread, endless)
    guild.discord.emit("MESSAGE_CREATE", id="1", channel_id=thread)
    await guild.settled(thread, 2)
    assert "> - 🍕 Pizza" in guild.prompts()[1]
    assert guild.discord.identifies_left == left


@live
async def test_history_and_replies_are_read_alike(guild: Guild) -> None:
    poll = guild.discord.post(guild.bob, guild.general, shape("discord-poll"))
    root = guild.discord.say(guild.alice, guild.general, "lunch")
    thread = guild.discord.thread(guild.alice, guild.general, "Lunch", message=root)
    for name in ("discord-alert", "discord-components"):
        guild.discord.post(guild.bob, thread, shape(name))
    guild.mention("what now?", thread)
    await guild.settled(thread)
    assert "> Error rate: 42 %" in guild.prompts()[0]
    assert "> failed in `build`" in guild.prompts()[0]
    asked = guild.mention("which one would you take?", reply_to=poll)
    await guild.settled(await guild.thread_of(asked))
    assert "> - 🍕 Pizza: 3 votes" in guild.prompts()[1]


@live
async def test_a_preview_that_comes_later_is_read_from_then_on(guild: Guild) -> None:
    asked = guild.mention("look at https://example.org")
    thread = await guild.thread_of(asked)
    await guild.settled(thread)
    guild.discord.unfurl(asked, "https://example.org")
    guild.discord.say(guild.bob, thread, "and now?")
    await guild.settled(thread, 2)
    first = guild.claude.requests[-1].body["messages"][0]["content"]
    assert "[Preview of https://example.org]\n> Behind the link" in first


@live
async def test_a_forward_is_read_with_the_comment_on_it(guild: Guild) -> None:
    discord = guild.discord
    source = discord.say(guild.bob, guild.general, "the invoice is wrong")
    other = discord.add_channel("other")
    say = f"{discord.mention} deal with this"
    asked = discord.forward(guild.alice, source, other, comment=say)
    await guild.settled(await guild.thread_of(asked))
    # What somebody else says, or says later, is no comment.
    discord.forward(guild.alice, source, other)
    discord.say(guild.bob, other, f"{discord.mention} hello")
    discord.say(guild.alice, other, "lunch?")
    guild.mention("soup?", other)
    await guild.discord.until(lambda: len(guild.prompts()) == 3)
    first, *others = guild.prompts()
    assert first.count("> the invoice is wrong") == 1
    assert first.index("> the invoice is wrong") < first.index("deal with this")
    assert "invoice" not in str(others)
    # The mention is added later.
    for text, times in ("why?", 1), ("who?", 0):
        said = discord.forward(guild.alice, source, other, comment=text)
        if not times:
            discord.delete(discord.messages(other)[-2].id)
        discord.edit(said, f"{discord.mention} {text}")
        await guild.settled(await guild.thread_of(said))
        assert guild.prompts()[-1].count("> the invoice is wrong") == times


DEFERRED = {"type": 20, "flags": 1 << 7}


@live
async def test_a_response_that_another_program_deferred_is_read_once_it_is_there(
    guild: Guild,
) -> None:
    thread = await guild.thread_of(guild.mention("hello"))
    await guild.settled(thread)
    program = guild.discord.add_user("Deployer", bot=True)
    response = guild.discord.post(program, thread, DEFERRED)
    embeds = shape("discord-alert")["embeds"]
    guild.discord.fill(response, {"content": "Deploy 42 is done", "embeds": embeds})
    guild.discord.say(guild.bob, thread, "and now?")
    await guild.settled(thread, 2)
    assert guild.prompts()[1].count('author="Deployer"') == 1
    assert "Deploy 42 is done" in guild.prompts()[1]
    assert "> Error rate: 42 %" in guild.prompts()[1]


@live
async def test_from_its_menu_a_message_is_read_with_all_its_parts(town: Town) -> None:
    town.claude.script(sorted_as(summary="Checkout fails."))
    alert = town.discord.post(town.bob, town.general, shape("discord-alert"))
    await town.told(town.discord.message_command(town.bob, town.general, alert, SORT))
    assert "> Error rate: 42 %" in str(town.claude.requests[-1].body)
    asked = town.discord.message_command(town.bob, town.general, alert, ABOUT)
    await town.discord.until(lambda: asked.acked)
    town.discord.submit(town.bob, asked, {QUESTION: "why?"})
    await town.discord.until(lambda: "why?" in str(town.claude.requests[-1].body))
    assert "> Service: checkout-api" in str(town.claude.requests[-1].body)
