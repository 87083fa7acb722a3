"""Claude reads the titles of forum posts and of threads that people name."""

import pytest

from tests.adapters.discord.conftest import Guild
from tests.adapters.discord.conftest import shared_guild as guild

__all__ = ["guild"]

pytestmark = pytest.mark.asyncio(loop_scope="module")

TITLE = "Login fails with 500 after the update"


@pytest.fixture(params=["forum", "media"])
def forum(guild: Guild, request: pytest.FixtureRequest) -> str:
    return guild.discord.add_channel("help", kind=request.param)


async def test_the_title_of_a_post_is_read_before_its_first_message(
    guild: Guild, forum: str
) -> None:
    text = f"{guild.discord.mention} any idea?"
    post = guild.discord.forum_post(guild.alice, forum, TITLE, text)
    await guild.settled(post)
    guild.discord.say(guild.alice, post, "and now?")
    await guild.settled(post, 2)
    first, second = guild.prompts()
    assert first.index(f"[Title of this thread]\n> {TITLE}") < first.index("any idea?")
    assert TITLE not in second


async def test_it_is_read_when_the_bot_is_called_later(
    guild: Guild, forum: str
) -> None:
    guild.claude.always("Ok.")
    post = guild.discord.forum_post(guild.alice, forum, TITLE, "any idea?")
    guild.discord.say(guild.bob, post, f"{guild.discord.mention} help her")
    await guild.settled(post)
    named = guild.discord.thread(guild.alice, guild.general, TITLE)
    guild.mention("help me", named)
    await guild.settled(named)
    for asked in guild.prompts():
        assert asked.index(f"> {TITLE}</message>") < asked.index(">help ")
    # The name that Discord proposes for a thread on a message repeats that.
    root = guild.discord.say(guild.alice, guild.general, f"{TITLE}, any idea?")
    about = guild.discord.thread(guild.alice, guild.general, TITLE, message=root)
    guild.mention("help me", about)
    await guild.settled(about)
    assert guild.prompts()[2].count(TITLE) == 1


async def test_a_command_as_a_post_is_answered_in_it(guild: Guild, forum: str) -> None:
    text = f"{guild.discord.mention} help"
    post = guild.discord.forum_post(guild.alice, forum, "How?", text)
    await guild.discord.until(lambda: guild.discord.messages(post)[-1].bot)
    assert guild.claude.requests == []


async def test_a_mention_in_an_announcement_channel_is_answered_in_a_thread(
    guild: Guild,
) -> None:
    guild.claude.script("Madrid.", "Paris.")
    news = guild.discord.add_channel("news", kind="news")
    asked = guild.mention("of Spain?", news)
    thread = await guild.thread_of(asked)
    await guild.answered(thread, "Madrid.")
    guild.discord.say(guild.alice, thread, "and of France?")
    await guild.answered(thread, "Madrid.", "Paris.")
    assert guild.discord.refused == 0
