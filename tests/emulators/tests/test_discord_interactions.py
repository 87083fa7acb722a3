"""Commands, buttons and forms of the Discord emulator, used through discord.py."""

from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from discord import app_commands, ui

from tests.emulators.bots import Bot, Wire, running, wired
from tests.emulators.discord.emulator import DiscordEmulator


class Form(ui.Modal, title="Settings"):
    """Asks for a prompt."""

    prompt: ui.Label[Any] = ui.Label(
        text="Prompt",
        component=ui.TextInput[Any](custom_id="prompt", max_length=10),
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        field = self.prompt.component
        assert isinstance(field, ui.TextInput)
        await interaction.response.send_message(f"saved {field.value}", ephemeral=True)


class Buttons(ui.View):
    """Two buttons and a menu."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @ui.button(label="Stop", custom_id="stop")
    async def stop_it(
        self, interaction: discord.Interaction, button: ui.Button[Any]
    ) -> None:
        await interaction.response.edit_message(content="stopped")

    @ui.button(label="Never", custom_id="never", disabled=True)
    async def never(
        self, interaction: discord.Interaction, button: ui.Button[Any]
    ) -> None: ...

    @ui.select(custom_id="model", options=[discord.SelectOption(label=x) for x in "ab"])
    async def choose(
        self, interaction: discord.Interaction, menu: ui.Select[Any]
    ) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content=f"chose {menu.values[0]}")


def commanded(bot: Bot) -> Bot:
    """Return `bot` with a command of every kind."""

    @bot.tree.command(description="Ask")
    async def ask(
        interaction: discord.Interaction,
        question: app_commands.Range[str, 1, 20],
        file: discord.Attachment | None = None,
    ) -> None:
        read = (await file.read()).decode() if file else ""
        await interaction.response.send_message(f"{question} {read}".strip())

    @bot.tree.command(description="Think")
    async def think(interaction: discord.Interaction) -> None:
        await interaction.response.defer(thinking=True, ephemeral=True)

    @bot.tree.command(description="Say nothing")
    async def sulk(interaction: discord.Interaction) -> None: ...

    @bot.tree.command(description="Show buttons")
    async def buttons(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("here", view=Buttons())

    @bot.tree.command(description="Show a form")
    async def form(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Form())

    @bot.tree.command(description="Ping")
    async def greet(interaction: discord.Interaction, who: discord.User) -> None:
        await interaction.response.send_message(f"@everyone {who.mention}")

    @bot.tree.context_menu(name="Ask Claude about this")
    async def about(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"about {message.content}")

    claude = app_commands.Group(name="claude", description="Claude")

    @claude.command(description="Choose")
    async def model(interaction: discord.Interaction, name: str) -> None:
        await interaction.response.send_message(name)

    @model.autocomplete("name")
    async def suggest(
        interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=current.upper(), value=current)]

    @app_commands.default_permissions(manage_guild=True)
    class Admin(app_commands.Group):
        @app_commands.command(description="Budget")
        async def budget(self, interaction: discord.Interaction) -> None:
            await interaction.response.send_message("unlimited")

    bot.tree.add_command(claude)
    bot.tree.add_command(Admin(name="admin", description="Admin"))
    return bot


class Desk:
    """Alice in #general, and a bot whose commands are registered."""

    def __init__(self, emulator: DiscordEmulator, bot: Bot, wire: Wire) -> None:
        self.emulator = emulator
        self.bot = bot
        self.wire = wire
        self.alice = emulator.add_user("Alice")
        self.general = emulator.add_channel("general")

    def command(self, name: str, **options: Any) -> Any:
        return self.emulator.command(self.alice, self.general, name, **options)

    async def answered(self, asked: Any) -> Any:
        """Wait for the first response, and return it."""
        await self.emulator.until(lambda: asked.acked and self.emulator.settled)
        return asked.response


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with (
        DiscordEmulator() as emulator,
        wired(emulator) as wire,
        running(emulator, commanded(Bot())) as bot,
    ):
        await bot.tree.sync()
        yield Desk(emulator, bot, wire)


async def test_commands_are_registered_and_counted(desk: Desk) -> None:
    assert desk.emulator.command_puts == 1
    names = {each.name for each in await desk.bot.tree.fetch_commands()}
    assert {"ask", "claude", "admin", "Ask Claude about this"} <= names


async def test_a_command_that_discord_would_not_take_is_refused(desk: Desk) -> None:
    path = f"/applications/{desk.emulator.application_id}/commands"
    for wrong in (
        {"name": "Upper", "description": "x"},
        {"name": "x", "description": ""},
        {"name": "x", "description": "x" * 101},
    ):
        assert await desk.wire.code("PUT", path, [wrong]) == (400, 50035)
    many = [{"name": f"m{n}", "type": 3} for n in range(16)]
    assert (await desk.wire.call("PUT", path, many))[0] == 400


async def test_a_command_is_answered_with_a_message(desk: Desk) -> None:
    asked = desk.command("ask", question="why?", file=("a.txt", b"content"))
    response = await desk.answered(asked)
    assert (response.type, response.message.text) == (4, "why? content")
    (seen,) = desk.emulator.messages(desk.general)
    assert (seen.type, seen.bot, seen.ephemeral_for) == (20, True, "")
    assert asked.error == ""


async def test_people_can_only_do_what_their_client_shows(desk: Desk) -> None:
    for name, options in {
        "unheard-of": {},
        "ask": {},
        "ask ": {"question": "x" * 21},
        "ask  ": {"question": "x", "mood": "good"},
        "claude nothing": {},
        "admin budget": {},
    }.items():
        with pytest.raises(AssertionError):
            desk.command(name, **options)
    boss = desk.emulator.add_user("Boss", admin=True)
    asked = desk.emulator.command(boss, desk.general, "admin budget")
    assert (await desk.answered(asked)).message.text == "unlimited"


async def test_a_client_may_show_a_command_of_an_older_version(desk: Desk) -> None:
    asked = desk.command("gone away", stale=True, level=3)
    await desk.bot.until(lambda: "interaction" in desk.bot.names())
    (interaction,) = next(
        args for name, args in desk.bot.events if name == "interaction"
    )
    assert interaction.data["name"] == "gone"
    assert interaction.data["options"][0]["options"][0]["value"] == 3
    assert not asked.acked


async def test_a_command_on_a_message_may_read_it() -> None:
    async with (
        DiscordEmulator(message_content=False) as emulator,
        running(emulator, commanded(Bot(intents=discord.Intents.default()))) as bot,
    ):
        await bot.tree.sync()
        alice, general = emulator.add_user("Alice"), emulator.add_channel("general")
        said = emulator.say(alice, general, "secret")
        await bot.until(lambda: bot.said() == [""])
        asked = emulator.message_command(alice, general, said, "Ask Claude about this")
        await emulator.until(lambda: asked.response)
        assert emulator.messages(general)[-1].text == "about secret"


async def test_an_option_suggests_what_fits(desk: Desk) -> None:
    asked = desk.emulator.autocomplete(
        desk.alice, desk.general, "claude model", "name", "so"
    )
    response = await desk.answered(asked)
    assert response.type == 8
    assert response.choices == ({"name": "SO", "value": "so"},)


async def test_thinking_shows_until_the_answer_is_there(desk: Desk) -> None:
    asked = desk.command("think")
    response = await desk.answered(asked)
    assert (response.type, response.message.thinking) == (5, True)
    assert response.message.ephemeral_for == desk.alice
    path = f"/webhooks/{desk.emulator.application_id}/{asked.token}"
    original = f"{path}/messages/@original"
    await desk.wire.call("PATCH", original, {"content": "thought"})
    assert asked.response.message.text == "thought"
    assert not asked.response.message.thinking
    assert (await desk.wire.call("GET", original))[1]["content"] == "thought"
    await desk.wire.call("POST", path, {"content": "more", "flags": 64})
    assert [each.text for each in asked.followups] == ["more"]
    await desk.wire.call("DELETE", original)
    assert asked.response.message is None
    # An ephemeral message is not listed in the channel.
    messages = f"/channels/{desk.general}/messages"
    assert (await desk.wire.call("GET", messages))[1] == []


async def test_an_answer_that_comes_late_is_not_taken(desk: Desk) -> None:
    asked = desk.command("sulk")
    desk.emulator.advance(60)
    assert asked.error == "The application did not respond"
    path = f"/interactions/{asked.id}/{asked.token}/callback"
    body = {"type": 4, "data": {"content": "x"}}
    assert await desk.wire.code("POST", path, body) == (404, 10062)


async def test_an_interaction_is_acknowledged_once(desk: Desk) -> None:
    asked = desk.command("sulk")
    path = f"/interactions/{asked.id}/{asked.token}/callback"
    body = {"type": 4, "data": {"content": "x"}}
    # A response that Discord refuses does not count.
    assert await desk.wire.code("POST", path, {"type": 4, "data": {}}) == (400, 50006)
    _, answer, _ = await desk.wire.call("POST", f"{path}?with_response=1", body)
    assert answer["resource"]["message"]["content"] == "x"
    assert await desk.wire.code("POST", path, body) == (400, 40060)
    assert await desk.wire.code("POST", path.replace(asked.token, "y"), body) == (
        404,
        10062,
    )


async def test_after_fifteen_minutes_only_the_bots_own_right_remains(
    desk: Desk,
) -> None:
    asked = desk.command("ask", question="why?")
    response = await desk.answered(asked)
    desk.emulator.advance(15 * 60)
    assert asked.error == ""
    path = f"/webhooks/{desk.emulator.application_id}/{asked.token}"
    original = f"{path}/messages/@original"
    assert await desk.wire.code("PATCH", original, {"content": "y"}) == (404, 10015)
    assert await desk.wire.code("POST", path, {"content": "y"}) == (404, 10015)
    message = f"/channels/{desk.general}/messages/{response.message.id}"
    assert (await desk.wire.call("PATCH", message, {"content": "y"}))[0] == 200


async def test_an_answer_pings_users_only_unless_it_says_otherwise(
    desk: Desk,
) -> None:
    bob = desk.emulator.add_user("Bob")
    await desk.answered(desk.command("greet", who=bob))
    assert [ping.what for ping in desk.emulator.pings] == [f"<@{bob}>"]


async def test_buttons_and_menus_change_their_message(desk: Desk) -> None:
    response = await desk.answered(desk.command("buttons"))
    message = response.message.id
    assert response.message.buttons == ("stop", "never", "model")
    clicked = desk.emulator.click(desk.alice, message, "stop")
    assert (await desk.answered(clicked)).type == 7
    assert desk.emulator.message(message).text == "stopped"
    chosen = desk.emulator.select(desk.alice, message, "model", ["b"])
    await desk.emulator.until(lambda: desk.emulator.message(message).text == "chose b")
    assert chosen.response is not None
    assert chosen.response.type == 6
    for control in ("never", "nowhere"):
        with pytest.raises(AssertionError):
            desk.emulator.click(desk.alice, message, control)
    with pytest.raises(AssertionError):
        desk.emulator.select(desk.alice, message, "model", ["c"])


async def test_a_form_is_filled_in(desk: Desk) -> None:
    asked = desk.command("form")
    response = await desk.answered(asked)
    assert (response.type, response.modal["title"]) == (9, "Settings")
    for wrong in ({"prompt": ""}, {"prompt": "x" * 11}, {"other": "x"}):
        with pytest.raises(AssertionError):
            desk.emulator.submit(desk.alice, asked, wrong)
    sent = desk.emulator.submit(desk.alice, asked, {"prompt": "be brief"})
    answer = await desk.answered(sent)
    assert answer.message.text == "saved be brief"
    assert answer.message.ephemeral_for == desk.alice
    bob = desk.emulator.add_user("Bob")
    with pytest.raises(AssertionError):
        desk.emulator.submit(bob, asked, {"prompt": "x"})


async def test_what_people_hold_in_a_channel_has_whatever_its_overwrites_say(
    desk: Desk,
) -> None:
    """B2: permissions are computed with the channel's overwrites, in which any bit may
    be set, including bits that only apply to a whole guild."""
    emulator = desk.emulator
    keeper = emulator.add_user("Keeper")
    bits = ["manage_guild", "manage_channels"]
    emulator.set_permissions(desk.general, user=keeper, allow=bits)
    held: list[discord.Permissions] = []

    async def noted(interaction: discord.Interaction) -> None:
        held.append(interaction.permissions)

    desk.bot.on_interaction = noted  # type: ignore[attr-defined]
    for place in (desk.general, emulator.add_channel("random")):
        await desk.answered(emulator.command(keeper, place, "ask", question="?"))
    assert [each.manage_guild for each in held] == [True, False]
    # A forged control comes with the user and the place that the platform sets.
    emulator.forge(keeper, desk.general, "do:anything")
    await emulator.until(lambda: len(held) == 3)
    assert held[2] == held[0]


async def test_commands_work_in_threads_and_in_direct_messages(desk: Desk) -> None:
    thread = desk.emulator.thread(desk.alice, desk.general, "x")
    direct = desk.emulator.open_dm(desk.alice)
    for place in (thread, direct):
        asked = desk.emulator.command(desk.alice, place, "ask", question="here?")
        await desk.answered(asked)
        assert [each.text for each in desk.emulator.messages(place)] == ["here?"]
