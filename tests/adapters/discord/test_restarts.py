"""Menus, buttons and forms that were drawn before a restart."""

from typing import Any

from adapters.discord.adapter import DiscordAdapter
from bot.ui.elements import Command, Response
from tests.adapters.discord.test_interactions import EDIT, FORM, PANEL
from tests.emulators.discord.emulator import DiscordEmulator
from tests.support.discord_harness import Office, attended


async def test_menus_and_buttons_say_what_they_carry_after_a_restart_too() -> None:
    async with DiscordEmulator() as discord:
        office = Office(discord)
        office.core.says = [PANEL]
        async with attended(office) as adapter:
            told = await office.give("claude settings")
            assert told.text == "What shall it be, <@1>?"
            # By the time of a second answer, the SDK is done with the first.
            await office.give("claude help")
            assert views(adapter) == {}
        office.core.says = [Response("Done.")]
        async with attended(office):
            menu, button = told.buttons
            chosen = discord.select(office.alice, told.id, menu, ["model"])
            assert (await office.told(chosen)).text == "Done."
            assert office.last.command == EDIT.having({"option": "model"})
            pressed = discord.click(office.alice, told.id, button)
            assert (await office.told(pressed)).ephemeral_for == office.alice
            assert office.last.command == Command("draft edit", {"draft": "3"})
        assert discord.command_puts == 1
        assert discord.pings == []


async def test_a_form_outlives_a_restart() -> None:
    async with DiscordEmulator() as discord:
        office = Office(discord)
        office.core.says = [FORM]
        async with attended(office) as adapter:
            asked = discord.command(office.alice, office.general, "claude model")
            form = await office.form(asked)
            office.core.says = [Response("Noted.")]
            await office.give("claude help")
            assert adapter._link.client._connection._view_store._modals == {}
        office.core.says = [Response("Saved.")]
        async with attended(office):
            sent = discord.submit(office.alice, form, {"model": ["opus"], "who": []})
            assert (await office.told(sent)).text == "Saved."
            assert office.last.command.arguments["who"] == ""


def views(adapter: DiscordAdapter) -> dict[Any, Any]:
    """Return the views that discord.py keeps for messages it has sent."""
    return dict(adapter._link.client._connection._view_store._views)
