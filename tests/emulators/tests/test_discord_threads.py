"""The Discord emulator's threads and forums, used through discord.py."""

from collections.abc import AsyncIterator

import discord
import pytest

from tests.emulators.bots import Bot, Scene, running, wired
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.rates import UNLIMITED


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with (
        DiscordEmulator(rates=UNLIMITED) as emulator,
        wired(emulator) as wire,
        running(emulator, Bot()) as bot,
    ):
        yield Scene(emulator, bot, wire)


async def test_a_thread_has_the_id_of_the_message_that_it_is_about(
    scene: Scene,
) -> None:
    said = scene.say("question")
    await scene.bot.until(lambda: scene.bot.heard)
    thread = await scene.bot.heard[0].create_thread(name="Answer")
    assert str(thread.id) == said == scene.emulator.thread_of(said)
    assert scene.emulator.threads(scene.general) == [said]
    assert scene.emulator.name(said) == "Answer"
    await thread.send("answer")
    assert scene.texts(said) == ["answer"]
    # The first message refers to the question. It is a notice, not a message of a
    # person.
    first = await anext(thread.history(oldest_first=True))
    assert first.type is discord.MessageType.thread_starter_message
    assert isinstance(first.reference and first.reference.resolved, discord.Message)
    again = await scene.place.fetch_message(int(said))
    assert again.flags.has_thread
    path = f"/channels/{scene.general}/messages/{said}/threads"
    assert await scene.refusal("POST", path, {"name": "x"}) == 160004
    assert await scene.refusal("POST", path, {"name": ""}) == 50035
    assert await scene.refusal("POST", path.replace(said, "1"), {"name": "x"}) == 10008
    nested = f"/channels/{said}/messages/{first.id}/threads"
    assert await scene.refusal("POST", nested, {"name": "x"}) == 50024


async def test_threads_need_permissions_of_their_own(scene: Scene) -> None:
    said = scene.say("question")
    path = f"/channels/{scene.general}/messages/{said}/threads"
    scene.emulator.set_permissions(scene.general, deny=["create_public_threads"])
    assert await scene.refusal("POST", path, {"name": "x"}) == 50013
    scene.emulator.set_permissions(scene.general, deny=["send_messages"])
    await scene.wire.call("POST", path, {"name": "x"})
    await scene.bot.place(said).send("send_messages has no say here")
    scene.emulator.set_permissions(scene.general, deny=["send_messages_in_threads"])
    body = {"content": "x"}
    assert await scene.refusal("POST", f"/channels/{said}/messages", body) == 50013


async def test_what_people_say_in_a_thread_is_heard_there(scene: Scene) -> None:
    thread = scene.emulator.thread(scene.alice, scene.general, "Alone")
    scene.emulator.say(scene.alice, thread, "hello")
    await scene.bot.until(lambda: "hello" in scene.bot.said())
    channel = scene.bot.heard[-1].channel
    assert isinstance(channel, discord.Thread)
    assert (str(channel.id), str(channel.parent_id)) == (thread, scene.general)


async def test_an_archived_thread_opens_when_written_into_but_not_when_edited(
    scene: Scene,
) -> None:
    said = scene.say("question")
    thread = await scene.open_thread(said)
    message = await thread.send("draft")
    scene.emulator.archive(said)
    for attempt in (message.edit(content="final"), message.delete()):
        with pytest.raises(discord.HTTPException) as caught:
            await attempt
        assert caught.value.code == 50083
    assert await _active(scene) == []
    await thread.send("more")
    await message.edit(content="final")
    assert scene.texts(said) == ["final", "more"]
    assert await _active(scene) == [said]
    scene.emulator.archive(said)
    await scene.bot.until(lambda: scene.bot.names().count("raw_thread_update") == 3)
    scene.emulator.say(scene.alice, said, "I open it too")
    assert await _active(scene) == [said]


async def test_a_locked_thread_is_for_moderators(scene: Scene) -> None:
    said = scene.say("question")
    thread = await scene.open_thread(said)
    scene.emulator.lock(said)
    path = f"/channels/{said}"
    body = {"content": "x"}
    assert await scene.refusal("POST", f"{path}/messages", body) == 160005
    assert await scene.refusal("PATCH", path, {"archived": False}) == 50013
    with pytest.raises(ValueError, match="locked"):
        scene.emulator.say(scene.alice, said, "let me in")
    allowed = ["manage_threads", "send_messages_in_threads"]
    scene.emulator.set_permissions(scene.general, allow=allowed)
    await thread.edit(archived=False, locked=False)
    await thread.send("unlocked")
    assert scene.texts(said) == ["unlocked"]


async def test_the_bot_archives_and_renames_only_its_own_threads(
    scene: Scene,
) -> None:
    said = scene.say("question")
    own = await scene.open_thread(said)
    renamed = await own.edit(name="y", archived=True)
    assert (renamed.name, renamed.archived) == ("y", True)
    # An archived thread must be reopened before other changes.
    assert await scene.refusal("PATCH", f"/channels/{said}", {"name": "z"}) == 50083
    assert not (await own.edit(archived=False)).archived
    assert await scene.refusal("PATCH", f"/channels/{said}", {"locked": True}) == 50013
    foreign = scene.emulator.thread(scene.alice, scene.general, "Hers")
    assert await scene.refusal("PATCH", f"/channels/{foreign}", {"name": "z"}) == 50013


async def test_a_forum_post_is_a_thread_whose_first_message_has_its_id(
    scene: Scene,
) -> None:
    forum = scene.emulator.add_channel("help", kind="forum")
    post = scene.emulator.forum_post(scene.alice, forum, "Help", "How?")
    await scene.bot.until(lambda: scene.bot.said() == ["How?"])
    assert str(scene.bot.heard[0].id) == post == str(scene.bot.heard[0].channel.id)
    channel = await scene.bot.fetch_channel(int(forum))
    assert isinstance(channel, discord.ForumChannel)
    made = await channel.create_thread(name="News", content="all is well")
    assert made.thread.id == made.message.id
    assert scene.texts(str(made.thread.id)) == ["all is well"]
    assert scene.emulator.threads(forum) == [post, str(made.thread.id)]
    body = {"content": "x"}
    assert await scene.refusal("POST", f"/channels/{forum}/messages", body) == 50024


async def test_a_deleted_thread_or_channel_is_gone_for_the_bot(scene: Scene) -> None:
    thread = scene.emulator.thread(scene.alice, scene.general, "x")
    other = scene.emulator.thread(scene.alice, scene.general, "y")
    scene.emulator.delete_channel(thread)
    await scene.bot.until(lambda: "raw_thread_delete" in scene.bot.names())
    assert await scene.refusal("GET", f"/channels/{thread}") == 10003
    scene.emulator.delete_channel(scene.general)
    assert await scene.refusal("GET", f"/channels/{other}") == 10003


async def _active(scene: Scene) -> list[str]:
    """Return the active threads, as a bot lists them after a restart."""
    path = f"/guilds/{scene.emulator.guild}/threads/active"
    return [each["id"] for each in (await scene.wire.call("GET", path))[1]["threads"]]


async def test_announcement_and_media_channels_have_threads_of_their_own_types(
    scene: Scene,
) -> None:
    emulator, bot = scene.emulator, scene.bot
    news = emulator.add_channel("news", kind="news")
    media = emulator.add_channel("gallery", kind="media")
    alice = emulator.add_user("Alice")
    said = emulator.say(alice, news, "question")
    await bot.until(lambda: said in {str(each.id) for each in bot.heard})
    [heard] = [each for each in bot.heard if str(each.id) == said]
    assert heard.channel.type is discord.ChannelType.news
    thread = await heard.create_thread(name="Answer")
    assert thread.type is discord.ChannelType.news_thread
    post = emulator.forum_post(alice, media, "A picture", "what is this?")
    await bot.until(lambda: post in {str(each.id) for each in bot.heard})
    gallery = bot.get_channel(int(media))
    assert isinstance(gallery, discord.ForumChannel)
    assert gallery.type is discord.ChannelType.media
    for place, kind in (
        (media, "media"),
        (said, "news_thread"),
        (post, "public_thread"),
    ):
        fetched = await bot.fetch_channel(int(place))
        assert not isinstance(fetched, discord.abc.PrivateChannel)
        assert fetched.type is discord.ChannelType[kind]
