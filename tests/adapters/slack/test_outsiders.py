"""Channels shared by Slack Connect, through the real SDKs."""

from bot.domain.scope import Scope
from bot.domain.setting import Change
from bot.messages.outsiders import MEMBERS_ONLY, TURNED_AWAY
from tests.adapters.slack.conftest import Office


async def test_people_of_another_organisation_are_turned_away(office: Office) -> None:
    slack = office.slack
    stan = slack.add_user("Stan", team="T99999999")
    question = f"{slack.mention} hello"
    ts = slack.say(stan, office.general, question)
    [told] = await slack.until(lambda: slack.ephemerals(stan))
    assert TURNED_AWAY.split("`")[0] in told.text
    assert office.replies(ts) == []
    [answer] = await office.settled(office.ask("hello"))
    assert MEMBERS_ONLY.split("`")[0] in answer
    # The settings of the channel say who is answered, to those who are in it.
    slack.command(office.alice, office.general, "/claude", "settings")
    [seen] = await slack.until(lambda: slack.ephemerals(office.alice))
    assert MEMBERS_ONLY.split("`")[0] in seen.text
    assert len(slack.ephemerals(stan)) == 1
    place = Scope("slack", slack.team, office.general)
    change = Change(place, "who", f"user:{stan}")
    await office.store.change_settings([change], who=office.alice, now=1.0)
    await office.settled(slack.say(stan, office.general, question))
    assert len(office.prompts()) == 2


async def test_guests_are_answered_in_channels_of_the_workspace(office: Office) -> None:
    guest = office.slack.add_user("Gus", guest=True)
    said = f"{office.slack.mention} hello"
    await office.settled(office.slack.say(guest, office.general, said))
    assert office.slack.ephemerals(guest) == []


async def test_a_look_up_that_fails_turns_away_strangers_alone(office: Office) -> None:
    office.slack.granted.discard("users:read")
    stan = office.slack.add_user("Stan", team="T99999999")
    office.slack.say(stan, office.general, f"{office.slack.mention} hello")
    await office.slack.until(lambda: office.slack.ephemerals(stan))
    await office.settled(office.ask("hello"))
    assert len(office.prompts()) == 1
