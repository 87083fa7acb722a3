"""What stands beside a message's text, through the real SDKs: it is read, and it counts
as nobody's question."""

from typing import Any

from adapters.slack import interactions
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
    await office.claude.until(lambda: len(office.prompts()) == count)
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
    admins.claude.always(sorted_as())
    said = f"{slack.mention} triage last 10"
    table, _ = await below(admins, slack.say(admins.olga, admins.general, said), 2)
    assert "*2 messages sorted*" in table.text
    assert "Left out, since they have no text: 1 message." in table.text
    assert any("charged twice" in text for text in tickets(admins))


async def test_a_ticket_in_attachments_is_sorted_from_its_menu_and_by_itself(
    office: Office,
) -> None:
    office.claude.always(sorted_as())
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
    return [each.body["messages"][-1]["content"] for each in office.claude.questions]
