"""The output of `threadkeep check` on Discord."""

import pytest

from adapters.discord.check import check
from adapters.discord.config import DiscordConfig
from bot.cli.platforms import check_platform
from bot.domain.finding import Grade
from bot.errors import ConfigError
from tests.emulators.discord.emulator import DiscordEmulator

GOOD, ABSENT, NOTE, BAD = Grade.GOOD, Grade.ABSENT, Grade.NOTE, Grade.BAD


async def test_what_is_not_set_up_is_said_so() -> None:
    [finding] = await check_platform("discord", {}, offline=True)
    assert (finding.grade, "DISCORD_TOKEN" in finding.text) == (ABSENT, True)


async def test_a_bot_that_works_gets_its_invite_link() -> None:
    async with DiscordEmulator() as discord:
        discord.app.public = False
        found = await check(discord.env)
        assert [each.grade for each in found] == [GOOD] * 5
        assert found[1].text == discord.application_id
        invite = found[-1].text
        # View, send, attach, read history, make threads, send in threads: and no more.
        assert f"client_id={discord.application_id}" in invite
        assert "permissions=309237746752" in invite
        assert "scope=bot+applications.commands" in invite
        # Signing in is enough; sessions are counted.
        assert discord.gateway.log == []


@pytest.mark.parametrize(
    ("granted", "wish", "grade"),
    [
        (True, "auto", GOOD),
        (True, "off", GOOD),
        (False, "auto", NOTE),
        (False, "on", BAD),
        (False, "off", GOOD),
    ],
)
async def test_the_intent_is_explained(granted: bool, wish: str, grade: Grade) -> None:
    async with DiscordEmulator(message_content=granted) as discord:
        env = {**discord.env, "DISCORD_MESSAGE_CONTENT": wish}
        found = {each.subject: each for each in await check(env)}
    assert found["Discord intents"].grade is grade
    assert "Message Content" in found["Discord intents"].text


async def test_a_valid_configuration_is_said_to_be_one() -> None:
    env = {"DISCORD_TOKEN": "a.b.c", "DISCORD_API_URL": "http://127.0.0.1:9"}
    [finding] = await check_platform("discord", env, offline=True)
    assert finding.grade is GOOD


def test_every_mistake_is_named_at_once_and_no_token_is_repeated() -> None:
    env = {
        "DISCORD_TOKEN": "a-client-secret",
        "DISCORD_API_URL": "discord.com",
        "DISCORD_GATEWAY_URL": "https://gateway",
        "DISCORD_MESSAGE_CONTENT": "yes",
        "DISCORD_SHARDS": "none",
    }
    with pytest.raises(ConfigError) as caught:
        DiscordConfig.from_env(env)
    assert all(name in str(caught.value) for name in env)
    assert "a-client-secret" not in str(caught.value)
