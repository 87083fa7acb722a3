"""Retry is shown on the last answer of a thread only, Receipt on each answer."""

from adapters.slack import interactions
from bot.messages.receipts import NO_RECEIPT
from tests.adapters.slack.conftest import Office
from tests.adapters.slack.test_admin import Admins
from tests.adapters.slack.test_admin import admins as admins


def labels(office: Office, ts: str) -> list[list[str]]:
    """Return the labels of the controls below each answer of a thread."""
    return [
        [control.label for control in each.controls]
        for each in office.slack.thread(office.general, ts)
        if each.bot
    ]


async def test_retry_is_taken_off_when_the_next_answer_is_complete(
    office: Office,
) -> None:
    ts = office.ask("one")
    await office.settled(ts)
    await office.slack.until(lambda: labels(office, ts) == [["Retry", "Receipt"]])
    office.ask("two", thread_ts=ts)
    await office.settled(ts, 2)
    await office.slack.until(
        lambda: labels(office, ts) == [["Receipt"], ["Retry", "Receipt"]],
    )
    texts = office.replies(ts)
    office.ask("three", thread_ts=ts)
    three = [["Receipt"], ["Receipt"], ["Retry", "Receipt"]]
    await office.slack.until(lambda: labels(office, ts) == three)
    assert office.replies(ts)[:2] == texts
    assert office.slack.pings == []


async def test_the_receipt_of_any_answer_is_in_the_menu_of_its_message(
    admins: Admins,
) -> None:
    ts = admins.ask("one")
    await admins.settled(ts)
    admins.ask("two", thread_ts=ts)
    await admins.settled(ts, 2)
    question, first, _, second = admins.slack.thread(admins.general, ts)
    for message, read in (
        (second, "2 messages and 1 answer of mine"),
        (first, "1 message, of"),
        (question, "1 message, of"),
    ):
        ask = (admins.bob, admins.general, message.ts, interactions.RECEIPT)
        admins.slack.shortcut(*ask)
        shown = await admins.modal(admins.bob, "Receipt")
        assert read in shown.text
        admins.slack.close(admins.bob)
    other = admins.slack.say(admins.bob, admins.general, "lunch?")
    admins.slack.shortcut(admins.bob, admins.general, other, interactions.RECEIPT)
    shown = await admins.modal(admins.bob, "Receipt")
    assert shown.text == NO_RECEIPT
    # They are for one person alone.
    assert len(admins.slack.thread(admins.general, ts)) == 4
