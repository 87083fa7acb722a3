"""The settings page in Slack: on Home, by `/claude settings`, and of a channel."""

import pytest

from bot.schemes.default import DEFAULT
from tests.adapters.slack.test_admin import Admins, admins
from tests.emulators.slack.controls import Control
from tests.emulators.slack.screens import Home, Modal
from tests.security.forging import control

__all__ = ["admins"]

SECTIONS = ("Instructions", "Model and answers", "Spending", "Access", "Triage")


def picker(page: Home | Modal, label: str) -> Control:
    """Return the menu of channels with this placeholder."""
    [found] = [each for each in page.selects if each.label.startswith(label)]
    assert found.kind == "conversations_select"
    assert found.element["filter"] == {"include": ["public", "private"]}
    return found


async def chosen(admins: Admins, channel: str, user: str = "") -> Modal:
    """Return the page of a channel, chosen on Home."""
    home = await admins.home(user or admins.olga)
    menu = picker(home, "Set up a channel")
    admins.slack.choose_in(home, user or admins.olga, menu.action, channel)
    return await admins.modal(user or admins.olga, "Settings")


async def test_sections_each_with_a_button_beside_it(admins: Admins) -> None:
    told = await admins.typed(admins.olga, "settings")
    assert "by default" not in told
    whisper = admins.slack.ephemerals(admins.olga)[-1]
    beside = [each for each in whisper.blocks if "accessory" in each]
    titles = [each["text"]["text"].partition("\n")[0].strip("*") for each in beside]
    assert tuple(titles) == SECTIONS
    assert "claude-sonnet-5-5 · medium effort · up to " in told
    assert "Everything else is the default." in told
    admins.slack.press_in(whisper, admins.olga, "Edit spending")
    form = await admins.modal(admins.olga, "Spending")
    assert len(form.fields) == 4
    saved = await admins.saved(admins.olga, {"budget_day": "5"})
    assert "$5.00" in saved.text
    again = await admins.typed(admins.olga, "settings")
    assert "*This channel, today*: ▱▱▱▱▱ 0 % · $0.00 of $5.00" in again


async def test_a_members_page_has_what_is_set_and_no_forms(admins: Admins) -> None:
    await admins.typed(admins.olga, "set quiet on")
    told = await admins.typed(admins.alice, "settings")
    assert f"Quiet: on · this channel, set by <@{admins.olga}>" in told
    assert "*Triage*" not in told
    whisper = admins.slack.ephemerals(admins.alice)[-1]
    assert not [each for each in whisper.blocks if "accessory" in each]
    admins.slack.press_in(whisper, admins.alice, "Show all")
    await admins.slack.until(
        lambda: "Temperature" in admins.slack.ephemerals(admins.alice)[-1].text
    )


async def test_the_whole_list_has_its_menu_in_groups(admins: Admins) -> None:
    await admins.typed(admins.olga, "settings all")
    whisper = admins.slack.ephemerals(admins.olga)[-1]
    for menu in whisper.selects:
        groups = menu.element["option_groups"]
        assert tuple(each["label"]["text"] for each in groups) == SECTIONS
    channel, workspace = whisper.selects
    assert "Channel creators" not in channel.options
    assert "Channel creators" in workspace.options
    admins.slack.choose_in(whisper, admins.olga, channel.action, "Quiet")
    await admins.modal(admins.olga, "Quiet")


async def test_a_channel_without_settings_is_set_up_from_home(admins: Admins) -> None:
    team = admins.slack.add_channel("team", members=[admins.olga])
    page = await chosen(admins, team)
    assert f"Settings of <#{team}>" in page.text
    admins.slack.press_in(page, admins.olga, "Edit answers")
    await admins.modal(admins.olga, "Model and answers")
    # What was saved stands on the page that the form was opened from.
    assert await admins.submitted(admins.olga, {"model": "claude-haiku-5-5"}) is None
    assert "claude-haiku-5-5" in await admins.typed(admins.olga, "settings", team)
    assert "claude-haiku-5-5" not in await admins.typed(admins.olga, "settings")
    # From now on Home lists it.
    home = await admins.home(admins.olga)
    assert f"<#{team}>" in home.text
    assert "Change" in home.buttons


async def test_the_form_of_a_channel_counts_only_while_its_author_may(
    admins: Admins, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = admins.slack.add_channel("team", members=[admins.olga])
    page = await chosen(admins, team)
    admins.slack.press_in(page, admins.olga, "Edit answers")
    await admins.modal(admins.olga, "Model and answers")
    admins.slack.world.users[admins.olga].admin = False
    monkeypatch.setattr("adapters.slack.members.FRESH", 0.0)
    told = await admins.submitted(admins.olga, {"model": "claude-haiku-5-5"})
    assert told is not None
    assert told.text.startswith("Sorry")


@pytest.mark.parametrize("verb", ["settings", "edit.section section=answers"])
async def test_a_forged_choice_of_a_channel_shows_nothing(
    admins: Admins, verb: str
) -> None:
    """Members get no menu for another place; a forged choice from it is refused."""
    secret = admins.slack.add_channel("secret", kind="group", members=[admins.olga])
    await admins.typed(admins.olga, "set quiet on", secret)
    sent = control(
        *(admins.slack, admins.alice, admins.general, ""),
        action=f"menu:where:{verb}",
        more={"type": "conversations_select", "selected_conversation": secret},
    )
    await admins.slack.until(lambda: sent.acked and admins.slack.settled)
    told = str(admins.slack.hooks.posts[-1].body)
    assert "only people in that channel can see this" in told
    assert "Quiet" not in told


async def test_what_a_person_does_not_see_is_not_offered(admins: Admins) -> None:
    secret = admins.slack.add_channel("secret", kind="group", members=[admins.bob])
    home = await admins.home(admins.olga)
    menu = picker(home, "Set up a channel")
    with pytest.raises(ValueError, match="is not offered"):
        admins.slack.choose_in(home, admins.olga, menu.action, secret)


async def test_settings_are_copied_from_another_channel(admins: Admins) -> None:
    team = admins.slack.add_channel("team", members=[admins.olga])
    await admins.typed(admins.olga, "model haiku")
    await admins.typed(admins.olga, "set prompt Quote the clause.")
    page = await chosen(admins, team)
    menu = picker(page, "Copy settings from")
    admins.slack.choose_in(page, admins.olga, menu.action, admins.general)
    await admins.slack.until(
        lambda: "Quote the clause." in (admins.slack.modal(admins.olga) or page).text
    )
    shown = await admins.modal(admins.olga)
    assert f"Copy from <#{admins.general}> to <#{team}>" in shown.text
    assert "claude-haiku-5-5" not in await admins.typed(admins.olga, "settings", team)
    admins.slack.press_in(shown, admins.olga, "Copy these")
    await admins.slack.until(
        lambda: "Saved" in (admins.slack.modal(admins.olga) or page).text
    )
    told = await admins.typed(admins.olga, "settings", team)
    assert "claude-haiku-5-5" in told
    assert "Quote the clause." in told


async def test_a_scheme_begins_with_the_default_and_is_taken_as_yaml(
    admins: Admins,
) -> None:
    admins.slack.command(admins.olga, admins.general, "/claude", "set triage_scheme")
    form = await admins.modal(admins.olga, "Triage: scheme")
    assert "priority:" in str([field.value for field in form.fields])
    mine = DEFAULT.replace("What the ticket is about.", "The subject.")
    file: dict[str, object] = {f"triage_scheme:{nth}": "" for nth in (0, 1)} | {
        "triage_scheme:file": [("scheme.yaml", mine.encode())]
    }
    saved = await admins.saved(admins.olga, file)
    assert "its own" in saved.text
