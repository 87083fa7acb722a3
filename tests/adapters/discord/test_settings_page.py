"""The settings page on Discord: sections with buttons, and a menu of channels."""

import discord
import pytest

from tests.adapters.discord.test_admin import Town, town
from tests.emulators.discord.faults import CALLBACK, error
from tests.emulators.discord.people import Seen, parts

__all__ = ["town"]

pytestmark = pytest.mark.asyncio(loop_scope="module")


def control(seen: Seen, words: str) -> str:
    """Return the custom_id of the control that carries `words`."""
    [found] = [each for each in seen.buttons if words in each]
    return found


async def test_sections_each_with_a_button_beside_it(town: Town) -> None:
    panel = await town.give("claude settings")
    assert discord.MessageFlags._from_value(panel.flags).components_v2
    sections = [each for each in parts(panel.components) if each["type"] == 9]
    buttons = [each["accessory"]["label"] for each in sections]
    assert buttons == [
        "Edit instructions",
        "Edit answers",
        "Edit spending",
        "Edit access",
        "Edit triage",
    ]
    assert panel.text.startswith("**Settings of this channel**")
    assert "Everything else is the default." in panel.text
    assert panel.ephemeral_for == town.ada
    edit = control(panel, "section=spending")
    form = await town.form(town.discord.click(town.ada, panel.id, edit))
    saved = await town.submit(form, {"budget_day": "5"})
    assert "$5.00" in saved.text
    again = await town.give("claude settings")
    assert "▱▱▱▱▱ 0 % · $0.00 of $5.00" in again.text


async def test_every_section_opens_a_form(town: Town) -> None:
    panel = await town.give("claude settings", where="workspace")
    for name in ("instructions", "answers", "spending", "access", "triage"):
        edit = control(panel, f"section={name}")
        form = await town.form(town.discord.click(town.ada, panel.id, edit))
        assert form.response is not None
        assert form.response.modal is not None
        assert 1 <= len(form.response.modal["components"]) <= 5


async def test_a_member_is_shown_no_forms(town: Town) -> None:
    panel = await town.give("claude settings", town.alice)
    assert not [each for each in panel.buttons if "edit" in each]
    every = town.discord.click(town.alice, panel.id, control(panel, "view=all"))
    assert "Temperature" in (await town.told(every)).text


async def test_a_channel_is_chosen_on_the_page_of_the_server(town: Town) -> None:
    panel = await town.give("claude settings", where="workspace")
    menu = control(panel, "settings where=")
    told = town.discord.select(town.ada, panel.id, menu, [town.random])
    page = await town.told(told)
    assert f"Settings of <#{town.random}>" in page.text
    edit = control(page, "section=answers")
    form = await town.form(town.discord.click(town.ada, page.id, edit))
    saved = await town.submit(form, {"effort": ["low"]})
    assert "low" in saved.text
    there = await town.give("claude settings", place=town.random)
    assert "low effort" in there.text
    assert "low effort" not in (await town.give("claude settings")).text


async def test_a_channel_that_one_does_not_see_is_not_shown(town: Town) -> None:
    hidden = town.discord.add_channel("hidden")
    town.discord.set_permissions(hidden, user=town.alice, deny=["view_channel"])
    await town.give("claude-admin set", place=hidden, option="quiet", value="on")
    forged = town.discord.forge(
        town.alice, town.general, "do:settings where=", [f"channel:{hidden}"]
    )
    told = await town.told(forged)
    assert "only people in that channel can see this" in told.text


async def test_a_layout_that_discord_refuses_is_shown_as_text(town: Town) -> None:
    unfit = error(400, 50035, "Invalid Form Body")
    town.discord.faults.add("POST", CALLBACK, unfit)
    panel = await town.give("claude settings")
    assert "**Settings of this channel**" in panel.text
    assert panel.components == ()


async def test_settings_are_copied_from_another_channel(town: Town) -> None:
    await town.set_prompt("Quote the clause.", town.random)
    page = await town.give("claude settings")
    menu = control(page, "copy.settings")
    shown = await town.told(town.discord.select(town.ada, page.id, menu, [town.random]))
    assert "> Quote the clause." in shown.text
    save = town.discord.click(town.ada, shown.id, control(shown, "copy.save"))
    assert (await town.told(save)).text.startswith(f"Saved for <#{town.general}>:")
    assert "Quote the clause." in (await town.give("claude settings")).text


@pytest.mark.parametrize("name", ["prompt.yaml", "prompt.YML"])
async def test_a_yaml_file_is_a_text_file(town: Town, name: str) -> None:
    saved = await town.give("claude prompt set", file=(name, b"role: clerk"))
    assert saved.text.startswith(f"Saved for <#{town.general}>:")


async def test_a_scheme_begins_with_the_default(town: Town) -> None:
    asked = town.discord.command(
        town.ada, town.general, "claude-admin set", option="triage_scheme"
    )
    form = await town.form(asked)
    assert form.response is not None
    assert form.response.modal is not None
    [*_, scheme] = form.response.modal["components"]
    assert "priority:" in scheme["component"]["value"]
    saved = await town.submit(form, {})
    assert saved.text.startswith("No change")
