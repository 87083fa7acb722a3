"""Settings are copied from one channel to another: what, by whom, and as one change."""

import pytest

from bot.domain.channel_access import ChannelAccess
from bot.domain.scope import Scope
from bot.text.references import channel
from bot.ui.elements import Response
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

SOURCE = Scope("fake", "w", "c2")


async def office(made: Office | None = None) -> Office:
    """Return an office in which the other channel has settings of its own."""
    made = made or Office()
    made.adapter.people = {p.id: p for p in (OWNER, MANAGER, MEMBER)}
    for name, value in (
        ("prompt", "Quote the clause."),
        ("model", "haiku"),
        ("budget_day", "5"),
        ("stop_sequences", "END"),
        ("who", "user:max"),
        ("admins", "user:ann"),
    ):
        told = await made.give("set", place=SOURCE, option=name, value=value)
        assert isinstance(told, Response)
        assert told.text.startswith("Saved"), told.text
    await made.type("set quiet on")
    await made.type("budget day 5")
    return made


async def shown(made: Office, person: object = OWNER, **given: str) -> Response:
    told = await made.give("copy settings", person, **{"source": "channel:c2", **given})  # type: ignore[arg-type]
    assert isinstance(told, Response)
    return told


async def test_what_would_change_is_shown_and_nothing_is_saved() -> None:
    made = await office()
    told = await shown(made)
    assert "- **System prompt**:\n> Quote the clause." in told.text
    assert "- **Model**: not set → claude-haiku-5-5" in told.text
    assert "budget" not in told.text, "it is the same here"
    assert "What is set only here stays as it is." in told.text
    assert (await made.policy()).own("model") is None


async def test_it_is_saved_in_one_transaction_and_the_audit_says_how() -> None:
    made = await office()
    before = len(await made.store.audit(CHANNEL, 0.0, 100))
    told = await made.press(await shown(made), "Copy these")
    assert isinstance(told, Response)
    assert told.text.startswith(f"Saved for {channel('c')}:")
    policy = await made.policy()
    assert await made.prompt() == "Quote the clause."
    assert policy.stop_sequences == ("END",)
    assert policy.on("quiet")
    entries = (await made.store.audit(CHANNEL, 0.0, 100))[: -before or None]
    assert {each.action for each in entries} == {"copied"}
    assert {each.name for each in entries} == {
        *("prompt", "model", "stop_sequences", "who", "admins")
    }
    assert len({each.at for each in entries}) == 1
    assert "copied **Model**" in await made.type("audit")
    again = await shown(made)
    assert "has no settings of its own that this channel does not have" in again.text
    assert again.buttons == ()


async def test_what_one_may_not_set_is_left_out_and_said() -> None:
    made = await office()
    told = await shown(made, MANAGER)
    assert "you can't see or change it: Channel admins." in told.text
    await made.press(told, "Copy these", MANAGER)
    policy = await made.policy()
    assert policy["model"] == "claude-haiku-5-5"
    assert policy.own("admins") is None


async def test_the_name_of_a_channel_that_one_does_not_see_is_not_copied() -> None:
    made = await office()
    await made.give("set", place=SOURCE, option="triage_announce", value="channel:c9")
    made.adapter.may["c9", MANAGER.id] = ChannelAccess(exists=True)
    told = await shown(made, MANAGER)
    assert "channel:c9" not in told.text
    assert "Triage: alert channel" in told.text
    await made.press(told, "Copy these", MANAGER)
    assert (await made.policy()).own("triage_announce") is None


@pytest.mark.parametrize("person", [MEMBER, GUEST])
async def test_only_admins_of_the_channel_copy_to_it(person: object) -> None:
    made = await office()
    for verb in ("copy settings", "copy save"):
        told = await made.give(verb, person, source="c2", base="99")  # type: ignore[arg-type]
        assert isinstance(told, Response)
        assert told.text.startswith("Sorry")
    assert (await made.policy()).own("model") is None


async def test_only_those_who_read_a_channel_copy_from_it() -> None:
    made = await office()
    made.adapter.may["c2", MANAGER.id] = ChannelAccess(exists=True)
    for verb in ("copy settings", "copy save"):
        told = await made.give(verb, MANAGER, source="c2", base="99")
        assert isinstance(told, Response)
        assert "only people in that channel can see this" in told.text
        assert "haiku" not in told.text
    assert (await made.policy()).own("model") is None


async def test_rights_are_checked_again_when_it_is_saved() -> None:
    made = await office()
    told = await shown(made, MANAGER)
    made.adapter.may["c2", MANAGER.id] = ChannelAccess(exists=True)
    refused = await made.press(told, "Copy these", MANAGER)
    assert isinstance(refused, Response)
    assert refused.text.startswith("Sorry")
    assert (await made.policy()).own("model") is None


@pytest.mark.parametrize("place", [SOURCE, CHANNEL])
async def test_what_changed_meanwhile_is_shown_again(place: Scope) -> None:
    made = await office()
    told = await shown(made)
    await made.type("set model opus", place=place)
    again = await made.press(told, "Copy these")
    assert isinstance(again, Response)
    assert again.text.startswith("The settings have changed meanwhile.")
    saved = await made.press(again, "Copy these")
    assert isinstance(saved, Response)
    assert saved.text.startswith("Saved")


async def test_the_operators_ceiling_holds_and_is_said() -> None:
    made = await office(Office(budget_day="2"))
    await made.type("budget day inherit")
    told = await made.press(await shown(made), "Copy these")
    assert isinstance(told, Response)
    assert "The operator allows at most $2.00" in told.text


@pytest.mark.parametrize(
    ("place", "given"),
    [
        (THREAD, {"where": "thread"}),
        (WORKSPACE, {"where": "workspace"}),
        (CHANNEL, {"source": "channel:c"}),
        (CHANNEL, {"source": ""}),
    ],
)
async def test_only_to_a_channel_and_from_another(
    place: Scope, given: dict[str, str]
) -> None:
    made = await office()
    arguments = {"source": "c2", **given}
    told = await made.give("copy settings", OWNER, place, **arguments)
    assert isinstance(told, Response)
    assert told.buttons == ()


async def test_the_page_of_a_channel_offers_it_to_its_admins() -> None:
    made = await office()
    for person, offered in ((OWNER, True), (MANAGER, True), (MEMBER, False)):
        told = await made.give("settings", person)
        assert isinstance(told, Response)
        [*_, last] = told.sections
        assert bool(last.menus) == offered
        assert all(menu.channels for menu in last.menus)
