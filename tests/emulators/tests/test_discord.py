"""The Discord emulator's messages and people, used through discord.py."""

import io
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


async def test_a_message_is_written_rewritten_and_taken_back(scene: Scene) -> None:
    message = await scene.place.send("draft")
    await message.edit(content="final")
    (seen,) = scene.emulator.messages(scene.general)
    assert (seen.author, seen.bot, seen.text, seen.edited) == (
        "threadkeep",
        True,
        "final",
        True,
    )
    assert [version.text for version in seen.versions] == ["draft", "final"]
    assert (await scene.place.fetch_message(message.id)).content == "final"
    await message.delete()
    assert scene.texts() == []
    gone = f"/channels/{scene.general}/messages/{message.id}"
    assert await scene.refusal("GET", gone) == 10008
    assert await scene.refusal("PATCH", gone, {"content": "x"}) == 10008


async def test_history_is_read_in_every_direction(scene: Scene) -> None:
    said = [scene.say(str(number)) for number in range(120)]

    async def page(query: str) -> list[str]:
        path = f"/channels/{scene.general}/messages?{query}"
        return [each["content"] for each in (await scene.wire.call("GET", path))[1]]

    assert await page("limit=2") == ["119", "118"]
    assert await page(f"before={said[5]}&limit=2") == ["4", "3"]
    # The messages right after it, not the newest ones.
    assert await page(f"after={said[5]}&limit=2") == ["7", "6"]
    assert await page(f"around={said[5]}&limit=3") == ["6", "5", "4"]
    assert len(await page("")) == 50
    after = discord.Object(int(said[9]))
    caught_up = [each async for each in scene.place.history(after=after, limit=None)]
    assert [each.content for each in caught_up] == [str(n) for n in range(10, 120)]
    path = f"/channels/{scene.general}/messages?limit=101"
    assert await scene.refusal("GET", path) == 50035


async def test_a_repeated_nonce_returns_the_message_that_is_there(
    scene: Scene,
) -> None:
    first = await scene.place.send("once", nonce="turn-1")
    again = await scene.place.send("once more", nonce="turn-1")
    assert (again.id, again.content, again.nonce) == (first.id, "once", "turn-1")
    other = scene.emulator.add_channel("other")
    assert (await scene.bot.place(other).send("x", nonce="turn-1")).id != first.id
    scene.emulator.advance(301)
    assert (await scene.place.send("later", nonce="turn-1")).id != first.id
    assert scene.texts() == ["once", "later"]
    body = {"content": "x", "nonce": "n" * 26}
    path = f"/channels/{scene.general}/messages"
    assert await scene.refusal("POST", path, body) == 50035


async def test_a_nonce_that_is_not_enforced_does_nothing(scene: Scene) -> None:
    for _ in range(2):
        path = f"/channels/{scene.general}/messages"
        await scene.wire.call("POST", path, {"content": "x", "nonce": "n"})
    assert scene.texts() == ["x", "x"]


async def test_a_message_says_something_and_not_too_much(scene: Scene) -> None:
    path = f"/channels/{scene.general}/messages"
    assert await scene.refusal("POST", path, {"content": " \n"}) == 50006
    _, answer, _ = await scene.wire.call("POST", path, {"content": "x" * 2_001})
    assert answer["code"] == 50035
    assert answer["errors"]["content"]["_errors"][0]["message"] == (
        "Must be 2000 or fewer in length."
    )
    message = await scene.place.send("x" * 2_000)
    path += f"/{message.id}"
    assert await scene.refusal("PATCH", path, {"content": ""}) == 50006
    assert await scene.refusal("PATCH", path, {"content": "x" * 2_001}) == 50035


async def test_nobody_edits_what_another_wrote(scene: Scene) -> None:
    path = f"/channels/{scene.general}/messages/{scene.say('mine')}"
    assert await scene.refusal("PATCH", path, {"content": "yours"}) == 50005
    assert await scene.refusal("DELETE", path) == 50013


async def test_a_reply_names_a_message_that_is_there(scene: Scene) -> None:
    said = scene.say("question")
    message = await scene.place.fetch_message(int(said))
    await message.reply("answer")
    assert scene.emulator.messages(scene.general)[-1].reply_to == said
    scene.emulator.delete(said)
    with pytest.raises(discord.HTTPException) as caught:
        await message.reply("to nothing")
    assert caught.value.code == 50035
    maybe = discord.MessageReference.from_message(message, fail_if_not_exists=False)
    await scene.place.send("anyway", reference=maybe)
    assert scene.texts() == ["answer", "anyway"]


async def test_who_is_pinged_is_worked_out(scene: Scene) -> None:
    bob = scene.emulator.add_user("Bob")
    open_role = scene.emulator.add_role("team", mentionable=True)
    closed_role = scene.emulator.add_role("board")
    await scene.bot.until(lambda: "guild_role_create" in scene.bot.names())
    # A bot that may mention everybody may mention every role too.
    text = f"@everyone <@{bob}> <@&{open_role}> <@&{closed_role}>"
    everybody = {"@everyone", f"<@{bob}>", f"<@&{open_role}>", f"<@&{closed_role}>"}
    message = await scene.place.send(text)
    assert {ping.what for ping in scene.emulator.pings} == everybody
    scene.emulator.pings.clear()
    nobody = discord.AllowedMentions.none()
    message = await scene.place.send(text, allowed_mentions=nobody)
    assert scene.emulator.pings == []
    # Fields that an edit leaves out get their defaults.
    path = f"/channels/{scene.general}/messages/{message.id}"
    await scene.wire.call("PATCH", path, {"content": text})
    assert {ping.what for ping in scene.emulator.pings} == everybody
    scene.emulator.pings.clear()
    scene.emulator.set_permissions(scene.general, deny=["mention_everyone"])
    await scene.place.send(text)
    assert {ping.what for ping in scene.emulator.pings} == {
        f"<@{bob}>",
        f"<@&{open_role}>",
    }


async def test_a_link_shows_what_is_behind_it_unless_that_is_suppressed(
    scene: Scene,
) -> None:
    for suppress in (False, True):
        message = await scene.place.send("https://x.test", suppress_embeds=suppress)
        scene.emulator.unfurl(str(message.id), "https://x.test")
        seen = scene.emulator.message(str(message.id))
        assert bool(seen.embeds) is not suppress
        assert bool(seen.flags & 1 << 2) is suppress


async def test_an_edit_that_names_the_flags_without_it_has_previews_made(
    scene: Scene,
) -> None:
    quiet = await scene.place.send("https://x.test", suppress_embeds=True)
    await quiet.edit(content="https://y.test", suppress=True)
    # The SDK's other method sends no flags, so that they do not change.
    await scene.place.get_partial_message(quiet.id).edit(content="https://z.test")
    await scene.place.send("see <https://x.test> and http: //x")
    assert scene.emulator.previews == []
    await quiet.edit(content="https://y.test")
    [preview] = scene.emulator.previews
    assert (preview.message, preview.address) == (str(quiet.id), "https://y.test")
    await scene.place.send("[x](https://z.test)")
    assert len(scene.emulator.previews) == 2


async def test_files_are_public_for_a_day(scene: Scene) -> None:
    files = {"a b.txt": b"content"}
    said = scene.emulator.say(scene.alice, scene.general, "see", files=files)
    message = await scene.place.fetch_message(int(said))
    (attachment,) = message.attachments
    assert attachment.url.startswith("http://127.0.0.1:")
    assert await attachment.read() == b"content"
    attachment.url += "0"
    with pytest.raises(discord.NotFound):
        await attachment.read()
    attachment.url = attachment.url[:-1]
    scene.emulator.advance(86_401)
    with pytest.raises(discord.NotFound):
        await attachment.read()
    (fresh,) = (await scene.place.fetch_message(int(said))).attachments
    assert await fresh.read() == b"content"


async def test_the_bot_sends_files(scene: Scene) -> None:
    nothing = discord.utils.MISSING
    file = discord.File(__file__, filename="t.py")
    message = await scene.place.send(nothing, file=file)
    assert scene.emulator.message(str(message.id)).files == ("t.py",)
    assert await message.attachments[0].read()


async def test_files_are_limited_and_need_a_permission(scene: Scene) -> None:
    def files(count: int, size: int) -> list[discord.File]:
        return [discord.File(io.BytesIO(b"x" * size), f"{n}.txt") for n in range(count)]

    async def refusal(count: int, size: int) -> int:
        with pytest.raises(discord.HTTPException) as refused:
            await scene.place.send(files=files(count, size))
        return refused.value.code

    message = await scene.place.send(files=files(10, 1))
    attached = scene.emulator.attached(scene.general, str(message.id))
    assert attached == {f"{n}.txt": b"x" for n in range(10)}
    # discord.py refuses an eleventh itself.
    assert await refusal(1, 10 * 1024**2 + 1) == 40005
    scene.emulator.limit_bot("attach_files")
    assert await refusal(1, 1) == 50013


async def test_the_bot_hears_of_edits_and_deletions(scene: Scene) -> None:
    one, two, three = (scene.say(text) for text in "abc")
    scene.emulator.edit(one, "A")
    scene.emulator.delete(one)
    scene.emulator.bulk_delete(two, three)
    await scene.bot.until(lambda: "raw_bulk_message_delete" in scene.bot.names())
    heard = [name for name in scene.bot.names() if name.startswith("raw_")]
    assert heard == [
        "raw_message_edit",
        "raw_message_delete",
        "raw_bulk_message_delete",
    ]
    assert scene.texts() == []


async def test_typing_shows_for_ten_seconds_or_until_something_is_written(
    scene: Scene,
) -> None:
    await scene.place.typing()
    assert scene.emulator.typing(scene.general)
    scene.emulator.advance(10)
    assert not scene.emulator.typing(scene.general)
    await scene.place.typing()
    await scene.place.send("here")
    assert not scene.emulator.typing(scene.general)


async def test_direct_messages_are_opened_from_either_side(scene: Scene) -> None:
    direct = scene.emulator.open_dm(scene.alice)
    scene.emulator.say(scene.alice, direct, "psst")
    await scene.bot.until(lambda: scene.bot.said() == ["psst"])
    user = await scene.bot.fetch_user(int(scene.alice))
    await user.send("yes?")
    assert scene.texts(direct) == ["psst", "yes?"]
    hers = f"/channels/{direct}/messages/{scene.emulator.messages(direct)[0].id}"
    assert await scene.refusal("DELETE", hers) == 50003


async def test_users_and_members_are_looked_up(scene: Scene) -> None:
    guild = await scene.bot.fetch_guild(int(scene.emulator.guild))
    member = await guild.fetch_member(int(scene.alice))
    assert (member.name, member.bot) == ("Alice", False)
    assert await scene.refusal("GET", f"/guilds/{guild.id}/members/1") == 10007
    assert await scene.refusal("GET", "/users/1") == 10013


async def test_what_the_bot_may_not_do_is_refused(scene: Scene) -> None:
    path = f"/channels/{scene.general}/messages"
    body = {"content": "x"}
    scene.emulator.set_permissions(scene.general, deny=["send_messages"])
    assert await scene.wire.code("POST", path, body) == (403, 50013)
    scene.emulator.set_permissions(scene.general, deny=["view_channel"])
    assert await scene.wire.code("POST", path, body) == (403, 50001)
    assert await scene.wire.code("GET", path) == (403, 50001)
    scene.emulator.set_permissions(scene.general, deny=["read_message_history"])
    assert (await scene.wire.call("GET", path))[1] == []
    scene.emulator.delete_channel(scene.general)
    assert await scene.wire.code("POST", path, body) == (404, 10003)
    await scene.bot.until(lambda: "guild_channel_delete" in scene.bot.names())


async def test_a_route_that_nobody_knows_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="sparkles"):
        async with DiscordEmulator() as emulator, wired(emulator) as wire:
            assert (await wire.call("GET", "/sparkles"))[0] == 501
