"""A question that is edited after its answer can be answered again."""

import asyncio

import pytest

from bot.messages.answers import QUESTION_CHANGED
from bot.messages.commands import REPEATING, STOPPING
from bot.messages.labels import ANSWER_AGAIN
from tests.adapters.slack.conftest import Office
from tests.adapters.slack.conftest import shared_office as office
from tests.emulators.slack.ephemeral import Whisper
from tests.emulators.slack.faults import Fault
from tests.support.deep import deep_only

__all__ = ["office"]


def change(office: Office, ts: str, text: str, channel: str = "") -> None:
    """Let Alice edit her question."""
    said = f"{office.slack.mention} {text}"
    office.slack.edit(channel or office.general, ts, said)


async def offered(office: Office, ts: str) -> Whisper:
    """Wait until Alice, and nobody else, is offered a new answer in a thread."""
    await office.slack.until(lambda: office.slack.ephemerals(office.alice))
    [told] = office.slack.world.ephemeral
    assert (told.user, told.thread_ts, told.shown) == (office.alice, ts, True)
    assert (told.text, told.buttons) == (QUESTION_CHANGED, (ANSWER_AGAIN,))
    return told


@pytest.mark.parametrize(
    ("direct", "opens"),
    [(False, False), (True, True), *deep_only((False, True), (True, False))],
)
async def test_its_author_is_offered_a_new_answer_in_the_thread(
    office: Office, direct: bool, opens: bool
) -> None:
    before = [] if opens else ["Hello."]
    for answer in (*before, "Madrid.", "Paris."):
        office.model.script(answer)
    where = office.slack.open_dm(office.alice) if direct else office.general
    hello, asked = (f"{office.slack.mention} {text}" for text in ("hi", "of Spain?"))
    if opens:
        root = ts = office.slack.say(office.alice, where, asked)
    else:
        root = office.slack.say(office.alice, where, hello)
        await office.answered(root, *before, channel=where)
        ts = office.slack.say(office.alice, where, asked, thread_ts=root)
    await office.answered(root, *before, "Madrid.", channel=where)
    await office.quiet()
    change(office, ts, "of France?", where)
    told = await offered(office, root)
    office.slack.press_in(told, office.alice, ANSWER_AGAIN)
    await office.answered(root, *before, "Paris.", channel=where)
    # The offer is gone, and what stands in its place has no button.
    await office.slack.until(lambda: told.text == REPEATING)
    assert told.buttons == ()
    assert "of France?" in office.prompts()[-1]
    assert office.slack.refused == {}


async def test_a_preview_and_spaces_offer_nothing(office: Office) -> None:
    ts = office.ask("of https://example.org ?")
    await office.settled(ts)
    await office.quiet()
    preview = {"from_url": "https://example.org", "title": "Spain", "text": "sunny"}
    office.slack.preview(office.general, ts, preview)
    change(office, ts, "of  https://example.org?")
    await office.slack.until(lambda: office.slack.settled)
    assert office.slack.world.ephemeral == []
    change(office, ts, "of https://example.org and France?")
    await offered(office, ts)


async def test_many_edits_make_one_offer(office: Office) -> None:
    ts = office.ask("of Spain?")
    await office.settled(ts)
    await office.quiet()
    for number in range(10):
        change(office, ts, f"of country {number}?")
    await offered(office, ts)
    await office.slack.until(lambda: office.slack.settled)
    assert len(office.slack.world.ephemeral) == 1
    assert len(office.prompts()) == 1


async def test_an_edit_that_comes_before_its_message_counts(office: Office) -> None:
    with office.slack.feed.backwards():
        ts = office.ask("is port 80 open?")
        change(office, ts, "is port 8080 open?")
    await office.settled(ts)
    [prompt] = office.prompts()
    assert "is port 8080 open?" in prompt
    assert "port 80 " not in prompt


async def test_a_mention_that_is_taken_out_of_a_quote_is_answered(
    office: Office,
) -> None:
    said = f"&gt; {office.slack.mention} and France?"
    ts = office.slack.say(office.alice, office.general, said)
    await office.slack.until(lambda: office.slack.settled)
    assert office.prompts() == []
    change(office, ts, "and France?")
    await office.settled(ts)
    assert len(office.prompts()) == 1


async def test_the_later_of_two_edits_counts(office: Office) -> None:
    gate = asyncio.Event()
    office.model.script("Hel", gate, "lo.")
    root = office.ask("hi")
    await office.slack.until(lambda: office.replies(root))
    ts = office.ask("is port 80 open?", thread_ts=root)
    # Without a mention until it is edited.
    late = office.slack.say(office.alice, office.general, "and port 22?")
    await office.slack.until(lambda: office.slack.settled)
    with office.slack.feed.backwards():
        for text in ("is port 90 open?", "is port 8080 open?"):
            change(office, ts, text)
        for text in ("is port 23 open?", "is port 2222 open?"):
            change(office, late, text)
    await office.slack.until(lambda: office.slack.settled)
    gate.set()
    await office.settled(root, 2)
    await office.settled(late)
    asked = sorted(office.prompts()[1:], key=lambda prompt: "2222" in prompt)
    assert [each.rpartition(">is ")[2] for each in asked] == [
        "port 8080 open?</message>",
        "port 2222 open?</message>",
    ]


async def test_a_later_edit_counts_while_an_earlier_one_waits_for_names(
    office: Office,
) -> None:
    gate, names = asyncio.Event(), asyncio.Event()
    office.model.script("Hel", gate, "lo.")
    root = office.ask("hi")
    await office.slack.until(lambda: office.replies(root))
    ts = office.ask("is port 80 open?", thread_ts=root)
    await office.slack.until(lambda: office.slack.settled)
    office.slack.faults.add("users.info", Fault(wait=names))
    lookups = len(office.slack.calls_of("users.info"))
    change(office, ts, f"is port 90 open, <@{office.bob}>?")
    await office.slack.until(lambda: len(office.slack.calls_of("users.info")) > lookups)
    change(office, ts, "is port 8080 open?")
    later = office.slack.deliveries[-1]
    await office.slack.until(lambda: later.acked)
    names.set()
    await office.slack.until(lambda: office.slack.settled)
    gate.set()
    await office.settled(root, 2)
    assert office.prompts()[-1].endswith(">is port 8080 open?</message>")


async def test_a_question_that_becomes_a_command_is_one(office: Office) -> None:
    gate = asyncio.Event()
    office.model.script("Sto", gate, "p what?")
    ts = office.ask("stpo")
    await office.slack.until(lambda: office.replies(ts))
    change(office, ts, "stop")
    await office.settled(ts)
    await office.quiet()
    assert [each.text for each in office.slack.world.ephemeral] == [STOPPING]
    assert len(office.prompts()) == 1
    gate.set()


async def test_a_waiting_question_that_becomes_a_command_is_not_asked(
    office: Office,
) -> None:
    gate = asyncio.Event()
    office.model.script("Mad", gate, "rid.")
    root = office.ask("of Spain?")
    await office.slack.until(lambda: office.replies(root))
    waiting = office.ask("hlp", thread_ts=root)
    await office.slack.until(lambda: office.slack.settled)
    change(office, waiting, "help")
    await office.slack.until(lambda: office.slack.world.ephemeral)
    gate.set()
    await office.answered(root, "Madrid.")
    await office.quiet()
    assert len(office.prompts()) == 1


async def test_a_corrected_command_is_carried_out_once(office: Office) -> None:
    def told() -> list[str]:
        return [each.text for each in office.slack.world.ephemeral]

    ts = office.ask("usagee")
    await office.slack.until(told)
    change(office, ts, "usage")
    await office.slack.until(lambda: len(told()) == 2)
    office.slack.preview(office.general, ts, {"from_url": "https://example.org"})
    change(office, ts, "usage")
    await office.slack.until(lambda: office.slack.settled)
    assert len(told()) == 2
    assert office.prompts() == []
