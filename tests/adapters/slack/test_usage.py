"""Usage in the chat: cents and answers, and tokens behind a button."""

from bot.messages.labels import DETAILS
from tests.adapters.slack.conftest import Office


async def test_tokens_are_behind_a_button(office: Office) -> None:
    office.model.script("Madrid.")
    ts = office.ask("of Spain?")
    await office.answered(ts, "Madrid.")
    office.slack.command(office.alice, office.general, "/claude", "usage")
    await office.slack.until(lambda: office.slack.ephemerals(office.alice))
    [told] = office.slack.ephemerals(office.alice)
    # As Slack wants it to be escaped.
    assert "&lt;$0.01 · 1 answer" in told.text
    assert "token" not in told.text
    assert list(told.buttons) == [DETAILS]
    office.slack.press_in(told, office.alice, DETAILS)
    # It replaces what only she sees.
    await office.slack.until(lambda: "tokens read" in told.text)
    assert "&lt;$0.01 · 1 answer, " in told.text
    assert list(told.buttons) == []
    assert office.slack.refused == {}
