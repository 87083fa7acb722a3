"""The page of settings: what differs, who may change it, and the forms of sections."""

import pytest

from bot.domain.channel_access import ChannelAccess
from bot.domain.scope import Scope
from bot.ui.elements import Form, Response
from tests.support.command_harness import (
    CHANNEL,
    GUEST,
    MANAGER,
    MEMBER,
    OWNER,
    THREAD,
    WORKSPACE,
    Office,
)

OTHER = Scope("fake", "w", "c2")


async def page(office: Office, **given: object) -> Response:
    told = await office.give("settings", **given)  # type: ignore[arg-type]
    assert isinstance(told, Response)
    return told


def titles(told: Response) -> list[str]:
    return [section.title for section in told.sections if section.title]


async def test_a_fresh_channel_is_a_few_lines() -> None:
    told = await page(Office())
    assert "by default" not in told.whole
    assert len(told.whole.replace("\n\n", "\n").splitlines()) <= 16
    assert told.sections[-1].text == "Everything else is the default."
    assert "The default\n> You are Threadkeep" in told.whole
    # What is in the list is all that the list had before.
    every = await page(Office(), view="all")
    assert every.whole.count("by default") > 10
    assert "**System prompt**: the default\n" in every.whole


async def test_only_what_differs_is_listed_and_who_set_it() -> None:
    office = Office()
    await office.type("set quiet workspace on")
    await office.type("model haiku")
    await office.type("set effort inherit")
    told = (await page(office)).whole
    assert "Model: this channel, set by " in told
    assert "Quiet: on · the workspace, set by " in told
    assert "claude-haiku-5-5" in told
    assert "Web search" not in told


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [("who decides " * 20, "who decides who…"), ("w" * 200, f"{'w' * 160}…")],
)
async def test_a_long_prompt_ends_with_a_whole_word(prompt: str, shown: str) -> None:
    office = Office()
    await office.type(f"set prompt {prompt}")
    assert f"{shown}\n" in (await page(office)).whole


async def test_a_member_sees_the_sections_in_which_something_is_set() -> None:
    office = Office()
    assert titles(await page(office, person=MEMBER)) == [
        "Instructions",
        "Model and answers",
    ]
    await office.type("budget day 5")
    told = await page(office, person=MEMBER)
    assert titles(told)[-1] == "Spending"
    assert "▱▱▱▱▱ 0 % · $0.00 of $5.00" in told.whole
    labels = [each.label for section in told.sections for each in section.buttons]
    assert labels == ["Show all", "Whole prompt", "Settings of the workspace"]


async def test_a_guest_sees_no_prompt_and_no_way_beyond_the_channel() -> None:
    told = await page(Office(), person=GUEST)
    assert "Threadkeep" not in told.whole
    labels = [each.label for section in told.sections for each in section.buttons]
    assert labels == ["Show all"]


async def test_a_button_opens_the_form_of_its_section() -> None:
    office = Office()
    told = await page(office)
    form = await office.press(told, "Edit answers")
    assert isinstance(form, Form)
    assert form.title == "Model and answers"
    names = [field.name for field in form.fields]
    assert names == ["model", "effort", "max_tokens", "web_search", "running"]
    saved = await office.send(form, {"effort": "low"})
    assert "Effort" in saved.text
    assert "Model" not in saved.text


async def test_the_form_of_a_section_has_what_the_person_may_set() -> None:
    office = Office()
    form = await office.form("edit section", MANAGER, section="access")
    assert [field.name for field in form.fields] == ["who", "follow", "bots"]
    form = await office.form("edit section", section="access", where="workspace")
    assert "creators" in [field.name for field in form.fields]
    form = await office.form("edit section", place=THREAD, section="answers")
    assert [field.name for field in form.fields] == ["model", "effort"]


@pytest.mark.parametrize("section", ["answers", "triage", "nothing", ""])
async def test_whoever_may_not_is_given_no_form(section: str) -> None:
    office = Office()
    told = await office.give("edit section", MEMBER, section=section)
    assert isinstance(told, Response)
    assert told.text.startswith(("Sorry", "This setting no longer exists"))


async def test_what_nobody_touched_is_not_judged_again() -> None:
    office = Office()
    await office.give("set", option="triage_announce", value="channel:c3")
    office.adapter.may["c3", ""] = ChannelAccess(exists=True)
    form = await office.form("edit section", MANAGER, section="triage")
    saved = await office.send(form, {"triage_budget": "2"}, MANAGER)
    assert "$2.00" in saved.text
    office.adapter.may["c4", ""] = ChannelAccess(exists=True)
    refused = await office.send(form, {"triage_announce": "channel:c4"}, MANAGER)
    assert refused.field == "triage_announce"


async def test_the_page_of_another_channel_says_which_it_is() -> None:
    office = Office()
    office.adapter.people[OWNER.id] = OWNER
    told = await page(office, place=WORKSPACE, where="channel:c2")
    assert "c2" in told.text
    form = await office.press(told, "Edit spending", place=WORKSPACE)
    assert isinstance(form, Form)
    await office.send(form, {"budget_day": "3"}, place=WORKSPACE)
    assert (await office.policy(OTHER)).own("budget_day") is not None
    assert (await office.policy(CHANNEL)).own("budget_day") is None


async def test_admins_of_a_workspace_choose_a_channel_there() -> None:
    office = Office()
    [menu] = (await page(office, where="workspace")).sections[-1].menus
    assert menu.channels
    told = await page(office, person=MEMBER, where="workspace")
    assert told.sections[-1].menus == ()
    assert OWNER.runs_workspace
