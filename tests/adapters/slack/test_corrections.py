"""Claude's history follows the edits and deletions of people in Slack."""

import asyncio

from tests.adapters.slack.conftest import Office
from tests.adapters.slack.conftest import shared_office as office

__all__ = ["office"]


async def test_an_edited_message_is_read_as_it_is_now(office: Office) -> None:
    ts = office.ask("the port is 80")
    await office.settled(ts)
    office.slack.edit(office.general, ts, f"{office.slack.mention} the port is 8080")
    await office.slack.until(lambda: office.slack.settled)
    office.slack.say(office.bob, office.general, "which port?", thread_ts=ts)
    await office.settled(ts, 2)
    first = office.model.requests[-1].messages[0].content
    assert ">the port is 8080<" in first
    assert len(office.prompts()) == 2


async def test_deleted_messages_are_read_no_more(office: Office) -> None:
    office.model.always("Ok.")
    root = office.ask("my password is hunter1")
    await office.settled(root)
    said = office.slack.say(office.bob, office.general, "mine: hunter2", thread_ts=root)
    await office.settled(root, 2)
    # One with replies leaves a stone, the other nothing.
    office.slack.delete(office.general, root)
    office.slack.delete(office.general, said)
    await office.slack.until(lambda: office.slack.settled)
    office.slack.say(office.bob, office.general, "and now?", thread_ts=root)
    await office.settled(root, 3)
    assert "hunter" not in str(office.model.requests[-1].messages)


async def test_a_question_deleted_before_its_answer_begins_is_not_answered(
    office: Office,
) -> None:
    gate = asyncio.Event()
    office.model.script("One", gate, ".")
    office.model.script("Two.")
    ts = office.ask("first")
    await office.answered(ts, "One …")
    second = office.slack.say(office.bob, office.general, "second", thread_ts=ts)
    await office.slack.until(lambda: office.slack.settled)
    office.slack.delete(office.general, second)
    await office.slack.until(lambda: office.slack.settled)
    gate.set()
    await office.answered(ts, "One.")
    office.slack.say(office.bob, office.general, "third", thread_ts=ts)
    await office.answered(ts, "One.", "Two.")
    assert "second" not in str(office.model.requests[-1].messages)
