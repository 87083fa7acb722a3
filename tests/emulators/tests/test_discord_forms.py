"""Forms, menus and suggestions of the Discord emulator: validation and use."""

from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from discord import ui

from tests.emulators.bots import Bot, Wire, running, wired
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.interactions import Asked

Interaction = discord.Interaction[Any]

MODAL, SUGGESTIONS = 9, 8


class Settings(ui.Modal, title="Settings"):
    """A form with a field of every kind."""

    def __init__(self, known: int, most: int = 2) -> None:
        super().__init__(custom_id="settings")
        fields: list[ui.Item[Any]] = [
            ui.TextInput(custom_id="line", default="as it was", max_length=20),
            ui.Select(
                custom_id="model",
                options=[
                    discord.SelectOption(label="Opus", value="opus"),
                    discord.SelectOption(label="Haiku", value="haiku", default=True),
                ],
                required=True,
            ),
            ui.MentionableSelect(
                custom_id="who",
                required=False,
                min_values=0,
                max_values=most,
                default_values=[discord.Object(known, type=discord.User)],
            ),
            ui.FileUpload(custom_id="file", required=False, min_values=0, max_values=1),
        ]
        for field in fields:
            self.add_item(ui.Label(text="A field", component=field))

    async def on_submit(self, interaction: Interaction) -> None:
        line, model, who, file = (
            label.component for label in self.children if isinstance(label, ui.Label)
        )
        assert isinstance(line, ui.TextInput)
        assert isinstance(model, ui.Select)
        assert isinstance(who, ui.MentionableSelect)
        assert isinstance(file, ui.FileUpload)
        names = [each.name for each in who.values]
        read = [(await each.read()).decode() for each in file.values]
        told = f"{line.value} {model.values} {names} {read}"
        await interaction.response.send_message(told, ephemeral=True)


def a_form(*fields: Any, **more: Any) -> dict[str, Any]:
    """Return a form in its wire format."""
    labels = [
        {"type": 18, "label": f"Field {n}", "component": field}
        for n, field in enumerate(fields or (text(),))
    ]
    return {"title": "Form", "custom_id": "form", "components": labels} | more


def text(**more: Any) -> dict[str, Any]:
    return {"type": 4, "custom_id": "text", "style": 2} | more


def menu(count: int, **more: Any) -> dict[str, Any]:
    options = [{"label": str(n), "value": str(n)} for n in range(count)]
    return {"type": 3, "custom_id": "menu", "options": options} | more


def button(custom_id: str) -> dict[str, Any]:
    return {"type": 2, "style": 2, "label": "x", "custom_id": custom_id}


def option(kind: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "name": "x", "description": "x"} | more


#: Two options with these choices exceed the text limit of a command.
LONG_CHOICES = [{"name": "n" * 100, "value": "v" * 100}] * 20


class Desk:
    """Alice in #general, and a bot that shows forms."""

    def __init__(
        self, emulator: DiscordEmulator, bot: Bot, wire: Wire, bob: str
    ) -> None:
        self.emulator = emulator
        self.bot = bot
        self.wire = wire
        self.bob = bob
        self.alice = emulator.add_user("Alice")
        self.general = emulator.add_channel("general")

    async def asked(self, name: str) -> Asked:
        """Let Alice give a command, and wait for the response."""
        asked = self.emulator.command(self.alice, self.general, name)
        await self.emulator.until(lambda: asked.acked and self.emulator.settled)
        return asked

    async def answer(self, kind: int, data: Any) -> int:
        """Send a callback that the SDK would not send. Return the status of the
        response."""
        asked = self.emulator.command(self.alice, self.general, "sulk")
        path = f"/interactions/{asked.id}/{asked.token}/callback"
        status, _, _ = await self.wire.call("POST", path, {"type": kind, "data": data})
        return status


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with DiscordEmulator() as emulator, wired(emulator) as wire:
        bob = int(emulator.add_user("Bob"))
        bot = Bot()

        @bot.tree.command(description="Show a form")
        async def form(interaction: Interaction) -> None:
            await interaction.response.send_modal(Settings(bob))

        @bot.tree.command(description="Say nothing")
        async def sulk(interaction: Interaction) -> None: ...

        @bot.tree.command(description="Show a menu of people")
        async def people(interaction: Interaction) -> None:
            view = ui.View()
            view.add_item(ui.MentionableSelect(custom_id="who", max_values=2))
            await interaction.response.send_message("who?", view=view)

        async with running(emulator, bot):
            await bot.tree.sync()
            yield Desk(emulator, bot, wire, str(bob))


async def test_a_form_that_nobody_touches_says_what_stood_in_it(desk: Desk) -> None:
    form = await desk.asked("form")
    sent = desk.emulator.submit(desk.alice, form, {})
    assert await said(desk, sent) == "as it was ['haiku'] ['Bob'] []"


async def test_every_kind_of_field_is_filled_in(desk: Desk) -> None:
    form = await desk.asked("form")
    role = desk.emulator.add_role("ops")
    values = {
        "line": "new",
        "model": ["opus"],
        "who": [role, desk.alice],
        "file": [("a.txt", b"content")],
    }
    sent = desk.emulator.submit(desk.alice, form, values)
    told = await said(desk, sent)
    assert told.startswith("new ['opus'] ")
    assert "ops" in told
    assert "Alice" in told
    assert told.endswith("['content']")


@pytest.mark.parametrize(
    "values",
    [
        {"line": "x" * 21},
        {"line": ""},
        {"line": "two\nlines"},
        {"model": ["gpt"]},
        {"model": []},
        {"model": ["opus", "haiku"]},
        {"who": ["1", "2", "3"]},
        {"who": ["404"]},
        {"file": [("a.txt", b"x"), ("b.txt", b"y")]},
        {"nothing": "x"},
    ],
)
async def test_people_can_only_give_what_a_form_takes(
    desk: Desk, values: dict[str, Any]
) -> None:
    form = await desk.asked("form")
    with pytest.raises(AssertionError):
        desk.emulator.submit(desk.alice, form, values)


async def test_people_are_chosen_in_a_menu_and_described(desk: Desk) -> None:
    asked = await desk.asked("people")
    assert asked.response is not None
    assert asked.response.message is not None
    message = asked.response.message.id
    desk.emulator.select(desk.alice, message, "who", [desk.bob])
    await desk.bot.until(lambda: desk.bot.names().count("interaction") == 2)
    (interaction,) = desk.bot.events[-1][1]
    assert interaction.data["values"] == [desk.bob]
    assert interaction.data["resolved"]["users"][desk.bob]["username"] == "Bob"
    for wrong in ([], [desk.general], [desk.bob, desk.bob]):
        with pytest.raises(AssertionError):
            desk.emulator.select(desk.alice, message, "who", wrong)


async def test_a_form_cannot_answer_a_form(desk: Desk) -> None:
    form = await desk.asked("form")
    sent = desk.emulator.submit(desk.alice, form, {})
    path = f"/interactions/{sent.id}/{sent.token}/callback"
    body = {"type": MODAL, "data": a_form()}
    assert await desk.wire.code("POST", path, body) == (400, 50035)


@pytest.mark.parametrize(
    ("fits", "too_much"),
    [
        (a_form(title="t" * 45), a_form(title="t" * 46)),
        (a_form(custom_id="c" * 100), a_form(custom_id="c" * 101)),
        (a_form(text(value="v" * 4_000)), a_form(text(value="v" * 4_001))),
        (
            a_form(text(value="v" * 9, max_length=9)),
            a_form(text(value="v" * 10, max_length=9)),
        ),
        (
            a_form(*(text(custom_id=str(n)) for n in range(5))),
            a_form(*(text(custom_id=str(n)) for n in range(6))),
        ),
        (a_form(text(), menu(1)), a_form(text(), menu(1, custom_id="text"))),
        (a_form(menu(25)), a_form(menu(26))),
        (
            a_form({"type": 7, "custom_id": "who", "default_values": [{"id": "1"}]}),
            a_form(
                {
                    "type": 7,
                    "custom_id": "who",
                    "default_values": [{"id": "1"}, {"id": "2"}],
                }
            ),
        ),
    ],
    ids=["title", "id", "value", "own", "fields", "twice", "options", "chosen"],
)
async def test_a_form_keeps_to_discords_limits(
    desk: Desk, fits: dict[str, Any], too_much: dict[str, Any]
) -> None:
    assert await desk.answer(MODAL, too_much) == 400
    assert await desk.answer(MODAL, fits) < 300


@pytest.mark.parametrize(
    ("fits", "too_much"),
    [
        ([menu(25)], [menu(26)]),
        ([menu(1, custom_id="c" * 100)], [menu(1, custom_id="c" * 101)]),
        ([button("1"), button("2")], [button("1"), button("1")]),
        (
            [button(str(n)) for n in range(5)],
            [button(str(n)) for n in range(6)],
        ),
    ],
    ids=["options", "id", "twice", "row"],
)
async def test_a_message_keeps_to_discords_limits(
    desk: Desk, fits: list[Any], too_much: list[Any]
) -> None:
    for row, taken in ((too_much, False), (fits, True)):
        data = {"content": "x", "components": [{"type": 1, "components": row}]}
        assert (await desk.answer(4, data) < 300) is taken


async def test_suggestions_keep_to_discords_limits(desk: Desk) -> None:
    few = [{"name": "n" * 100, "value": "v"}] * 25
    assert await desk.answer(SUGGESTIONS, {"choices": [*few, few[0]]}) == 400
    long = [{"name": "n" * 101, "value": "v"}]
    assert await desk.answer(SUGGESTIONS, {"choices": long}) == 400
    assert await desk.answer(SUGGESTIONS, {"choices": few}) < 300


@pytest.mark.parametrize(
    "wrong",
    [
        option(3, choices=[{"name": "a", "value": "a"}] * 26),
        option(3, choices=[{"name": "a" * 101, "value": "a"}]),
        option(3, choices=[{"name": "a", "value": "a"}], autocomplete=True),
        option(3, description=""),
        option(3, name="Upper Case"),
        option(2, options=[option(2, options=[option(1)])]),
        option(1, options=[option(1)]),
        option(3, description="d" * 100) | {"choices": LONG_CHOICES},
    ],
    ids=["many", "long", "both", "mute", "name", "deep", "flat", "text"],
)
async def test_options_that_discord_would_not_take_are_refused(
    desk: Desk, wrong: dict[str, Any]
) -> None:
    path = f"/applications/{desk.emulator.application_id}/commands"
    inner = [wrong] if wrong["type"] < 3 else [option(1, options=[wrong])]
    command = {"name": "x", "description": "x", "options": inner}
    if wrong.get("choices") is LONG_CHOICES:
        command["options"] = [option(1, name=f"s{n}", options=[wrong]) for n in "12"]
    status, _, _ = await desk.wire.call("PUT", path, [command])
    assert status == 400


async def test_groups_of_commands_are_taken(desk: Desk) -> None:
    path = f"/applications/{desk.emulator.application_id}/commands"
    leaf = option(1, name="set", options=[option(3), option(11, name="file")])
    group = option(2, name="prompt", options=[leaf])
    command = {"name": "claude", "description": "x", "options": [group, option(1)]}
    status, _, _ = await desk.wire.call("PUT", path, [command])
    assert status == 200


async def test_what_a_command_asks_of_members_is_said_as_text(desk: Desk) -> None:
    path = f"/applications/{desk.emulator.application_id}/commands"
    gated = {"name": "x", "description": "x", "default_member_permissions": 16}
    await desk.wire.call("PUT", path, [gated])
    _, known, _ = await desk.wire.call("GET", path)
    assert known[0]["default_member_permissions"] == "16"
    assert desk.emulator.commands(desk.alice, desk.general) == []
    role = desk.emulator.add_role("keepers", desk.alice)
    allow = ["manage_channels"]
    desk.emulator.set_permissions(desk.general, role=role, allow=allow)
    assert desk.emulator.commands(desk.alice, desk.general) == ["x"]
    other = desk.emulator.add_channel("other")
    assert desk.emulator.commands(desk.alice, other) == []


async def said(desk: Desk, asked: Asked) -> str:
    """Wait for the response. Return its text."""
    await desk.emulator.until(lambda: asked.acked and desk.emulator.settled)
    assert asked.response is not None
    assert asked.response.message is not None
    return asked.response.message.text
