"""An unknown command gets the nearest one as a suggestion."""

import pytest

from bot.commands.suggestions import misspelt, nearest
from bot.domain.budget import Period
from bot.ui.elements import Response
from tests.support.command_harness import Office


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("budgt day 5", "budget day 5"),
        ("budget dya 5", "budget day 5"),
        ("budget 5 daily", "budget day 5"),
        ("setings", "settings"),
        ("set pong never", "set ping never"),
        ("prompt histroy", "prompt history"),
        ("prompt rolback 3", "prompt rollback 3"),
        ("usage pleasee", "usage"),
        ("prompt Be kind.", "prompt"),
        ("promt set Be kind.", "prompt set Be kind."),
        ("set budget to 5", "budget 5"),
        ("set the channel's budget to $5 a day", "budget day 5 channel"),
        ("daily budget: 5", "budget day 5"),
        ("raise the monthly budget to 200", "budget month 200"),
        ("remove the daily budget", "budget day none"),
        ("budget 5 a week", "budget"),
        ("switch to opus", "model claude-opus-5-5"),
        ("show me the settings", "settings"),
        ("triage the last 50 messages", "triage last 50"),
        ("triage this thread", "triage"),
        ("budget 5 day", "budget day 5"),
        ("budget day 5 usd", "budget day 5"),
        ("a budget day 5", ""),
        ("budget of €5,50 for each month here", "budget month 5.50"),
        ("budget day $5 per day workspace", "budget day 5 workspace"),
        ("budget day 5 000", "budget day 5000"),
        ("limit=$5 a day", "budget day 5"),
        ("set web search on", "set web_search on"),
        ("set Web-Search: on", "set web_search on"),
        ("set budget_day=7", "set budget_day 7"),
        ("set the max tokens to 4,096", "set max_tokens 4,096"),
        ("model Claude Opus 5.5 channel", "model claude-opus-5-5 channel"),
        ("make coffee", ""),
        ("", ""),
        ("x" * 200, ""),
    ],
)
def test_the_nearest_command_is_named(text: str, meant: str) -> None:
    assert nearest(text) == meant


@pytest.mark.parametrize(
    ("text", "is_command"),
    [
        ("setings", True),
        ("budgt day 5", True),
        ("promt history", True),
        ("budget day 5 usd", True),
        ("set web search on", True),
        ("model opus 5.5", True),
        ("set the budget to 5", True),
        ("budget 5 weekly", True),
        ("change the model to haiku", True),
        ("triage 50", True),
        ("show usage", True),
        ("no budget", False),
        ("raise the budget for Rome to 500", False),
        ("use opus to write this", False),
        ("change the subject", False),
        ("show me the money", False),
        ("triage these bugs for me", False),
        ("clear", False),
        ("budget of 5 a day?", False),
        ("budget 3 days in Rome for 500 euros", False),
        ("limit the answer to 5 words", False),
        ("set web search for flights", False),
        ("set a timer for 5 minutes", False),
        ("model of the world", False),
        ("settings?", False),
        ("sausage", False),
        ("news", False),
        ("shop", False),
        ("prompts for cats", False),
        ("budget travel to Rome", False),
        ("why is the sky blue", False),
        ("", False),
    ],
)
def test_a_question_is_no_misspelt_command(text: str, is_command: bool) -> None:
    assert misspelt(text) is is_command


async def test_the_nearest_command_is_a_button() -> None:
    office = Office()
    told = await office.give("unknown", text="budgt day 5")
    assert isinstance(told, Response)
    assert told.text == "I don't know that command. Did you mean `budget day 5`?"
    await office.press(told, "budget day 5")
    assert [cap.usd for cap in (await office.policy()).caps.budgets] == [5.0]
    told = await office.give("unknown", text="make coffee")
    assert isinstance(told, Response)
    assert [each.label for each in told.buttons] == ["Help"]


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("budget 5", Period.DAY),
        ("limit 5", Period.DAY),
        ("Limit $5", Period.DAY),
        ("budget daily 5", Period.DAY),
        ("budget monthly 5", Period.MONTH),
        ("limit month 5", Period.MONTH),
    ],
)
async def test_a_budget_is_understood_however_it_is_typed(
    text: str, period: Period
) -> None:
    office = Office()
    told = await office.type(text)
    [cap] = (await office.policy()).caps.budgets
    assert (cap.period, cap.usd) == (period, 5.0)
    assumed = not {"daily", "monthly", "month"} & set(text.split())
    assert ("I took that as a budget for each day" in told) is assumed


@pytest.mark.parametrize("word", ["off", "none", "Unlimited", "remove"])
async def test_a_budget_is_removed_however_it_is_typed(word: str) -> None:
    office = Office()
    await office.type("budget month 5")
    assert "`budget day none`" in await office.type(f"budget {word}")
    await office.type(f"budget month {word}")
    assert (await office.policy()).caps.budgets == ()
