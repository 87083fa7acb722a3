"""Admins change settings: forms, rights, what is refused, what clashes."""

import pytest

from bot.claude.catalog import ModelAvailability
from bot.domain.budget import NO_LIMITS, Charge, PastCall
from bot.domain.channel_access import NOWHERE
from bot.domain.completion import Usage
from bot.domain.scope import Scope
from bot.errors import StorageError
from bot.messages.commands import FILE_OR_TEXT
from bot.schemes.default import DEFAULT
from bot.text.references import channel, user
from bot.ui.elements import Command, Form, Kind, Response
from tests.support.command_harness import (
    CHANNEL,
    GUEST,
    MANAGER,
    MEMBER,
    NOON,
    OWNER,
    THREAD,
    WORKSPACE,
    Office,
)


async def test_a_prompt_set_by_form_applies_and_is_a_version() -> None:
    office = Office()
    form = await office.form("prompt set")
    assert [(f.name, f.kind) for f in form.fields] == [
        ("prompt", Kind.TEXT),
        ("running", Kind.CHOICE),
    ]
    told = await office.send(form, {"prompt": "Speak like a pirate."})
    assert told.text.startswith(f"Saved for {channel('c')}:")
    assert "version 1" in told.text
    assert "Existing threads keep" in told.text
    assert await office.prompt() == "Speak like a pirate."
    assert await office.prompt(Scope("fake", "w", "other")) != "Speak like a pirate."
    [entry] = await office.audit()
    assert (entry.who, entry.name, entry.before, entry.after) == (
        "olga",
        "prompt",
        None,
        "version 1",
    )


@pytest.mark.parametrize(
    ("verb", "arguments", "prompt"),
    [
        ("prompt set", {"text": "Ask user:max in channel:c2."}, "Ask @Max in #c2."),
        ("set", {"option": "prompt", "value": "Ask user:max."}, "Ask @Max."),
        # Nobody else learns the name of a private channel, and a file is as written.
        ("prompt set", {"text": "See channel:secret."}, "See channel:secret."),
        ("prompt set", {"file": "Ask user:max."}, "Ask user:max."),
        # The name cannot be looked up now.
        ("prompt set", {"text": "user:eve, user:max"}, "user:eve, @Max"),
    ],
)
async def test_mentions_in_a_typed_prompt_are_names(
    verb: str, arguments: dict[str, str], prompt: str
) -> None:
    office = Office()
    office.adapter.may["secret", ""] = NOWHERE
    office.adapter.unknown.add("eve")
    await office.desk.run(Command(verb, arguments), CHANNEL, OWNER)
    assert await office.prompt() == prompt


async def test_in_a_thread_it_is_for_the_thread() -> None:
    office = Office()
    told = await office.type("model opus", place=THREAD)
    assert "this thread" in told
    assert (await office.policy(THREAD))["model"] == "claude-opus-5-5"
    assert (await office.policy())["model"] == "claude-sonnet-5-5"
    await office.type("model haiku channel", place=THREAD)
    assert (await office.policy())["model"] == "claude-haiku-5-5"
    await office.type("set quiet on", place=THREAD)
    assert (await office.policy()).on("quiet")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "model gpt-5",
            "There is no model “gpt-5”. The current ones are `claude-haiku-5-5`",
        ),
        ("budget day -1", "not “-1”"),
        ("budget day ten", "not “ten”"),
        ("budget day 1e9", "not “1e9”"),
        ("budget none", "Per day or per month"),
        ("set max_tokens 0", "from 1 to 128,000"),
        ("set temperature 0.5", "Claude's API of 2026-10-21 refuses it"),
        ("prompt rollback 7", "no such version"),
        ("set budget_day thread 5", "only for this channel or the workspace"),
        ("set creators on", "only for the workspace"),
        ("prompt diff 1 thread", "not in a thread"),
    ],
)
async def test_what_cannot_be_set_is_told_in_a_sentence(text: str, words: str) -> None:
    office = Office()
    place = THREAD if "set budget_day thread" in text else CHANNEL
    told = await office.type(text, place=place)
    assert words in told
    assert await office.audit() == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" \n\t ", "empty"),
        ("x" * 20_001, "20,001"),
        ("a\x00b", "control character"),
        ("a\x07b", "control character"),
    ],
)
async def test_a_bad_prompt_is_refused_at_its_field(text: str, words: str) -> None:
    office = Office()
    told = await office.send(await office.form("prompt set"), {"prompt": text})
    assert words in told.text
    assert told.field == "prompt"
    assert await office.audit() == []


async def test_a_prompt_is_typed_or_uploaded_but_not_both() -> None:
    office = Office()
    assert "Saved" in await office.type("prompt set everywhere Be brief.\n\nAnd kind.")
    assert await office.prompt(Scope("fake", "w", "other")) == "Be brief.\n\nAnd kind."
    told = await office.give("prompt set", file="One.", text="Two.")
    assert isinstance(told, Response)
    assert told.text == FILE_OR_TEXT


async def test_a_model_that_retires_soon_is_accepted_with_a_warning() -> None:
    told = await Office().type("model claude-sonnet-4-5")
    assert "Saved" in told
    assert "retires on 2026-11-30, in 4 days" in told


async def test_a_model_that_claude_no_longer_has_is_refused() -> None:
    gone = ModelAvailability(
        retired=frozenset({"claude-opus-5"}),
        unlisted=frozenset(),
        retires={},
        unknown=(),
    )
    office = Office(survey=gone)
    told = await office.type("model claude-opus-5")
    assert "retired" in told
    assert await office.audit() == []


async def test_a_temperature_is_taken_where_the_model_takes_it() -> None:
    office = Office()
    await office.type("model claude-sonnet-4-6")
    assert "Saved" in await office.type("set temperature 0.2")
    assert (await office.policy()).temperature == 0.2
    told = await office.type("model claude-sonnet-5-5")
    assert "reset Temperature first" in told
    assert (await office.policy())["model"] == "claude-sonnet-4-6"


async def test_effort_is_refused_where_the_model_has_none() -> None:
    office = Office()
    assert "Saved" in await office.type("model claude-haiku-4-5")
    assert "no effort" in await office.type("set effort high")


async def test_taking_a_setting_back() -> None:
    office = Office()
    await office.type("model opus workspace")
    await office.type("model haiku")
    assert "not set" in await office.type("model inherit")
    assert (await office.policy())["model"] == "claude-opus-5-5"
    assert (await office.audit())[-1].action == "cleared"
    assert "No change" in await office.type("model inherit")
    await office.type("budget day 5")
    form = await office.form("budget")
    assert form.fields[0].value == "5.00"
    assert "No change" in (await office.send(form, {"budget_day": "5.00"})).text
    told = await office.send(form, {"budget_day": "", "budget_month": "100"})
    assert "not set" in told.text
    assert {cap.usd for cap in (await office.policy()).caps.budgets} == {100.0}


@pytest.mark.parametrize("person", [MEMBER, GUEST])
async def test_those_who_may_not_are_told_so_and_it_is_noted(person: object) -> None:
    office = Office()
    assert person in (MEMBER, GUEST)
    who = MEMBER if person is MEMBER else GUEST
    told = await office.give("prompt set", who)
    assert isinstance(told, Response)
    assert told.text.startswith("Sorry")
    assert "Sorry" in await office.type("model opus", who)
    assert [(e.who, e.action, e.name) for e in await office.audit()] == [
        (who.id, "denied", "set prompt"),
        (who.id, "denied", "set model"),
    ]
    assert (await office.policy())["model"] == "claude-sonnet-5-5"


async def test_a_channels_manager_may_change_the_channel_alone() -> None:
    office = Office()
    assert "Saved" in await office.type("model opus", MANAGER)
    assert "Sorry" in await office.type("model opus workspace", MANAGER)
    # Whoever could name admins would be one.
    assert "Sorry" in await office.type("set admins user:max", MANAGER)
    assert "Saved" in await office.type("set admins user:max", OWNER)
    assert "Saved" in await office.type("model haiku", MEMBER)
    other = Scope("fake", "w", "elsewhere")
    assert "Sorry" in await office.type("model haiku", MEMBER, other)


async def test_a_form_sent_after_its_author_lost_the_right_changes_nothing() -> None:
    office = Office()
    form = await office.form("prompt set", MANAGER)
    demoted = MEMBER
    told = await office.send(form, {"prompt": "Mine!"}, demoted)
    assert told.text.startswith("Sorry")
    assert (await office.audit())[-1].action == "denied"
    assert await office.prompt() != "Mine!"


async def test_a_channel_named_from_elsewhere_is_looked_up_there() -> None:
    office = Office()
    command = Command(
        "set", {"where": "channel:c9", "option": "model", "value": "opus"}
    )
    # What somebody may in one channel says nothing of another.
    told = await office.desk.run(command, CHANNEL, MANAGER)
    assert isinstance(told, Response)
    assert told.text.startswith("Sorry")
    office.adapter.people["mo"] = MANAGER
    told = await office.desk.run(command, WORKSPACE, MANAGER)
    assert isinstance(told, Response)
    assert "Saved" in told.text
    assert (await office.policy(Scope("fake", "w", "c9")))["model"] == "claude-opus-5-5"
    office.adapter.unknown.add("mo")
    told = await office.desk.run(command, WORKSPACE, MANAGER)
    assert isinstance(told, Response)
    assert "couldn't check your permissions" in told.text


async def test_of_two_admins_the_second_sees_what_changed_and_chooses() -> None:
    office = Office()
    first, second = await office.form("prompt set"), await office.form("prompt set")
    await office.send(first, {"prompt": "Be brief."}, MANAGER)
    clash = await office.send(second, {"prompt": "Be long."})
    assert "Not saved" in clash.text
    assert f"{user('mo')} set **System prompt**" in clash.text
    assert "-Be brief." in clash.text
    assert "+Be long." in clash.text
    assert await office.prompt() == "Be brief."
    # It is their draft, and theirs alone.
    told = await office.press(clash, "Save mine", MANAGER)
    assert isinstance(told, Response)
    assert "no longer exists" in told.text
    kept = await office.press(clash, "Keep theirs")
    assert isinstance(kept, Response)
    assert await office.prompt() == "Be brief."
    form = await office.press(clash, "Keep writing")
    assert isinstance(form, Form)
    assert form.fields[0].value == "Be long."
    saved = await office.press(clash, "Save mine")
    assert isinstance(saved, Response)
    assert "Saved" in saved.text
    assert await office.prompt() == "Be long."


async def test_a_clash_that_comes_again_is_told_again() -> None:
    office = Office()
    first, second = await office.form("prompt set"), await office.form("prompt set")
    await office.send(first, {"prompt": "One."}, MANAGER)
    clash = await office.send(second, {"prompt": "Two."})
    await office.type("set prompt Three.", MANAGER)
    again = await office.press(clash, "Save mine")
    assert isinstance(again, Response)
    assert "Not saved" in again.text
    assert await office.prompt() == "Three."


async def test_two_who_want_the_same_do_not_clash() -> None:
    office = Office()
    first, second = await office.form("prompt set"), await office.form("prompt set")
    await office.send(first, {"prompt": "Same."}, MANAGER)
    told = await office.send(second, {"prompt": "Same."})
    assert "No change" in told.text


async def test_a_setting_that_changed_elsewhere_is_no_clash() -> None:
    office = Office()
    form = await office.form("edit", option="model")
    await office.type("set quiet on", MANAGER)
    told = await office.send(form, {"model": "claude-opus-5-5"})
    assert "Saved" in told.text


@pytest.mark.parametrize(
    "command",
    [
        Command("draft save", {"draft": "999"}),
        Command("draft save", {"draft": "x"}),
        Command("draft drop"),
        Command("save", {"where": "channel"}),
        Command("save", {"where": "moon", "model": "opus"}),
        Command("edit", {"option": "nonsense"}),
        Command("prompt rollback", {"version": "99999999999999999999"}),
        Command("conjure"),
    ],
)
async def test_what_is_forged_or_old_changes_nothing(command: Command) -> None:
    office = Office()
    told = await office.desk.run(command, CHANNEL, OWNER)
    assert isinstance(told, Response)
    assert told.text
    assert await office.audit() == []


async def test_the_form_of_a_choice_says_what_applies_without_it() -> None:
    office = Office()
    await office.type("model opus workspace")
    form = await office.form("model")
    field = form.fields[0]
    assert field.choices[0].value == "inherit"
    assert "claude-opus-5-5" in field.choices[0].label
    assert field.value == "inherit"
    assert all(len(choice.label) <= 75 for choice in field.choices)


async def test_the_form_of_a_scheme_begins_with_what_applies() -> None:
    office = Office()
    form = await office.form("set", option="triage_scheme")
    assert form.fields[0].value == DEFAULT
    told = await office.send(form, {})
    assert told.text.startswith("No change")
    assert await office.audit() == []
    mine = DEFAULT.replace("What the ticket is about.", "The subject.")
    await office.send(form, {"triage_scheme": mine})
    assert (await office.policy())["triage_scheme"] == mine.strip()
    # What is set around a channel is what its form begins with.
    await office.give("set", option="triage_scheme", value=mine, where="workspace")
    await office.give("set", option="triage_scheme", value="inherit")
    form = await office.form("set", option="triage_scheme")
    assert "The subject." in form.fields[0].value


async def test_undo_sets_again_what_was_set_before() -> None:
    office = Office()
    await office.type("budget day 3")
    form = await office.form("budget")
    saved = await office.send(form, {"budget_day": "5", "budget_month": "50"})
    undone = await office.press(saved, "Undo")
    assert isinstance(undone, Response)
    assert undone.text.startswith(f"Undone for {channel('c')}:")
    assert {cap.usd for cap in (await office.policy()).caps.budgets} == {3.0}
    assert [entry.action for entry in (await office.audit())[-2:]] == ["undid"] * 2


async def test_undo_brings_back_the_text_of_a_prompt() -> None:
    office = Office()
    await office.type("set prompt One.")
    saved = await office.send(await office.form("prompt set"), {"prompt": "Two."})
    await office.press(saved, "Undo")
    assert await office.prompt() == "One."
    assert (await office.audit())[-1].after == "version 3"


async def test_nothing_is_undone_that_was_changed_since() -> None:
    office = Office()
    saved = await office.send(await office.form("model"), {"model": "claude-opus-5-5"})
    await office.type("model haiku", MANAGER)
    told = await office.press(saved, "Undo")
    assert isinstance(told, Response)
    assert told.text.startswith("**Not undone:** this was changed since.")
    assert f"{user('mo')} set **Model**" in told.text
    assert (await office.policy())["model"] == "claude-haiku-5-5"


@pytest.mark.parametrize(
    ("first", "last"), [("1", "2"), ("7", "7"), ("1", "999"), ("x", "1"), ("2", "1")]
)
async def test_only_one_whole_change_is_undone(first: str, last: str) -> None:
    office = Office()
    await office.type("model haiku")
    await office.type("set quiet on", MANAGER)
    told = await office.give("undo", first=first, last=last)
    assert isinstance(told, Response)
    assert "can no longer be undone" in told.text
    assert len(await office.audit()) == 2


async def test_undo_needs_the_right_where_the_change_was_made() -> None:
    office = Office()
    saved = await office.send(
        await office.form("model", where="workspace"), {"model": "claude-opus-5-5"}
    )
    told = await office.press(saved, "Undo", MANAGER)
    assert isinstance(told, Response)
    assert told.text.startswith("Sorry")


async def test_a_form_in_a_thread_is_for_the_channel_unless_another_is_chosen() -> None:
    office = Office()
    form = await office.form("model", place=THREAD)
    where = form.fields[0]
    assert (where.name, where.value) == ("where", "channel")
    assert [each.value for each in where.choices] == ["thread", "channel", "workspace"]
    await office.send(form, {"model": "claude-opus-5-5"}, place=THREAD)
    assert (await office.policy())["model"] == "claude-opus-5-5"
    chosen = {"where": "workspace", "model": "claude-haiku-5-5"}
    await office.send(await office.form("model", place=THREAD), chosen, place=THREAD)
    assert (await office.policy(WORKSPACE))["model"] == "claude-haiku-5-5"
    form = await office.form("model", MANAGER, place=THREAD)
    assert [each.value for each in form.fields[0].choices] == ["thread", "channel"]
    told = await office.send(form, chosen, MANAGER, place=THREAD)
    assert told.text.startswith("Sorry")
    explicit = await office.form("model", place=THREAD, where="thread")
    assert [each.name for each in explicit.fields] == ["model"]


async def test_a_clash_is_found_in_the_place_that_was_chosen() -> None:
    office = Office()
    form = await office.form("model", place=THREAD)
    await office.type("model haiku workspace", OWNER)
    chosen = {"where": "workspace", "model": "claude-opus-5-5"}
    told = await office.send(form, chosen, place=THREAD)
    assert "Not saved" in told.text


async def test_a_change_says_what_the_past_would_have_cost() -> None:
    office = Office()
    charge = Charge(CHANNEL, "max", "answer", "claude-sonnet-5-5")
    number = await office.store.open_charge(charge, NO_LIMITS, NOON)
    assert isinstance(number, int)
    used = Usage(input=100_000, output=50_000)
    await office.store.close_charge(number, used, 0.7, NOON)
    told = await office.type("model opus")
    assert "Your last answer here would have cost about $1.40 with this model" in told
    assert "between $0.04 and $0.70" in await office.type("model auto")
    assert "can't be known" in await office.type("set effort high")
    assert "would have added $0.01" in await office.type("set web_search on")
    assert "Your last" not in await office.type("set quiet on")
    assert "triaged here" not in await office.type("set auto_triage on")
    # Nobody else's past, and none that is long ago.
    elsewhere = Scope("fake", "w", "other")
    assert "Your last" not in await office.type("model haiku", place=elsewhere)
    office.now += 31 * 86400.0
    assert "Your last" not in await office.type("model haiku")


async def test_a_past_that_cannot_be_read_keeps_nothing_from_being_saved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fails(*given: object) -> list[PastCall]:
        raise StorageError("the disk is gone")

    office = Office()
    monkeypatch.setattr(office.store, "past_calls", fails)
    monkeypatch.setattr(office.store, "balance", fails)
    assert "Saved" in await office.type("model opus")
    assert "Spent" not in (await office.form("budget")).about
