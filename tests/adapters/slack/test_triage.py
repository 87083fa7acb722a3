"""Triage of messages in Slack, through the real SDKs, as people in the channel see
it."""

import asyncio
import csv
import io

import pytest

from adapters.slack import interactions
from bot.domain.scope import Scope
from bot.domain.setting import Change
from storage.store import DatabaseStore
from tests.adapters.slack.conftest import Office
from tests.adapters.slack.test_admin import Admins, admins
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.faults import hold, status, throttle
from tests.emulators.slack.world import Seen
from tests.support.process import running
from tests.support.scripted_model import ScriptedModel
from tests.support.triage_requests import sorted_as

__all__ = ["admins"]


async def put(office: Office, name: str, value: str) -> None:
    place = Scope("slack", office.slack.team, office.general)
    await office.store.change_settings(
        [Change(place, name, value)], who=office.alice, now=1.0
    )


async def shown(store: DatabaseStore) -> None:
    """Wait until the results of all cases were shown."""
    async with asyncio.timeout(60):
        while await store.waiting_cases(["slack"], 9):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def below(office: Office, ts: str, count: int = 1) -> list[Seen]:
    """Wait until the bot has said so much in a thread."""

    def said() -> list[Seen]:
        return [each for each in office.slack.thread(office.general, ts) if each.bot]

    await office.slack.until(lambda: len(said()) >= count)
    return said()


async def test_a_message_is_sorted_from_its_menu(office: Office) -> None:
    office.model.script(sorted_as(summary="The export <!channel> broke."))
    ts = office.slack.say(office.alice, office.general, "Export is broken!")
    office.slack.shortcut(office.bob, office.general, ts, interactions.TRIAGE)
    [shown] = await below(office, ts)
    assert shown.text == "🟠 · *bug* · *high*\nThe export &lt;!channel&gt; broke."
    assert [control.label for control in shown.controls] == [
        "Another category …",
        "Another priority …",
    ]
    assert office.slack.pings == []
    [call] = office.slack.calls_of("chat.postMessage")
    assert call.value("unfurl_links") is False


async def test_a_correction_shows_where_the_line_stands(admins: Admins) -> None:
    admins.model.script(sorted_as())
    ts = admins.slack.say(admins.alice, admins.general, "Pay me back")
    admins.slack.shortcut(admins.bob, admins.general, ts, interactions.TRIAGE)
    [shown] = await below(admins, ts)
    [menu, _] = shown.controls
    assert "billing" in menu.options
    admins.slack.choose(admins.bob, admins.general, shown.ts, menu.action, "billing")
    await admins.slack.until(
        lambda: "Corrected by" in admins.slack.message(admins.general, shown.ts).text
    )
    changed = admins.slack.message(admins.general, shown.ts)
    assert changed.text.startswith("🟠 · *billing* · *high*\nIt broke.")
    assert changed.text.endswith("_Corrected by Bob._")
    assert (admins.slack.pings, admins.slack.previews) == ([], [])
    admins.slack.press(admins.bob, admins.general, shown.ts, "Learn from this")
    whisper = await admins.whispered(admins.bob)
    assert whisper.text.startswith("Sorry, ")
    admins.slack.press(admins.olga, admins.general, shown.ts, "Learn from this")
    await admins.slack.until(
        lambda: (
            "made this an example"
            in admins.slack.message(admins.general, shown.ts).text
        )
    )
    [case] = await admins.store.examples(
        Scope("slack", admins.slack.team, admins.general)
    )
    assert (case.corrected_by, case.agreed_by) == (admins.bob, admins.olga)
    assert admins.slack.refused == {}


async def test_a_thread_is_sorted_when_somebody_says_so(office: Office) -> None:
    office.model.script(sorted_as())
    root = office.slack.say(office.alice, office.general, "Export is broken!")
    office.slack.say(office.bob, office.general, "For me, too", thread_ts=root)
    office.ask("triage", thread_ts=root)
    [shown] = await below(office, root)
    assert shown.text.startswith("🟠 · *bug*")
    [asked] = office.model.requests
    assert asked.messages[0].content == (
        "<ticket>\nAlice: Export is broken!\nBob: For me, too\n</ticket>"
    )


async def test_the_last_messages_come_as_a_table_and_a_file(admins: Admins) -> None:
    slack = admins.slack
    for n in range(5):
        slack.say(admins.alice, admins.general, f"Ticket {n}")
    for n in range(3):
        admins.model.script(sorted_as(priority="low", summary=f"Number {n}"))
    said = f"{slack.mention} triage last 3"
    ts = slack.say(admins.olga, admins.general, said)
    [table, file] = await below(admins, ts, 2)
    assert "*3 messages sorted*" in table.text
    assert "Priority: low 3." in table.text
    assert file.files == ("triage.csv",)
    [content] = slack.attached(admins.general, file.ts).values()
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [row["message"] for row in rows] == ["Ticket 2", "Ticket 3", "Ticket 4"]
    assert {row["who"] for row in rows} == {"Alice"}
    assert slack.refused == {}


async def test_a_slash_command_shows_it_to_all(admins: Admins) -> None:
    admins.slack.say(admins.alice, admins.general, "It broke")
    admins.model.script(sorted_as())
    admins.slack.command(admins.olga, admins.general, "/claude", "triage last 1")
    await admins.slack.until(
        lambda: len(admins.slack.calls_of("files.completeUploadExternal")) == 1
    )
    assert admins.slack.ephemerals(admins.olga) == []


async def test_without_the_right_to_upload_the_table_is_there(
    admins: Admins,
) -> None:
    admins.slack.granted.discard("files:write")
    admins.slack.say(admins.alice, admins.general, "It broke")
    admins.model.script(sorted_as())
    said = f"{admins.slack.mention} triage last 1"
    ts = admins.slack.say(admins.olga, admins.general, said)
    table, note = await below(admins, ts, 2)
    assert "*1 message sorted*" in table.text
    assert "`files:write`" in note.text


async def test_members_may_not_sort_a_channel(admins: Admins) -> None:
    said = f"{admins.slack.mention} triage since today"
    admins.slack.say(admins.alice, admins.general, said)
    whisper = await admins.whispered(admins.alice)
    assert whisper.text.startswith("Sorry, only admins")
    assert not admins.model.requests


async def test_each_new_message_gets_a_sign(office: Office) -> None:
    await put(office, "auto_triage", "on")
    other = office.slack.add_channel("alerts")
    await put(office, "triage_announce", f"channel:{other}")
    office.model.script(sorted_as(priority="critical", summary="All is down."))
    ts = office.slack.say(office.alice, office.general, "Nothing works!")
    await office.slack.until(
        lambda: office.slack.message(office.general, ts).reactions == ("red_circle",)
    )
    await office.slack.until(
        lambda: len(office.slack.calls_of("chat.postMessage")) == 1
    )
    [call] = office.slack.calls_of("chat.postMessage")
    assert call.value("channel") == other
    link = f"https://emulated.slack.com/archives/{office.general}/p"
    said_by = f"Posted by Alice in <#{office.general}>: <{link}{ts.replace('.', '')}>"
    [announced] = office.slack.world.messages[other].values()
    assert announced.shown.endswith(said_by)
    assert (office.slack.pings, office.slack.previews) == ([], [])
    # Nobody asked for an answer.
    assert office.slack.thread(office.general, ts)[1:] == []


@pytest.mark.parametrize("nth", [1, 2])
async def test_a_result_is_posted_once_although_the_process_ended_after_its_post(
    nth: int, store: DatabaseStore
) -> None:
    model = ScriptedModel()
    async with SlackEmulator() as slack:
        office = Office(slack, store, model)
        other = slack.add_channel("alerts")
        await put(office, "auto_triage", "on")
        await put(office, "triage_sign", "label")
        await put(office, "triage_announce", f"channel:{other}")
        model.script(sorted_as(priority="critical", summary="All is down."))
        post = slack.faults.add("chat.postMessage", hold(60.0, after=True), nth=nth)
        async with running(slack, store, model, grace=0.2):
            ts = slack.say(office.alice, office.general, "Nothing works!")
            await slack.until(lambda: len(slack.calls_of("chat.postMessage")) == nth)
        assert post.struck == 1
        async with running(slack, store, model, grace=0.2):
            await shown(store)
        assert len(office.replies(ts)) == 1
        assert len(slack.world.messages[other]) == 1


async def test_a_deleted_message_is_forgotten(office: Office) -> None:
    await put(office, "auto_triage", "on")
    office.model.script(sorted_as())
    ts = office.slack.say(office.alice, office.general, "It broke")
    await office.slack.until(lambda: office.slack.message(office.general, ts).reactions)
    assert await office.store.case(1) is not None
    office.slack.delete(office.general, ts)
    await office.slack.until(lambda: office.slack.settled)
    assert await office.store.case(1) is None


async def test_an_edited_message_is_known_as_it_is_now(office: Office) -> None:
    await put(office, "auto_triage", "on")
    office.model.script(sorted_as())
    ts = office.slack.say(office.alice, office.general, "It broke: hunter2")
    await office.slack.until(lambda: office.slack.message(office.general, ts).reactions)
    office.slack.edit(office.general, ts, "It broke")
    await office.slack.until(lambda: office.slack.settled)
    case = await office.store.case(1)
    assert case is not None
    assert case.text == "It broke"
    assert len(office.model.requests) == 1


async def test_in_a_channel_without_the_bot_the_asker_alone_sees_it(
    office: Office,
) -> None:
    office.model.script(sorted_as())
    ts = office.slack.say(office.alice, office.general, "It broke")
    office.slack.kick(office.general)
    office.slack.shortcut(office.alice, office.general, ts, interactions.TRIAGE)
    await office.slack.until(lambda: office.slack.ephemerals(office.alice))
    [whisper] = office.slack.ephemerals(office.alice)
    assert "*bug*" in whisper.text


async def test_a_result_for_all_waits_out_a_rate_limit(office: Office) -> None:
    rule = office.slack.faults.add("chat.postMessage", throttle(1), times=2)
    office.model.script(sorted_as())
    ts = office.slack.say(office.alice, office.general, "Export is broken!")
    office.slack.shortcut(office.bob, office.general, ts, interactions.TRIAGE)
    await below(office, ts)
    assert rule.struck == 2


async def test_a_result_that_cannot_be_posted_is_shown_to_the_asker(
    admins: Admins,
) -> None:
    admins.slack.faults.add("chat.postMessage", status(500))
    admins.model.script(sorted_as())
    ts = admins.slack.say(admins.alice, admins.general, "Export is broken!")
    admins.slack.shortcut(admins.bob, admins.general, ts, interactions.TRIAGE)
    await admins.slack.until(lambda: bool(admins.slack.hooks.posts))
    [post] = admins.slack.hooks.posts
    assert post.body["response_type"] == "ephemeral"
    assert admins.slack.thread(admins.general, ts)[1:] == []


async def test_a_file_below_a_deleted_root_is_not_left_at_the_top(
    admins: Admins,
) -> None:
    slack = admins.slack
    slack.say(admins.alice, admins.general, "Ticket 0")
    admins.model.script(sorted_as())
    going_on = slack.faults.hold("files.completeUploadExternal")
    ts = slack.say(admins.olga, admins.general, f"{slack.mention} triage last 1")
    [table] = await below(admins, ts)
    await slack.until(lambda: slack.calls_of("files.getUploadURLExternal"))
    slack.delete(admins.general, table.ts)
    slack.delete(admins.general, ts)
    going_on.set()
    await slack.until(lambda: slack.calls_of("files.delete"))
    await slack.until(lambda: slack.settled)
    left = slack.world.messages[admins.general].values()
    assert [each.text for each in left] == ["Ticket 0"]
