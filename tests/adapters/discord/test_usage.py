"""Usage in the chat: cents and answers, and tokens behind a button."""

from tests.adapters.discord.conftest import Guild
from tests.emulators.discord.interactions import Asked
from tests.emulators.discord.people import Seen


async def told(guild: Guild, asked: Asked) -> Seen:
    """Wait for what only Alice is told."""
    response = await guild.discord.until(lambda: asked.response)
    assert response is not None
    assert response.message is not None
    assert response.message.ephemeral_for == guild.alice
    return response.message


async def test_tokens_are_behind_a_button_and_an_option(guild: Guild) -> None:
    asked = guild.discord.command(
        *(guild.alice, guild.general, "claude usage"), view="details"
    )
    assert "0 answers, 0 tokens read" in (await told(guild, asked)).text
    thread = await guild.thread_of(guild.mention("of Spain?"))
    await guild.settled(thread)
    await guild.quiet()
    asked = guild.discord.command(guild.alice, guild.general, "claude usage")
    shown = await told(guild, asked)
    assert "<$0.01 · 1 answer" in shown.text
    assert "token" not in shown.text
    [button] = shown.buttons
    pressed = guild.discord.click(guild.alice, shown.id, button)
    assert "<$0.01 · 1 answer, " in (await told(guild, pressed)).text
