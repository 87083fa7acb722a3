"""The bot answers messages in Slack that address it, through the real SDKs."""

import asyncio

import pytest

from adapters.slack import mentions
from adapters.slack.client import Identity
from bot.domain.message import Mark, MarkKind
from bot.messages.addressing import BACK, MENTION_ME, STAYING_OUT
from bot.messages.commands import STOPPING
from tests.adapters.slack.conftest import Office
from tests.adapters.slack.conftest import shared_office as office

__all__ = ["office"]

US = Identity("T1", "Acme", "UBOT", "threadkeep", "B1", frozenset())
BOB, EMOJI = Mark(MarkKind.PERSON, "U2"), Mark(MarkKind.EMOJI)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("<@U2> look", (BOB, " look")),
        ("<@U2|bob>, <@UBOT> look", (BOB, ", ", Mark(MarkKind.BOT, "UBOT"), " look")),
        ("<!subteam^S1|@devs> a", (Mark(MarkKind.GROUP, "S1"), " a")),
        ("<!here> &lt;3", (Mark(MarkKind.EVERYONE), " <3")),
        (":+1::skin-tone-3: ok", (EMOJI, EMOJI, " ok")),
        (":承知しました: :ขอบคุณ:", (EMOJI, " ", EMOJI)),
        ("at 10:30:45 or a:b:c", ("at 10:30:45 or a:b:c",)),
        ("質問:これは:何", ("質問:これは:何",)),
        ("@bob in <#C1|general>", ("@bob in <#C1|general>",)),
        ("&gt; <@U2> said\nand you?", ("and you?",)),
        ("&gt;&gt;&gt; <@U2>\nall of it", ()),
        ("a\n&gt; b\n<@U2>", ("a\n", BOB)),
    ],
)
def test_what_people_type_is_words_and_marks(
    text: str, parts: tuple[str | Mark, ...]
) -> None:
    assert mentions.parts(text, US) == parts


SHARE = {"is_share": True, "from_url": "https://a/p1", "author_id": "U2"}
UNFURL = {"is_msg_unfurl": True, "from_url": "https://a/p1?a=1&b=2", "author_id": "U2"}


@pytest.mark.parametrize(
    ("text", "attachment", "author"),
    [
        ("see", SHARE, BOB),
        ("see", SHARE | {"author_id": "UBOT"}, Mark(MarkKind.BOT, "UBOT")),
        ("see", SHARE | {"author_id": "U7"}, None),
        ("see", SHARE | {"author_id": None}, Mark(MarkKind.PERSON)),
        ("see", UNFURL, BOB),
        ("see <https://a/p1?a=1&amp;b=2>", UNFURL, None),
        ("see", {"from_url": "https://example.com", "title": "A page"}, None),
    ],
)
def test_a_forwarded_message_has_an_author(
    text: str, attachment: dict[str, object], author: Mark | None
) -> None:
    event = {"user": "U7", "text": text, "attachments": [attachment]}
    assert mentions.answers(event, US) == author


async def test_what_people_tell_each_other_is_read_and_not_answered(
    office: Office,
) -> None:
    ts = office.ask("hello")
    await office.settled(ts)
    for text in (
        f"<@{office.bob}> is that right?",
        "<!here> lunch?",
        "Thanks!",
        ":+1:",
    ):
        office.slack.say(office.alice, office.general, text, thread_ts=ts)
    office.slack.say(office.alice, office.general, "and now?", thread_ts=ts)
    await office.settled(ts, 2)
    both = f"<@{office.bob}> and {office.slack.mention}?"
    office.slack.say(office.alice, office.general, both, thread_ts=ts)
    await office.settled(ts, 3)
    prompt = office.prompts()[1]
    assert prompt.index("is that right?") < prompt.index("Thanks!")
    assert "and now?" in prompt
    assert len(office.prompts()) == 3


async def test_it_says_why_it_did_not_answer(office: Office) -> None:
    ts = office.ask("hello")
    await office.settled(ts)
    office.slack.say(office.alice, office.general, f"<@{office.bob}> ?", thread_ts=ts)
    office.ask("why", thread_ts=ts)
    *_, told = await office.settled(ts, 2)
    assert told.startswith("I did not answer Alice's last message. It mentions Bob ")
    assert told.endswith(MENTION_ME)
    assert office.slack.pings == []
    assert len(office.prompts()) == 1


async def test_it_stays_out_until_it_is_called_back(office: Office) -> None:
    ts = office.ask("hello")
    await office.settled(ts)

    def say(text: str) -> None:
        office.slack.say(office.bob, office.general, text, thread_ts=ts)

    say("stay out")
    assert (await office.settled(ts, 2))[-1] == STAYING_OUT
    say("what is it, then?")
    office.ask("why", thread_ts=ts)
    assert (
        "Bob asked me to stay out of this thread" in (await office.settled(ts, 3))[-1]
    )
    office.ask("come back", thread_ts=ts)
    assert (await office.settled(ts, 4))[-1] == BACK
    say("and now?")
    await office.settled(ts, 5)
    assert len(office.prompts()) == 2


async def test_a_mention_added_by_an_edit_is_answered_once(office: Office) -> None:
    say, edit = office.slack.say, office.slack.edit
    ts = say(office.alice, office.general, "why is the sky blue?")
    asked = f"{office.slack.mention} why is the sky blue?"
    edit(office.general, ts, asked)
    await office.settled(ts)
    edit(office.general, ts, f"{asked} Really?")
    say(office.alice, office.general, "and now?", thread_ts=ts)
    await office.settled(ts, 2)
    assert "why is the sky blue?" in office.prompts()[0]
    assert "Really?" in str(office.model.requests[-1].messages[0])
    assert len(office.prompts()) == 2


async def test_a_mention_in_both_events_of_an_edit_is_answered_once(
    office: Office,
) -> None:
    ts = office.slack.say(office.alice, office.general, "why?")
    text = f"{office.slack.mention} why not?"
    office.slack.edit(office.general, ts, text)
    office.slack.emit(
        "app_mention",
        **{"user": office.alice, "text": text, "ts": ts, "channel": office.general},
        edited={"user": office.alice, "ts": ts},
    )
    await office.settled(ts)
    office.ask("and now?", thread_ts=ts)
    await office.settled(ts, 2)
    assert len(office.prompts()) == 2


async def test_a_preview_is_no_edit(office: Office) -> None:
    ts = office.ask("settings")
    await office.slack.until(lambda: office.slack.ephemerals(office.alice))
    message = office.slack.world.messages[office.general][ts]
    office.slack.world.edit(message, text=f"{message.text} ")
    later = office.ask("hello")
    await office.settled(later)
    assert office.replies(ts) == []
    assert len(office.slack.ephemerals(office.alice)) == 1


async def test_a_command_added_by_an_edit_is_carried_out(office: Office) -> None:
    ts = office.slack.say(office.alice, office.general, "settings")
    office.slack.edit(office.general, ts, f"{office.slack.mention} settings")
    await office.slack.until(lambda: office.slack.ephemerals(office.alice))
    assert office.prompts() == []


async def test_stop_alone_stops_the_answer(office: Office) -> None:
    office.model.script("One, two", asyncio.Event())
    ts = office.ask("count")
    await office.slack.until(lambda: "One, two" in str(office.replies(ts)))
    office.slack.say(office.alice, office.general, "Stopp!", thread_ts=ts)
    await office.slack.until(lambda: "_Stopped._" in str(office.replies(ts)))
    await office.slack.until(lambda: office.slack.ephemerals(office.alice))
    assert office.slack.ephemerals(office.alice)[-1].text == STOPPING
    assert len(office.prompts()) == 1
