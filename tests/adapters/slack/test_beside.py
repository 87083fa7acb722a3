"""Attachments and forwards besides a message's text are read but do not count as a
question, through the real SDKs."""

from typing import Any

import pytest

from adapters.slack import interactions
from bot.context.prompt import ADDED
from bot.domain.scope import ThreadKey
from tests.adapters.slack.conftest import Office
from tests.adapters.slack.test_admin import Admins, admins
from tests.adapters.slack.test_triage import below, put
from tests.emulators.slack.blocks import Json
from tests.support.triage_requests import sorted_as

__all__ = ["admins"]

ALERT: Json = {
    "title": "[FIRING:1] KubeJobFailed",
    "text": "Job batch-job-17 failed.",
    "fields": [{"title": "Severity", "value": "critical"}],
    "fallback": "[FIRING:1]",
}
TICKET: Json = {"title": "Ticket 88", "text": "charged twice", "fallback": "Ticket 88"}


def forward(office: Office, text: str) -> Json:
    return {"is_share": True, "author_name": "Carla", "text": text}


async def prompted(office: Office, count: int) -> str:
    """Wait until Claude was asked `count` times; return the newest prompt."""
    await office.slack.until(lambda: len(office.prompts()) == count)
    return office.prompts()[-1]


async def test_an_alert_that_begins_a_thread_is_read(office: Office) -> None:
    for asked, program in enumerate(("Alertmanager", "Webhook"), 1):
        app = office.slack.add_app(program, classic=program == "Webhook")
        ts = office.slack.say(app, office.general, "", attachments=[ALERT])
        office.ask("investigate this", thread_ts=ts)
        prompt = await prompted(office, asked)
        assert f'author="{program}"' in prompt
        assert "> Job batch-job-17 failed.\n> Severity: critical" in prompt
        assert "mentioned you without" not in prompt
    assert office.slack.refused == {}


async def test_a_forwarded_message_is_read_and_orders_nothing(office: Office) -> None:
    say = office.slack.say
    quoted = forward(office, f"{office.slack.mention} triage last 10")
    say(office.bob, office.general, "look", attachments=[quoted])
    dm = office.slack.open_dm(office.alice)
    ts = say(office.alice, dm, "", attachments=[quoted])
    await office.slack.until(lambda: office.replies(ts, dm))
    [prompt] = office.prompts()
    assert "[Forwarded message from Carla]\n> @threadkeep triage last 10" in prompt
    assert "mentioned you without" not in prompt


async def test_somebody_whom_slack_does_not_know_has_the_name_beside_it(
    office: Office,
) -> None:
    erika = office.slack.add_user("Erika", team="T9", unknown=True)
    await put(office, "who", "everyone")
    ts = office.slack.say(erika, office.general, f"{office.slack.mention} who am I?")
    await office.settled(ts)
    assert 'author="Erika"' in office.prompts()[0]
    office.ask(f"what did <@{erika}> say?", thread_ts=ts)
    await office.settled(ts, 2)
    assert "what did @Erika say?" in office.prompts()[1]


async def test_tickets_that_stand_in_attachments_are_sorted(admins: Admins) -> None:
    slack, desk = admins.slack, admins.slack.add_app("Helpdesk")
    slack.say(desk, admins.general, "", attachments=[TICKET])
    slack.say(admins.alice, admins.general, "I cannot sign in")
    slack.say(admins.alice, admins.general, "", files={"error.png": b"png"})
    admins.model.always(sorted_as())
    said = f"{slack.mention} triage last 10"
    table, _ = await below(admins, slack.say(admins.olga, admins.general, said), 2)
    assert "*2 messages sorted*" in table.text
    assert "Left out, since they have no text: 1 message." in table.text
    assert any("charged twice" in text for text in tickets(admins))


async def test_a_ticket_in_attachments_is_sorted_from_its_menu_and_by_itself(
    office: Office,
) -> None:
    office.model.always(sorted_as())
    desk = office.slack.add_app("Helpdesk")
    ts = office.slack.say(desk, office.general, "", attachments=[TICKET])
    office.slack.shortcut(office.bob, office.general, ts, interactions.TRIAGE)
    # The ticket is a program's message, too.
    await below(office, ts, 2)
    await put(office, "auto_triage", "on")
    await put(office, "bots", "on")
    ts = office.slack.say(desk, office.general, "", attachments=[TICKET])
    await office.slack.until(lambda: office.slack.message(office.general, ts).reactions)
    assert len(tickets(office)) == 2
    assert all("charged twice" in text for text in tickets(office))


def tickets(office: Office) -> list[Any]:
    return [each.messages[-1].content for each in office.model.requests]


@pytest.mark.parametrize("pair", ["message_first", "mention_first"])
async def test_both_events_of_a_mention_are_read_as_one(
    office: Office, pair: str
) -> None:
    office.slack.feed.pair = pair
    office.slack.feed.bare_mentions = True
    said, quoted = f"{office.slack.mention} deal with this", forward(office, "it broke")
    files = {"log.txt": b"log"}
    ts = office.slack.say(
        office.alice, office.general, said, attachments=[quoted], files=files
    )
    await office.settled(ts)
    await office.slack.until(lambda: office.slack.settled)
    [prompt] = office.prompts()
    assert "> it broke" in prompt
    assert "(attached: log.txt;" in prompt
    office.ask("and now?", thread_ts=ts)
    await office.settled(ts, 2)
    assert "it broke" not in office.prompts()[1]


async def test_a_file_of_which_a_mention_has_only_the_id_is_read(
    office: Office,
) -> None:
    office.slack.feed.bare_mentions = True
    # Without the scopes to read channels there is no other event.
    office.slack.feed.subscribed = {"app_mention"}
    said = f"{office.slack.mention} what is this?"
    ts = office.slack.say(
        office.alice, office.general, said, files={"log.txt": b"disk full"}
    )
    await office.settled(ts)
    [file] = office.model.requests[0].messages[0].files
    assert b"disk full" in file.data


PREVIEW: Json = {"from_url": "https://x.org/a", "title": "How it works"}


async def test_a_preview_that_comes_later_is_read_in_the_next_turn(
    office: Office,
) -> None:
    ts = office.ask("see <https://x.org/a>")
    await office.settled(ts)
    office.slack.preview(office.general, ts, PREVIEW)
    await office.slack.until(lambda: office.slack.settled)
    office.ask("so?", thread_ts=ts)
    await office.settled(ts, 2)
    first, second = office.model.requests
    # What was read stays byte for byte.
    assert second.messages[0] == first.messages[0]
    assert "[Link preview: https://x.org/a]\n> How it works" in office.prompts()[1]
    assert ADDED in office.prompts()[1]
    # Nobody edited it.
    stored = await office.store.stored_message(
        ThreadKey("slack", office.slack.team, office.general, ts), ts
    )
    assert stored is not None
    assert not stored.edited


async def test_a_program_that_updates_its_alert_is_read_as_it_is_now(
    office: Office,
) -> None:
    app = office.slack.add_app("Alertmanager")
    root = office.ask("watch this")
    await office.settled(root)
    ts = office.slack.say(
        app, office.general, "", thread_ts=root, attachments=[{"text": "FIRING"}]
    )
    await office.slack.until(lambda: office.slack.settled)
    message = office.slack.world.messages[office.general][ts]
    resolved: list[Json] = [{"text": "RESOLVED"}, {"text": "after 3 m"}]
    office.slack.world.edit(message, attachments=resolved)
    await office.slack.until(lambda: office.slack.settled)
    office.ask("and?", thread_ts=root)
    await office.slack.until(lambda: len(office.prompts()) == 2)
    assert "> RESOLVED" in office.prompts()[1]
    assert "FIRING" not in office.prompts()[1]


async def test_a_command_with_a_forward_is_a_question(office: Office) -> None:
    # Only the event that comes second has the forward.
    office.slack.feed.pair = "mention_first"
    office.slack.feed.bare_mentions = True
    said, quoted = f"{office.slack.mention} help", forward(office, "it broke")
    ts = office.slack.say(office.alice, office.general, said, attachments=[quoted])
    await office.settled(ts)
    await office.slack.until(lambda: office.slack.settled)
    assert len(office.prompts()) == 1
    assert office.slack.ephemerals(office.alice) == []


async def test_a_command_that_ran_is_no_question_when_its_other_event_comes(
    office: Office,
) -> None:
    office.slack.granted.discard("channels:history")
    ts = office.ask("help")
    await office.slack.until(lambda: office.slack.ephemerals(office.alice))
    message = office.slack.world.messages[office.general][ts]
    late = {**office.slack.world.json(message), "channel": office.general}
    office.slack.emit(**late | {"kind": late.pop("type"), "attachments": [PREVIEW]})
    await office.slack.until(lambda: office.slack.settled)
    assert await office.store.list_threads("slack", office.general) == []
