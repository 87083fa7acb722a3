"""The receipt of an answer, as a member asks for it."""

from dataclasses import replace

import pytest

from bot.app import App
from bot.commands import receipt as receipts
from bot.domain.attachment import Attachment
from bot.domain.channel_access import NOWHERE
from bot.domain.completion import Usage
from bot.domain.message import Mark, MarkKind
from bot.domain.person import Person
from bot.domain.receipt import PastRequest, ReadMessages, Receipt, TurnTimes
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import Change
from bot.domain.turn import Ended, TurnState
from bot.messages import receipts as messages
from bot.text import message_links, references
from bot.ui.elements import Command, Response
from tests.unit.conversation.test_responder import HERE, Desk

ALICE = Person("alice", "Alice")
GUEST = Person("gus", "Gus", outsider=True)
PLACE = Scope.of(HERE)
WORD = "kumquat"


async def shown(
    app: App, person: Person = ALICE, place: Scope = PLACE, **given: str
) -> str:
    """Return the receipt that `person` is shown, with ids for references."""
    verb = "receipt answer" if "turn" in given else "receipt"
    told = await app.host.commands.run(Command(verb, given), place, person)
    assert isinstance(told, Response)
    assert not told.public
    return references.plain_text(told.whole)


async def test_a_receipt_begins_with_what_matters_and_holds_no_words() -> None:
    desk = Desk()
    prompt = Change(PLACE.at(ScopeLevel.CHANNEL), "prompt", WORD, versioned=True)
    await desk.store.change_settings([prompt], who="olga", now=1.0)
    desk.model.script("One.")
    desk.model.script("Two.")
    async with desk.open() as app:
        assert await shown(app) == messages.NO_RECEIPT
        await desk.ask(f"first {WORD}")
        await desk.answered("One.")
        await desk.store.delete_messages("fake", "w", ["m001"], "c", desk.began)
        file = Attachment(f"plan`\n{'x' * 9}.pdf", size=12_345)
        asked = replace(desk.said(f"a {WORD}?", opens=False), files=(file,))
        await desk.adapter.receive(asked)
        await desk.closed(2)
        text = await shown(app)
        head = text.split("\n\n")[0].splitlines()
        assert head[1].startswith("- **Read:** 1 message and 1 answer of mine, of ")
        assert head[2] == "- **Not read:** 1 message deleted before; 1 file"
        assert head[3].startswith("- **Cost:** claude-sonnet-5-5 · ")
        for line in (
            "- alice, ",
            ": https://fake/c/m002",
            "- `plan' xxxxxxxxx.pdf` (12 KB): not read: not available",
            "- System prompt: version 1 · this channel, set by olga",
            "- Model: claude-sonnet-5-5 · by default",
            " s in the queue",
        ):
            assert line in text, line
        assert WORD not in text
        # A guest of the thread sees the same; an older answer has a number.
        assert await shown(app, GUEST) == text
        older = await shown(app, answer="2")
        assert "m001" not in older
        assert f"{messages.DELETED_SINCE}" in older
        assert await shown(app, answer="3") == messages.NO_RECEIPT
        facts = await desk.store.turn_facts(HERE)
        assert facts is not None
        assert await shown(app, turn=facts.key) == text


def test_a_receipt_says_why_the_cache_lacked_what_was_left_there() -> None:
    read = ReadMessages(1, 0, None, None, ())
    times = TurnTimes(40_000.0, 40_000.0, reserved=40_000.0, ended=40_009.0)
    now = Receipt(
        *("T1", HERE, TurnState.DELIVERED, Ended.DONE, times, 1, "m"),
        usage=Usage(cache_write_1h=1_500),
        read=read,
        before=PastRequest(7_300.0, "m", None, Usage(cache_write_1h=1_234)),
    )
    head = "The cache no longer had 1,234 tokens of the previous answer: "
    assert now.before
    for before, why in (
        (now.before, "it was sent 9 h 5 min before, and they had expired."),
        (replace(now.before, at=36_000.0), messages.expired(hours=1, minutes=7) + "."),
        (replace(now.before, model="n"), f"{messages.MODEL_CHANGED}."),
        (replace(now.before, at=39_000.0), f"{messages.NO_REASON}."),
    ):
        text = receipts.page(replace(now, before=before), {}).whole
        assert f"- {head}{why}\n" in f"{text}\n"
    for unsaid in (replace(now, before=None), replace(now, ended=None)):
        assert "no longer had" not in receipts.page(unsaid, {}).whole


def test_a_receipt_says_whether_the_api_compacted_what_its_model_read() -> None:
    times = TurnTimes(40_000.0, 40_000.0, ended=40_009.0)
    for by, line in (
        ("m", "4 messages in full (I read what the API compacted)"),
        # Another model reads the text that stands for it.
        ("n", "4 messages in full (I read a summary)"),
        ("", "4 messages in full (I read a summary)"),
    ):
        read = ReadMessages(9, 3, None, None, (), summarised=4, compacted_by=by)
        found = Receipt(
            *("T1", HERE, TurnState.DELIVERED, Ended.DONE, times, 1, "m"), read=read
        )
        assert f"- **Not read:** {line}\n" in receipts.page(found, {}).whole


async def test_only_who_reads_the_thread_now_sees_a_receipt() -> None:
    desk = Desk()
    desk.model.script("One.")
    async with desk.open() as app:
        await desk.ask("?")
        await desk.answered("One.")
        facts = await desk.store.turn_facts(HERE)
        assert facts is not None
        channel = PLACE.at(ScopeLevel.CHANNEL)
        assert await shown(app, place=channel) == messages.HERE_ONLY
        elsewhere = replace(PLACE, thread="there")
        assert await shown(app, place=elsewhere) == messages.NO_RECEIPT
        assert await shown(app, place=elsewhere, turn=facts.key) == messages.NO_RECEIPT
        desk.adapter.may["c", "alice"] = NOWHERE
        for given in ({}, {"turn": facts.key}, {"answer": "x"}):
            assert await shown(app, ALICE, PLACE, **given) == messages.NO_RECEIPT


async def test_why_offers_the_receipt_of_the_answer() -> None:
    desk = Desk()
    desk.model.script("One.")
    async with desk.open() as app:
        await desk.ask("?")
        await desk.answered("One.")
        why = replace(
            desk.said("@bot why", opens=False), parts=(Mark(MarkKind.BOT), "why")
        )
        await desk.adapter.receive(why)
        await desk.adapter.until(lambda: bool(desk.adapter.posts))
        [(_, told)] = desk.adapter.posts
        assert told.text.startswith("I answered")
        [button] = told.buttons
        turn = Command.of_line(button.command.line).arguments["turn"]
        assert "**Read:** 1 message, " in await shown(app, turn=turn)


@pytest.mark.parametrize(
    ("word", "reference"),
    [
        ("2", "2"),
        ("1795400060.000000", "1795400060.000000"),
        (
            "<https://a.slack.com/archives/C1/p1795400060000000?thread_ts=1.2&cid=C1>",
            "1795400060.000000",
        ),
        (
            "https://discord.com/channels/123/456/123456789012345678",
            "123456789012345678",
        ),
        ("please", None),
        ("12345", None),
        ("https://example.com/p1795400060000000", None),
    ],
)
def test_an_answer_is_named_by_number_or_link(word: str, reference: str | None) -> None:
    assert message_links.reference(word) == reference
