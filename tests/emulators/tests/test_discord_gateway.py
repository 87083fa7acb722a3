"""The Discord emulator's gateway, used through discord.py and a bare WebSocket."""

import contextlib
from collections.abc import AsyncIterator

import discord
import pytest

from tests.emulators.bots import Bot, Line, Wire, running, wired
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.gateway import HEARTBEAT

EVERYTHING = 1 << 0 | 1 << 9 | 1 << 12 | 1 << 15
MENTION_ONLY = 1 << 0 | 1 << 9 | 1 << 12


@pytest.fixture
async def emulator() -> AsyncIterator[DiscordEmulator]:
    async with DiscordEmulator() as emulator:
        yield emulator


@pytest.fixture
async def wire(emulator: DiscordEmulator) -> AsyncIterator[Wire]:
    async with wired(emulator) as wire:
        yield wire


async def hear_texts(line: Line, count: int) -> list[str]:
    """Return the contents of the next `count` messages."""
    return [(await line.hear("MESSAGE_CREATE"))["d"]["content"] for _ in range(count)]


async def test_a_bot_becomes_ready_and_hears_what_is_said(
    emulator: DiscordEmulator,
) -> None:
    alice, general = emulator.add_user("Alice"), emulator.add_channel("general")
    async with running(emulator, Bot()) as bot:
        assert [str(guild.id) for guild in bot.guilds] == [emulator.guild]
        assert bot.user is not None
        assert str(bot.user.id) == emulator.user_id
        assert str(bot.application_id) == emulator.application_id
        emulator.say(alice, general, "hello")
        await bot.until(lambda: bot.said() == ["hello"])
        assert emulator.gateway.connected == 1
        assert emulator.identifies_left == 999
    await emulator.until(lambda: emulator.gateway.connected == 0)


async def test_a_wrong_token_is_refused_by_both_doors(
    emulator: DiscordEmulator, wire: Wire
) -> None:
    emulator.revoke()
    with pytest.raises(discord.LoginFailure):
        async with running(emulator, Bot()):
            pass
    async with wire.gateway() as line:
        await line.identify()
        assert await line.closed() == 4004


async def test_an_intent_that_is_not_granted_is_refused(
    emulator: DiscordEmulator,
) -> None:
    emulator.message_content = False
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with running(emulator, Bot()):
            pass


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"token": "wrong"}, 4004),
        ({"shard": [2, 2]}, 4010),
        ({"intents": 1 << 40}, 4013),
        ({"intents": 1 << 1}, 4014),
        ({"presence": "x" * 4096}, 4002),
    ],
)
async def test_what_is_wrong_with_an_identify_closes_the_connection(
    wire: Wire, asked: dict[str, object], code: int
) -> None:
    async with wire.gateway() as line:
        await line.identify(**asked)
        assert await line.closed() == code


async def test_whoever_breaks_the_protocol_is_sent_away(wire: Wire) -> None:
    async with wire.gateway(version=6) as line:
        assert await line.closed() == 4012
    async with wire.gateway() as line:
        await line.send(3, {})
        assert await line.closed() == 4003
    async with wire.gateway() as line:
        await line.send(77, {})
        assert await line.closed() == 4001
    async with wire.gateway() as line:
        await line.send_text("not JSON")
        assert await line.closed() == 4002
    async with wire.gateway() as line:
        await line.identify()
        await line.identify()
        assert await line.closed() == 4005
    async with wire.gateway() as line:
        for _ in range(121):
            await line.send(1, None)
        assert await line.closed() == 4008


async def test_the_starts_of_a_day_are_counted_and_too_many_cost_the_token(
    emulator: DiscordEmulator, wire: Wire
) -> None:
    emulator.identifies_left = 1
    emulator.app.shards, emulator.app.max_concurrency = 3, 16
    _, answer, _ = await wire.call("GET", "/gateway/bot")
    assert answer["url"] == emulator.gateway_url
    assert answer["shards"] == 3
    assert answer["session_start_limit"]["remaining"] == 1
    assert answer["session_start_limit"]["max_concurrency"] == 16
    async with wire.gateway() as line:
        await line.identify()
        await line.hear("READY")
    async with wire.gateway() as line:
        await line.identify()
        assert await line.closed() == 4004
    assert (await wire.call("GET", "/users/@me"))[0] == 401


async def test_shards_of_one_key_identify_five_seconds_apart() -> None:
    async with (
        DiscordEmulator(identify_interval=5.0) as emulator,
        wired(emulator) as wire,
        wire.gateway() as first,
        wire.gateway() as second,
    ):
        await first.identify(shard=[0, 2])
        await first.hear("READY")
        await second.identify(shard=[1, 2])
        assert (await second.hear(9))["d"] is False
        emulator.advance(5)
        await second.identify(shard=[1, 2])
        assert (await second.hear("READY"))["d"]["shard"] == [1, 2]


async def test_shards_of_different_keys_identify_at_once() -> None:
    async with (
        DiscordEmulator(identify_interval=5.0) as emulator,
        wired(emulator) as wire,
        contextlib.AsyncExitStack() as stack,
    ):
        emulator.app.max_concurrency = 2
        lines = [await stack.enter_async_context(wire.gateway()) for _ in range(3)]
        for number, line in enumerate(lines):
            await line.identify(shard=[number, 4])
        assert (await lines[0].hear("READY"))["d"]["shard"] == [0, 4]
        assert (await lines[1].hear("READY"))["d"]["shard"] == [1, 4]
        # It has the same rate limit key as shard 0.
        assert (await lines[2].hear(9))["d"] is False


async def test_a_shard_with_too_many_guilds_is_sent_away(
    emulator: DiscordEmulator, wire: Wire
) -> None:
    # Three guilds in all. The id of the first one decides which shard it belongs to.
    emulator.app.guilds_of_shard = 2
    emulator.add_guild("One", shard=(0, 2))
    emulator.add_guild("Other", shard=(1, 2))
    async with wire.gateway() as line:
        await line.identify()
        assert await line.closed() == 4011
    async with wire.gateway() as line:
        await line.identify(shard=[1, 2])
        await line.hear("READY")


async def test_two_sessions_of_one_shard_hear_the_same(
    emulator: DiscordEmulator, wire: Wire
) -> None:
    alice, general = emulator.add_user("Alice"), emulator.add_channel("general")
    async with wire.gateway() as one, wire.gateway() as other:
        for line in (one, other):
            await line.identify(shard=[0, 1], intents=EVERYTHING)
            await line.hear("READY")
        emulator.say(alice, general, "both hear this")
        for line in (one, other):
            assert await hear_texts(line, 1) == ["both hear this"]


async def test_each_shard_hears_its_guilds_and_the_first_one_direct_messages(
    emulator: DiscordEmulator, wire: Wire
) -> None:
    alice = emulator.add_user("Alice")
    channels = [
        emulator.add_channel("x", guild=emulator.add_guild("G", shard=(number, 2)))
        for number in range(2)
    ]
    async with wire.gateway() as zero, wire.gateway() as one:
        for number, line in enumerate((zero, one)):
            await line.identify(shard=[number, 2], intents=EVERYTHING)
            await line.hear("READY")
        emulator.say(alice, channels[1], "for one")
        emulator.say(alice, emulator.open_dm(alice), "direct")
        emulator.say(alice, channels[0], "for zero")
        assert await hear_texts(zero, 2) == ["direct", "for zero"]
        assert await hear_texts(one, 1) == ["for one"]


async def test_only_what_was_asked_for_is_sent(
    emulator: DiscordEmulator, wire: Wire
) -> None:
    alice, general = emulator.add_user("Alice"), emulator.add_channel("general")
    async with wire.gateway() as line:
        await line.identify(intents=1 << 0 | 1 << 12)
        await line.hear("READY")
        emulator.say(alice, general, "in a guild")
        emulator.say(alice, emulator.open_dm(alice), "direct")
        assert await hear_texts(line, 1) == ["direct"]


async def test_without_message_content_only_the_exceptions_are_readable(
    emulator: DiscordEmulator, wire: Wire
) -> None:
    emulator.message_content = False
    alice, general = emulator.add_user("Alice"), emulator.add_channel("general")
    async with wire.gateway() as line:
        await line.identify(intents=MENTION_ONLY)
        await line.hear("READY")
        emulator.say(alice, general, "overheard", files={"a.txt": b"secret"})
        overheard = (await line.hear("MESSAGE_CREATE"))["d"]
        assert (overheard["content"], overheard["attachments"]) == ("", [])
        addressed = emulator.say(alice, general, f"{emulator.mention} to you")
        messages = f"/channels/{general}/messages"
        _, own, _ = await wire.call("POST", messages, {"content": "mine"})
        emulator.say(alice, general, "a reply", reply_to=own["id"])
        emulator.say(alice, general, "a quiet reply", reply_to=own["id"], ping=False)
        emulator.say(alice, emulator.open_dm(alice), "direct")
        assert await hear_texts(line, 5) == [
            f"{emulator.mention} to you",
            "mine",
            "a reply",
            "",
            "direct",
        ]
        emulator.edit(addressed, "no longer to you")
        assert (await line.hear("MESSAGE_UPDATE"))["d"]["content"] == ""
        _, page, _ = await wire.call("GET", messages)
        assert [each["content"] for each in page] == ["", "a reply", "mine", "", ""]
        _, one, _ = await wire.call("GET", f"{messages}/{addressed}")
        assert one["content"] == ""


async def test_whether_message_content_is_granted_shows_in_the_flags(
    emulator: DiscordEmulator, wire: Wire
) -> None:
    for granted in (True, False):
        emulator.message_content = granted
        for path in ("/oauth2/applications/@me", "/applications/@me"):
            _, answer, _ = await wire.call("GET", path)
            assert bool(answer["flags"] & 1 << 19) is granted


async def test_where_the_bot_may_not_look_it_hears_nothing(
    emulator: DiscordEmulator, wire: Wire
) -> None:
    alice = emulator.add_user("Alice")
    secret, general = emulator.add_channel("secret"), emulator.add_channel("general")
    emulator.set_permissions(secret, deny=["view_channel"])
    async with wire.gateway() as line:
        await line.identify(intents=EVERYTHING)
        guild = (await line.hear("GUILD_CREATE"))["d"]
        assert [each["id"] for each in guild["channels"]] == [general]
        emulator.say(alice, secret, "whispered")
        emulator.say(alice, general, "aloud")
        assert await hear_texts(line, 1) == ["aloud"]


@pytest.mark.parametrize("how", ["drop", "reconnect", "close"])
async def test_a_bot_that_comes_back_gets_what_it_missed(
    emulator: DiscordEmulator, how: str
) -> None:
    alice, general = emulator.add_user("Alice"), emulator.add_channel("general")
    async with running(emulator, Bot()) as bot:
        match how:
            case "drop":
                emulator.gateway.drop()
            case "reconnect":
                emulator.gateway.reconnect()
            case "close":
                await emulator.gateway.close(4000)
        await emulator.until(lambda: emulator.gateway.connected == 0)
        emulator.say(alice, general, "meanwhile")
        await bot.until(lambda: bot.said() == ["meanwhile"])
        assert emulator.gateway.log == [("IDENTIFY", 0), ("RESUME", 0)]
        assert bot.names().count("shard_resumed") == 1


async def test_a_session_that_is_over_cannot_be_resumed(
    emulator: DiscordEmulator, wire: Wire
) -> None:
    alice, general = emulator.add_user("Alice"), emulator.add_channel("general")
    async with wire.gateway() as line:
        await line.identify()
        session = (await line.hear("READY"))["d"]["session_id"]
        emulator.gateway.drop(resumable=False)
    emulator.say(alice, general, "unheard")
    async with wire.gateway() as line:
        await line.resume(session, 2)
        assert (await line.hear(9))["d"] is False
        await line.identify()
        await line.hear("READY")
        emulator.say(alice, general, "heard")
        assert (await line.hear("MESSAGE_CREATE"))["s"] == 3


async def test_a_session_may_be_declared_over_on_the_open_line(
    emulator: DiscordEmulator, wire: Wire
) -> None:
    for resumable in (True, False):
        async with wire.gateway() as line:
            await line.identify()
            await line.hear("READY")
            emulator.gateway.invalidate(resumable=resumable)
            assert (await line.hear(9))["d"] is resumable


async def test_a_resume_must_make_sense(wire: Wire) -> None:
    async with wire.gateway() as line:
        await line.identify()
        session = (await line.hear("READY"))["d"]["session_id"]
        async with wire.gateway() as other:
            await other.resume(session, 99)
            assert await other.closed() == 4007
        async with wire.gateway() as other:
            await other.resume(session, 1, token="wrong")
            assert await other.closed() == 4004


async def test_hanging_up_politely_ends_the_session(
    emulator: DiscordEmulator, wire: Wire
) -> None:
    async with wire.gateway() as line:
        await line.identify()
        session = (await line.hear("READY"))["d"]["session_id"]
    await emulator.until(lambda: emulator.gateway.connected == 0)
    async with wire.gateway() as line:
        await line.resume(session, 1)
        assert (await line.hear(9))["d"] is False


async def test_heartbeats_are_answered_unless_the_connection_is_to_be_a_zombie(
    emulator: DiscordEmulator,
) -> None:
    emulator.gateway.heartbeat_interval = 0.05
    async with running(emulator, Bot(heartbeat_timeout=0.2)) as bot:
        emulator.gateway.acks = False
        await emulator.until(lambda: emulator.gateway.connected == 0)
        emulator.gateway.acks = True
        # A heartbeat in progress when the loop ends would never be awaited.
        emulator.gateway.heartbeat_interval = HEARTBEAT
        await emulator.until(lambda: ("RESUME", 0) in emulator.gateway.log)
        await bot.until(lambda: "shard_resumed" in bot.names())


async def test_the_bot_learns_that_it_was_removed_and_of_an_outage(
    emulator: DiscordEmulator, wire: Wire
) -> None:
    alice, general = emulator.add_user("Alice"), emulator.add_channel("general")
    async with wire.gateway() as line:
        await line.identify(intents=EVERYTHING)
        await line.hear("GUILD_CREATE")
        emulator.outage(emulator.guild)
        assert (await line.hear("GUILD_DELETE"))["d"]["unavailable"] is True
        emulator.say(alice, general, "unheard")
        emulator.recover(emulator.guild)
        assert (await line.hear())["t"] == "GUILD_CREATE"
        emulator.kick_bot(emulator.guild)
        assert (await line.hear("GUILD_DELETE"))["d"] == {"id": emulator.guild}
        emulator.say(alice, general, "unheard")
        emulator.emit("GUILD_ROLE_DELETE", guild_id=emulator.guild, role_id="1")
        assert await wire.code("GET", f"/channels/{general}") == (403, 50001)
        emulator.invite_bot(emulator.guild)
        assert (await line.hear())["t"] == "GUILD_CREATE"
        emulator.say(alice, general, "heard")
        assert await hear_texts(line, 1) == ["heard"]


async def test_two_bots_in_one_loop_do_not_wait_for_each_other(
    emulator: DiscordEmulator,
) -> None:
    alice, general = emulator.add_user("Alice"), emulator.add_channel("general")
    async with running(emulator, Bot()) as old, running(emulator, Bot()) as new:
        emulator.say(alice, general, "both hear this")
        await old.until(lambda: old.said() == ["both hear this"])
        await new.until(lambda: new.said() == ["both hear this"])
