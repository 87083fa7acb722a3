"""Errors of Discord delay answers, but lose and double nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from adapters.discord.adapter import connect
from adapters.discord.thread_names import UNNAMED
from bot.errors import AccessRevoked, ConfigError
from bot.messages.answers import STOPPED
from bot.messages.controls import BLOCKED, HIDDEN, HINT, NOT_SHOWN
from storage.store import DatabaseStore
from tests.adapters.discord.conftest import Guild
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Hold
from tests.emulators.discord.calls import Call
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.faults import (
    ALWAYS,
    MESSAGE,
    MESSAGES,
    THREADS,
    cut,
    error,
    status,
)
from tests.emulators.discord.people import Seen
from tests.emulators.discord.rates import RATES, Rate
from tests.support.memory_store import MemoryStore
from tests.support.process import running
from tests.support.scripted_model import ScriptedModel

FORBIDDEN = 50013


async def test_a_post_whose_answer_was_lost_is_not_doubled(guild: Guild) -> None:
    guild.claude.script("Paris.")
    guild.discord.faults.add("POST", MESSAGES, cut(after=True))
    thread = await guild.thread_of(guild.mention("?"))
    await guild.answered(thread, "Paris.")
    await guild.quiet()
    assert guild.replies(thread) == ["Paris."]


async def test_a_thread_that_is_there_already_is_used(guild: Guild) -> None:
    guild.discord.faults.add("POST", THREADS, cut(after=True))
    thread = await guild.thread_of(guild.mention("?"))
    await guild.settled(thread)
    assert len(guild.discord.threads(guild.general)) == 1


async def test_an_answer_that_discord_refuses_is_shown_in_shorter_messages(
    guild: Guild,
) -> None:
    # However Discord counts, it takes no message of over 500 characters.
    for verb, path in (("POST", MESSAGES), ("PATCH", MESSAGE)):
        guild.discord.faults.add(
            *(verb, path, error(400, 50035, "Invalid Form Body")),
            times=ALWAYS,
            when=lambda call: len(str(call.body.get("content", ""))) > 500,
        )
    text = "\n\n".join(f"Paragraph {n}. " + "Some words. " * 8 for n in range(12))
    guild.claude.script([text[:600], text[600:], " END"])
    thread = await guild.thread_of(guild.mention("?"))
    await guild.discord.until(
        lambda: " ".join(guild.replies(thread)).split() == f"{text} END".split(),
    )


async def test_errors_on_discords_side_delay_and_lose_nothing(guild: Guild) -> None:
    guild.claude.script("Paris.")
    guild.discord.faults.add("POST", MESSAGES, status(503), times=2)
    thread = await guild.thread_of(guild.mention("?"))
    await guild.answered(thread, "Paris.")


async def test_an_archived_thread_is_opened_again_by_writing(guild: Guild) -> None:
    gate = asyncio.Event()
    guild.claude.script(["Half", Hold(gate), " and half."])
    thread = await guild.thread_of(guild.mention("?"))
    await guild.answered(thread, "Half …")
    guild.discord.archive(thread, True)
    gate.set()
    await guild.answered(thread, "Half and half.")
    await guild.quiet()


async def test_where_it_may_not_open_a_thread_a_new_message_does(guild: Guild) -> None:
    gate = asyncio.Event()
    guild.claude.script(["Half", Hold(gate), " and half."])
    thread = await guild.thread_of(guild.mention("?"))
    await guild.answered(thread, "Half …")
    guild.discord.archive(thread, True)
    guild.discord.faults.add(
        "PATCH", r"/channels/\d+", error(403, FORBIDDEN, "Missing Permissions")
    )
    gate.set()
    await guild.answered(thread, "Half and half.")
    await guild.quiet()
    assert len(guild.discord.calls_of("DELETE", MESSAGE)) == 1
    # Claude reads it in the next turn, although Discord tells of the deleted half.
    guild.claude.script("Two.")
    guild.discord.say(guild.alice, thread, "and?")
    await guild.answered(thread, "Half and half.", "Two.")
    assert "Half and half." in str(guild.claude.requests[-1].body["messages"])


async def answered_in_the_channel(guild: Guild, asked: str, text: str) -> Seen:
    """Wait until the reply to `asked` in #general reads `text`; return it."""
    replies = await guild.discord.until(
        lambda: [
            each
            for each in guild.discord.messages(guild.general)
            if each.bot and each.reply_to == asked and each.text == text
        ]
    )
    return replies[-1]


async def test_where_a_server_has_its_most_threads_it_answers_in_the_channel(
    guild: Guild,
) -> None:
    guild.discord.limit_threads(0)
    guild.claude.script(["Paris", Hold(asyncio.Event())], "Still Paris.", "It is.")
    asked = guild.mention("what is the capital of France?")
    answer = await answered_in_the_channel(guild, asked, "Paris …")
    # Its controls work, and so does a reply to it.
    guild.discord.click(guild.alice, answer.id, answer.buttons[0])
    await answered_in_the_channel(guild, asked, f"Paris\n\n_{STOPPED}_")
    await guild.quiet()
    assert guild.discord.threads(guild.general) == []
    assert len(guild.discord.calls_of("POST", THREADS)) == 1
    again = guild.discord.say(
        guild.bob, guild.general, "sure?", reply_to=answer.id, ping=False
    )
    await answered_in_the_channel(guild, again, "Still Paris.")
    assert ">Paris" in guild.prompts()[1]
    # As soon as there is room, threads are created again.
    guild.discord.limit_threads(1)
    thread = await guild.thread_of(guild.mention("really?"))
    await guild.answered(thread, "It is.")


@pytest.mark.parametrize(
    "code",
    [(403, FORBIDDEN), (400, 50024)],
    ids=["permission", "kind of channel"],
)
async def test_whatever_keeps_a_thread_from_being_made_the_answer_comes(
    guild: Guild, code: tuple[int, int]
) -> None:
    guild.claude.script("Paris.")
    guild.discord.faults.add("POST", THREADS, error(*code, "No"), times=9)
    await answered_in_the_channel(guild, guild.mention("?"), "Paris.")


async def test_an_answer_in_the_channel_goes_on_after_a_restart(
    unattended: Guild,
) -> None:
    guild = unattended
    guild.discord.limit_threads(0)
    guild.claude.script(["Half", Hold(asyncio.Event())], "Half and half.")
    async with answering(guild.discord, guild.claude, guild.store):
        asked = guild.mention("?")
        first = await answered_in_the_channel(guild, asked, "Half …")
    async with answering(guild.discord, guild.claude, guild.store):
        last = await answered_in_the_channel(guild, asked, "Half and half.")
    assert first.id == last.id


async def test_a_name_that_is_blocked_keeps_no_thread_from_being_made(
    guild: Guild,
) -> None:
    guild.claude.script("It means this.")
    asked = guild.mention("what does darn mean?")
    guild.discord.block_words("darn")
    thread = await guild.thread_of(asked)
    await guild.answered(thread, "It means this.")
    assert guild.discord.name(thread) == UNNAMED


async def test_what_automod_blocks_is_told(guild: Guild) -> None:
    guild.discord.block_words("darn")
    gate = asyncio.Event()
    guild.claude.script(["It is", Hold(gate), " a darn thing."], "darn")
    thread = await guild.thread_of(guild.mention("?"))
    await guild.answered(thread, "It is …")
    gate.set()
    await guild.answered(thread, BLOCKED)
    guild.discord.say(guild.bob, thread, "again")
    await guild.answered(thread, BLOCKED, BLOCKED)


async def test_who_asked_is_told_why_nothing_can_be_shown(guild: Guild) -> None:
    gate = asyncio.Event()
    guild.claude.script(["Half", Hold(gate), " and half."])
    asked = guild.mention("?")
    thread = await guild.thread_of(asked)
    guild.discord.faults.add(
        "*", rf"/channels/{thread}/messages.*", error(403, FORBIDDEN, "No"), times=9
    )
    gate.set()
    await answered_in_the_channel(guild, asked, NOT_SHOWN)
    guild.discord.faults.add(
        "POST", MESSAGES, error(403, FORBIDDEN, "No"), times=9, when=in_the_guild(guild)
    )
    guild.mention("again", thread)
    direct = guild.discord.open_dm(guild.alice)
    await guild.discord.until(
        lambda: NOT_SHOWN in "".join(guild.replies(direct)),
    )


async def test_who_asked_where_it_no_longer_sees_anything_is_told_in_person(
    guild: Guild,
) -> None:
    gate = asyncio.Event()
    guild.claude.script(["Half", Hold(gate), " and half."])
    thread = await guild.thread_of(guild.mention("?"))
    await guild.answered(thread, "Half …")
    guild.discord.set_permissions(guild.general, deny=["view_channel"])
    gate.set()
    [told] = await guild.settled(guild.discord.open_dm(guild.alice))
    assert told.endswith(f"/{thread}: {HIDDEN}")


def in_the_guild(guild: Guild) -> Callable[[Call], bool]:
    """Return whether a call is about anything but Alice's direct messages."""
    direct = guild.discord.open_dm(guild.alice)
    return lambda call: direct not in call.path


@pytest.mark.parametrize(
    "harm",
    [
        lambda guild, thread: guild.discord.delete_channel(thread),
        lambda guild, thread: guild.discord.kick_bot(guild.discord.guild),
        lambda guild, thread: guild.discord.set_permissions(
            guild.general, deny=["send_messages_in_threads"]
        ),
        lambda guild, thread: guild.discord.lock(thread, True),
    ],
    ids=["thread deleted", "kicked", "no longer allowed", "locked"],
)
async def test_what_can_no_longer_be_written_ends_and_is_not_tried_again(
    guild: Guild, harm: Callable[[Guild, str], None]
) -> None:
    gate = asyncio.Event()
    guild.claude.script(["Half", Hold(gate), " and half."])
    thread = await guild.thread_of(guild.mention("?"))
    await guild.answered(thread, "Half …")
    before = guild.discord.invalid_requests
    harm(guild, thread)
    gate.set()
    await guild.quiet()
    assert guild.discord.invalid_requests - before <= 3


async def test_a_wrong_token_costs_one_sentence() -> None:
    async with DiscordEmulator() as discord:
        env = {**discord.env, "DISCORD_TOKEN": "AAAAAAAAAAAAAAAAAAAAAAAA.BBBBBB.wrong"}
        with pytest.raises(ConfigError, match="DISCORD_TOKEN is not accepted"):
            async with connect(env):
                pass
    with pytest.raises(ConfigError, match="cannot be reached"):
        async with connect(env):
            pass


async def test_a_token_that_is_revoked_ends_the_adapter() -> None:
    async def serve() -> None:
        store = MemoryStore()
        async with (
            DiscordEmulator() as discord,
            running(discord, store, ScriptedModel()) as app,
        ):
            discord.revoke()
            await discord.gateway.close(4004)
            async with asyncio.timeout(60):
                while app.platforms.active:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    with pytest.raises(AccessRevoked):
        await serve()


@pytest.mark.parametrize("wish", ["auto", "on", "off"])
async def test_without_the_intent_people_mention_it_and_are_told_so(
    caplog: pytest.LogCaptureFixture, wish: str
) -> None:
    async with outside(wish, granted=False) as guild:
        guild.claude.script("One.", "Two.")
        thread = await guild.thread_of(guild.mention("hello"))
        await guild.answered(thread, f"One.\n\n_{HINT}_")
        guild.discord.say(guild.bob, thread, "and now?")
        guild.mention("and now?", thread)
        await guild.answered(thread, f"One.\n\n_{HINT}_", "Two.")
        assert "Bob" not in guild.prompts()[1]
    refused = [each for each in caplog.messages if "no_message_content" in each]
    assert len(refused) == (wish == "on")


async def test_what_is_asked_off_is_not_read_even_if_granted() -> None:
    async with outside("off", granted=True) as guild:
        thread = await guild.thread_of(guild.mention("hello"))
        [reply] = await guild.settled(thread)
        assert HINT in reply


@contextlib.asynccontextmanager
async def outside(wish: str, *, granted: bool) -> AsyncIterator[Guild]:
    """A guild where the app has the Message Content intent or not."""
    env = {"DISCORD_MESSAGE_CONTENT": wish}
    store = MemoryStore()
    async with (
        DiscordEmulator(message_content=granted) as discord,
        ClaudeEmulator() as claude,
        answering(discord, claude, store, env),
    ):
        yield Guild(discord, claude, store)


@contextlib.asynccontextmanager
async def answering(
    discord: DiscordEmulator,
    claude: ClaudeEmulator,
    store: DatabaseStore,
    env: dict[str, str] | None = None,
) -> AsyncIterator[None]:
    """Threadkeep at work until this is left."""
    from bot.claude.client import connect as connect_claude

    async with (
        connect_claude(claude.api_key, claude.base_url) as model,
        running(discord, store, model, grace=0.2, env=env),
    ):
        yield


async def test_a_limit_that_discords_headers_tell_is_kept_and_nothing_grows_old() -> (
    None
):
    scarce = {**RATES, "message.edit": Rate(1, 1.5)}
    more, last, end = (asyncio.Event() for _ in range(3))
    store = MemoryStore()
    async with (
        DiscordEmulator(rates=scarce) as discord,
        ClaudeEmulator() as claude,
    ):
        guild = Guild(discord, claude, store)
        claude.script(
            [
                *("One, two,", Hold(more), " three, four,", Hold(last), " five, six,"),
                *(Hold(end), " seven."),
            ]
        )
        async with answering(discord, claude, store):
            thread = await guild.thread_of(guild.mention("count"))
            await discord.until(lambda: guild.replies(thread))
            more.set()
            await discord.until(lambda: "four" in guild.replies(thread)[0])
            last.set()
            # Longer than two edits of a short text are apart: one would be made, held
            # back by the SDK, and grow old.
            await asyncio.sleep(0.7)
            end.set()
            await guild.answered(thread, "One, two, three, four, five, six, seven.")
    assert [call.text() for call in discord.calls_of("PATCH", MESSAGE)] == [
        "One, two, three, four, …",
        "One, two, three, four, five, six, seven.",
    ]
