"""Retry stands on the last answer of a thread only."""

from tests.adapters.slack.conftest import Office


def labels(office: Office, ts: str) -> list[list[str]]:
    """What can be pressed below each answer of a thread."""
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
        lambda: labels(office, ts) == [[], ["Retry", "Receipt"]], timeout=20
    )
    texts = office.replies(ts)
    office.ask("three", thread_ts=ts)
    await office.slack.until(
        lambda: labels(office, ts) == [[], [], ["Retry", "Receipt"]], timeout=20
    )
    assert office.replies(ts)[:2] == texts
    assert office.slack.pings == []
