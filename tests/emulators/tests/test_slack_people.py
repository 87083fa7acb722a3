"""Users, commands and shortcuts, used through the SDK (A10, A13, A14)."""

from collections.abc import AsyncIterator

import pytest

from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.rates import UNLIMITED
from tests.emulators.slack_app import App, refusal


@pytest.fixture
async def slack() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator(ack_timeout=60, rates=UNLIMITED) as slack:
        yield slack


@pytest.mark.parametrize(
    ("facts", "flags"),
    [
        ({}, set()),
        ({"admin": True}, {"is_admin"}),
        # A13: is_admin is true for owners as well.
        ({"owner": True}, {"is_admin", "is_owner"}),
        ({"primary_owner": True}, {"is_admin", "is_owner", "is_primary_owner"}),
        ({"guest": True}, {"is_restricted"}),
        ({"single_channel": True}, {"is_restricted", "is_ultra_restricted"}),
        ({"team": "T0000OTHER"}, {"is_stranger"}),
    ],
)
async def test_what_people_are_is_told(
    slack: SlackEmulator, app: App, facts: dict[str, object], flags: set[str]
) -> None:
    alice = slack.add_user("Alice", **facts)
    user = (await app.web.users_info(user=alice))["user"]
    assert {name for name, value in user.items() if value is True} == flags
    assert user["team_id"] == facts.get("team", slack.team)
    assert ("is_stranger" in user) == ("team" in facts)


async def test_a_message_of_a_stranger_says_so(slack: SlackEmulator, app: App) -> None:
    bob = slack.add_user("Bob", team="T0000OTHER")
    general = slack.add_channel("general")
    slack.say(slack.add_user("Alice"), general, "among us")
    shape = (await app.web.conversations_info(channel=general))["channel"]
    assert not shape["is_ext_shared"]
    slack.say(bob, general, "hello")
    await slack.until(lambda: len(app.heard) == 2 and slack.settled)
    own, stranger = sorted(app.heard, key=lambda each: each["event"]["ts"])
    assert not own["is_ext_shared_channel"]
    assert "user_team" not in own["event"]
    assert stranger["is_ext_shared_channel"]
    assert stranger["event"]["user_team"] == "T0000OTHER"
    assert stranger["event"]["source_team"] == "T0000OTHER"
    shape = (await app.web.conversations_info(channel=general))["channel"]
    assert shape["is_ext_shared"]


async def test_strangers_use_no_commands(slack: SlackEmulator, app: App) -> None:
    bob = slack.add_user("Bob", team="T0000OTHER")
    general = slack.add_channel("general")
    ts = slack.say(bob, general, "hello")
    for use in (
        lambda: slack.command(bob, general, "/claude"),
        lambda: slack.shortcut(bob, general, ts, "settings"),
        lambda: slack.open_home(bob),
    ):
        with pytest.raises(ValueError, match="another organisation"):
            use()


async def test_a_channel_has_a_creator(slack: SlackEmulator, app: App) -> None:
    alice, bob = slack.add_user("Alice"), slack.add_user("Bob")
    general = slack.add_channel("general", members=[alice, bob], creator=bob)
    shape = (await app.web.conversations_info(channel=general))["channel"]
    assert shape["creator"] == bob


async def test_user_groups_are_listed(slack: SlackEmulator, app: App) -> None:
    alice, bob = slack.add_user("Alice"), slack.add_user("Bob")
    group = slack.add_group("Team Leads", "leads", [alice])
    old = slack.add_group("Old", "old", [bob])
    slack.groups.change(old, [bob], disabled=True)
    (listed,) = (await app.web.usergroups_list())["usergroups"]
    assert (listed["id"], listed["handle"], listed["name"]) == (
        group,
        "leads",
        "Team Leads",
    )
    assert not {"users", "user_count"} & listed.keys()
    answer = await app.web.usergroups_list(
        include_users=True, include_count=True, include_disabled=True
    )
    users = [(each["users"], each["user_count"]) for each in answer["usergroups"]]
    assert users == [([alice], 1), ([bob], 1)]
    slack.groups.change(group, [alice, bob])
    inside = await app.web.usergroups_users_list(usergroup=group)
    assert inside["users"] == [alice, bob]
    for name in ("S0", old):
        gone = app.web.usergroups_users_list(usergroup=name)
        assert (await refusal(gone))[0] == "no_such_subteam"
    general = slack.add_channel("general")
    root = slack.say(alice, general, f"<!subteam^{group}> look")
    assert slack.transcript(general, root) == "Alice: @leads look"
    slack.granted.remove("usergroups:read")
    assert (await refusal(app.web.usergroups_list()))[0] == "missing_scope"


async def test_a_direct_message_is_opened_first(slack: SlackEmulator, app: App) -> None:
    alice = slack.add_user("Alice")
    at_once = app.web.chat_postMessage(channel=alice, text="hello")
    assert (await refusal(at_once))[0] == "channel_not_found"
    answer = await app.web.conversations_open(users=alice)
    direct = answer["channel"]["id"]
    post = await app.web.chat_postMessage(channel=direct, text="hello")
    assert slack.message(direct, post["ts"]).text == "hello"
    again = await app.web.conversations_open(users=[alice])
    assert again["channel"]["id"] == direct == slack.open_dm(alice)
    gone = slack.add_user("Gone", deleted=True)
    for users, error in (
        ("U0", "user_not_found"),
        (slack.bot_user, "user_not_found"),
        (gone, "user_disabled"),
        ("", "users_list_not_supplied"),
        (f"{alice},{gone}", "missing_scope"),
    ):
        call = app.web.conversations_open(users=users)
        assert (await refusal(call))[0] == error
    slack.granted.remove("im:write")
    closed = app.web.conversations_open(users=alice)
    assert (await refusal(closed))[0] == "missing_scope"


async def test_a_command_says_who_and_where(slack: SlackEmulator, app: App) -> None:
    alice = slack.add_user("Alice")
    general = slack.add_channel("general")
    told = await app.told(slack.command(alice, general, "/claude", "prompt show"))
    assert told == {
        "token": "verification",
        "team_id": slack.team,
        "team_domain": "emulated",
        "channel_id": general,
        "channel_name": "general",
        "user_id": alice,
        "user_name": "alice",
        "command": "/claude",
        "text": "prompt show",
        "api_app_id": slack.world.app,
        "is_enterprise_install": "false",
        "trigger_id": told["trigger_id"],
        "response_url": told["response_url"],
    }
    direct = await app.told(slack.command(alice, slack.open_dm(alice), "/claude"))
    assert direct["channel_name"] == "directmessage"
    root = slack.say(alice, general, "hello")
    with pytest.raises(ValueError, match="cannot be used in threads"):
        slack.command(alice, general, "/claude", thread_ts=root)
    private = slack.add_channel("secret", kind="group")
    with pytest.raises(ValueError, match="does not see"):
        slack.command(alice, private, "/claude")


@pytest.mark.parametrize(
    ("escapes", "text"),
    [
        (True, "who <@{bob}|bob> <!subteam^{leads}|@leads> <#{general}|general> &lt;"),
        (False, "who @bob @leads #general <"),
    ],
)
async def test_mentions_in_commands_come_as_the_app_wants_them(
    slack: SlackEmulator, app: App, escapes: bool, text: str
) -> None:
    alice, bob = slack.add_user("Alice"), slack.add_user("Bob")
    general = slack.add_channel("general")
    leads = slack.add_group("Leads", "leads")
    slack.client.escapes = escapes
    typed = f"who <@{bob}> <!subteam^{leads}> <#{general}> &lt;"
    told = await app.told(slack.command(alice, general, "/claude", typed))
    assert told["text"] == text.format(bob=bob, leads=leads, general=general)


async def test_who_is_in_a_channel_comes_in_pages(
    slack: SlackEmulator, app: App
) -> None:
    """A5.1; a private channel without the app does not exist for it."""
    people = [slack.add_user(f"Person {n}") for n in range(4)]
    board = slack.add_channel("board", kind="group", members=people)
    found: list[str] = []
    cursor = ""
    while True:
        page = await app.web.conversations_members(
            channel=board, limit=2, cursor=cursor
        )
        assert len(page["members"]) <= 2
        found += page["members"]
        if not (cursor := page["response_metadata"]["next_cursor"]):
            break
    assert sorted(found) == sorted([*people, slack.bot_user])
    hidden = slack.add_channel("hidden", kind="group", joined=False, members=people)
    gone = app.web.conversations_members(channel=hidden)
    assert (await refusal(gone))[0] == "channel_not_found"


async def test_what_closes_a_channel_is_told(slack: SlackEmulator, app: App) -> None:
    """A14: frozen channels, and the people who may write in a channel besides
    admins."""
    alice = slack.add_user("Alice")
    general = slack.add_channel("general")
    shown = (await app.web.conversations_info(channel=general))["channel"]
    assert (shown["is_frozen"], "properties" in shown) == (False, False)
    slack.world.channels[general].frozen = True
    slack.world.channels[general].posters = (alice,)
    shown = (await app.web.conversations_info(channel=general))["channel"]
    assert shown["is_frozen"]
    assert shown["properties"]["posting_restricted_to"]["user"] == [alice]


async def test_a_shortcut_works_in_a_thread(slack: SlackEmulator, app: App) -> None:
    alice = slack.add_user("Alice")
    general = slack.add_channel("general")
    root = slack.say(alice, general, "hello")
    reply = slack.say(alice, general, "more", thread_ts=root)
    told = await app.told(slack.shortcut(alice, general, reply, "settings"))
    assert (told["type"], told["callback_id"]) == ("message_action", "settings")
    assert told["message_ts"] == told["message"]["ts"] == reply
    assert told["message"]["thread_ts"] == root
    assert told["channel"] == {"id": general, "name": "general"}
    assert told["user"]["id"] == alice
    assert told["team"]["id"] == slack.team
    private = slack.add_channel("secret", kind="group")
    hidden = slack.say(slack.add_user("Bob"), private, "psst")
    with pytest.raises(ValueError, match="does not see"):
        slack.shortcut(alice, private, hidden, "settings")


async def test_what_people_do_is_lost_on_an_app_that_is_away() -> None:
    async with SlackEmulator() as slack:
        alice, general = slack.add_user("Alice"), slack.add_channel("general")
        typed = slack.command(alice, general, "/claude")
        await slack.until(lambda: typed.lost)
        assert typed.attempts == []
