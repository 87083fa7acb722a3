"""Versions of the prompt and the audit: nothing that was is ever lost."""

from bot.commands.history import MOST_VERSIONS
from bot.domain.setting import AuditEntry
from bot.messages.settings import AUDIT_FOR_ADMINS
from bot.text.references import channel, user
from bot.ui.elements import Form, Response
from storage.refusals import MOST_LINES
from tests.support.command_harness import CHANNEL, MEMBER, OWNER, WORKSPACE, Office


async def test_every_version_is_kept_listed_and_compared() -> None:
    office = Office()
    for text in ("Be brief.", "Be brief.\nBe kind.", "Be long."):
        office.now += 60
        await office.type(f"set prompt {text}")
    told = await office.give("prompt history")
    assert isinstance(told, Response)
    assert "**3**" in told.text
    assert told.text.index("**3**") < told.text.index("**1**")
    assert user("olga") in told.text
    assert [menu.label for menu in told.menus] == ["Compare with …", "Roll back to …"]
    assert [choice.value for choice in told.menus[0].choices] == ["2", "1"]
    compared = await office.type("prompt diff 2")
    assert "-Be kind." in compared
    assert "+Be long." in compared


async def test_versions_beyond_the_listed_ones_are_counted() -> None:
    office = Office()
    for number in range(MOST_VERSIONS + 2):
        await office.type(f"set prompt Number {number}.")
    told = await office.type("prompt history")
    assert told.splitlines()[-1] == "… and 2 earlier ones."


async def test_the_audit_counts_what_is_refused_to_too_many_people() -> None:
    office = Office()
    for number in range(MOST_LINES + 40):
        await office.store.record_refusal(
            AuditEntry(0, office.now, CHANNEL, f"u{number}", "denied", "set model")
        )
    office.now += 60
    await office.store.record_refusal(
        AuditEntry(0, office.now, CHANNEL, "zoe", "denied", "set model")
    )
    told = await office.give("audit", OWNER, WORKSPACE)
    assert isinstance(told, Response)
    assert "41 more refusals that hour" in told.text


async def test_a_roll_back_is_one_more_version() -> None:
    office = Office()
    await office.type("set prompt One.")
    await office.type("set prompt Two.")
    told = await office.type("prompt rollback 1")
    assert "version 1, as version 3" in told
    assert await office.prompt() == "One."
    assert [entry.action for entry in await office.audit()] == [
        "set",
        "set",
        "rolled back",
    ]
    versions = await office.store.versions(CHANNEL, "prompt")
    assert [version.text for version in versions] == ["One.", "Two.", "One."]
    assert "already" in await office.type("prompt rollback 3")


async def test_members_see_the_history_and_may_not_roll_back() -> None:
    office = Office()
    await office.type("set prompt One.")
    await office.type("set prompt Two.")
    told = await office.give("prompt history", MEMBER)
    assert isinstance(told, Response)
    assert [menu.label for menu in told.menus] == ["Compare with …"]
    assert "Sorry" in await office.type("prompt rollback 1", MEMBER)
    assert await office.prompt() == "Two."


async def test_taking_a_prompt_back_is_a_version_too() -> None:
    office = Office()
    await office.type("set prompt One.")
    assert "not set" in await office.type("set prompt inherit")
    assert "removed" in await office.type("prompt history")
    await office.type("prompt rollback 1")
    assert await office.prompt() == "One."


async def test_the_audit_is_for_those_who_administer() -> None:
    office = Office()
    assert "Nothing was changed" in await office.type("audit")
    await office.type("budget day 5")
    await office.type("model opus", MEMBER)
    told = await office.type("audit")
    assert f"{user('olga')} set **Daily budget**: not set → $5.00" in told
    assert f"{user('max')} tried to set model (not allowed)" in told
    assert await office.type("audit", MEMBER) == AUDIT_FOR_ADMINS
    assert channel("c") in await office.type("audit workspace", OWNER, WORKSPACE)


async def test_a_whole_prompt_can_be_seen_by_anyone() -> None:
    office = Office()
    await office.type("set prompt " + "Long. " * 1_000)
    told = await office.give("prompt show", MEMBER)
    assert isinstance(told, Response)
    assert told.file is not None
    assert told.file.text == ("Long. " * 1_000).strip()
    assert [button.label for button in told.buttons] == ["History"]
    shown = await office.give("prompt", MEMBER)
    assert isinstance(shown, Response)
    assert isinstance(await office.give("prompt"), Form)


async def test_the_history_says_how_much_changed_and_undoes_the_last_change() -> None:
    office = Office()
    for text in ("Be brief.", "Be brief.\nBe kind.", "Be long.\nBe kind.\nBe."):
        await office.type(f"set prompt {text}")
    told = await office.give("prompt history")
    assert isinstance(told, Response)
    assert "characters · +2 −1 lines · **current**" in told.text
    assert "characters · +1 line\n" in told.text
    undone = await office.press(told, "Undo last change")
    assert isinstance(undone, Response)
    assert undone.text.startswith("Undone")
    assert await office.prompt() == "Be brief.\nBe kind."
    watched = await office.give("prompt history", MEMBER)
    assert isinstance(watched, Response)
    assert watched.buttons == ()


async def test_of_a_long_history_the_oldest_row_is_compared_with_what_is_hidden() -> (
    None
):
    office = Office()
    for number in range(MOST_VERSIONS + 1):
        await office.type(f"set prompt Rule {number}.")
    told = await office.give("prompt history")
    assert isinstance(told, Response)
    assert told.text.count("+1 −1 lines") == MOST_VERSIONS
    assert told.text.endswith("\n… and 1 earlier ones.")
