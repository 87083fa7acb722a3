"""An admin tries a draft on one question, and nobody else meets it."""

import pytest

from bot.domain.completion import Report
from bot.errors import ModelBusy
from bot.messages import answers
from bot.messages.commands import UNKNOWN_COST
from bot.text import references
from bot.ui.elements import Form, Response
from tests.support.command_harness import CHANNEL, MEMBER, WORKSPACE, Office


async def test_a_draft_answers_one_question_and_can_be_saved() -> None:
    office = Office()
    office.model.script("Arr, ", "Paris.")
    form = await office.form("prompt try")
    told = await office.send(
        form, {"prompt": "Speak like a pirate.", "question": "The capital?"}
    )
    assert "Arr, Paris." in told.text
    assert "only you see this" in told.text
    [request] = office.model.requests
    assert request.system.startswith("Speak like a pirate.")
    assert "The capital?" in request.messages[0].content
    assert await office.prompt() != "Speak like a pirate."
    assert await office.audit() == []
    saved = await office.press(told, "Save this prompt")
    assert isinstance(saved, Response)
    assert "Saved" in saved.text
    assert await office.prompt() == "Speak like a pirate."


async def test_it_can_be_written_on_at() -> None:
    office = Office()
    form = await office.form("prompt try")
    told = await office.send(form, {"prompt": "Draft.", "question": "?"})
    edited = await office.press(told, "Keep writing")
    assert isinstance(edited, Form)
    assert edited.fields[0].value == "Draft."


async def test_it_costs_what_an_answer_costs() -> None:
    office = Office()
    await office.send(
        await office.form("prompt try"), {"prompt": "Draft.", "question": "?"}
    )
    [row] = await office.store.spending(0, WORKSPACE)
    assert (row.kind, row.person, row.turns) == ("try", "olga", 1)
    assert row.cost > 0
    await office.type("budget day 0.0001")
    told = await office.send(
        await office.form("prompt try"), {"prompt": "Draft.", "question": "?"}
    )
    assert "does not cover" in told.text
    assert len(office.model.requests) == 1


async def test_under_a_budget_a_model_of_unknown_price_is_not_asked() -> None:
    office = Office(model="claude-unheard-of")
    form = await office.form("prompt try")
    fields = {"prompt": "Draft.", "question": "?"}
    assert UNKNOWN_COST in (await office.send(form, fields)).text
    await office.type("budget day 5")
    refused = await office.send(form, fields)
    assert "claude-unheard-of" in refused.text
    assert len(office.model.requests) == 1


async def test_what_is_missing_is_named_at_its_field() -> None:
    office = Office()
    form = await office.form("prompt try")
    blank = await office.send(form, {"prompt": "  ", "question": "?"})
    assert blank.field == "prompt"
    silent = await office.send(form, {"prompt": "Draft.", "question": " "})
    assert silent.field == "question"
    assert office.model.requests == []


async def test_a_member_may_not() -> None:
    office = Office()
    form = await office.form("prompt try")
    told = await office.send(form, {"prompt": "Mine.", "question": "?"}, MEMBER)
    assert told.text.startswith("Sorry")
    assert office.model.requests == []


async def test_trouble_is_told_and_the_draft_is_kept() -> None:
    office = Office()
    office.model.script(ModelBusy("busy"))
    told = await office.send(
        await office.form("prompt try"), {"prompt": "Draft.", "question": "?"}
    )
    assert ModelBusy.user_text in told.text
    await office.press(told, "Save this prompt")
    assert await office.prompt() == "Draft."


@pytest.mark.parametrize(
    ("text", "stop_reason", "note"),
    [
        ("", "refusal", answers.DECLINED),
        ("Arr, ", "refusal", answers.DECLINED_MIDWAY),
        ("Arr, ", "max_tokens", answers.TOO_LONG),
        ("", "end_turn", answers.EMPTY),
    ],
)
async def test_it_is_told_how_a_tried_answer_ended(
    text: str, stop_reason: str, note: str
) -> None:
    office = Office()
    office.model.script(text, Report("m", stop_reason=stop_reason))
    told = await office.send(
        await office.form("prompt try"), {"prompt": "Draft.", "question": "?"}
    )
    assert f"_{note}_" in told.text
    assert text.strip() in told.text


async def test_a_long_answer_comes_as_a_file_and_names_nobody() -> None:
    office = Office()
    office.model.script("Ask user:max. " * 200)
    told = await office.send(
        await office.form("prompt try", place=CHANNEL),
        {"prompt": "Draft.", "question": "?"},
    )
    assert told.file is not None
    assert references.find(told.text) == references.find(told.file.text) == []
