"""Installation and removal of the app in several workspaces on one server."""

from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient
from yarl import URL

from tests.emulators.slack import scopes
from tests.emulators.slack.calls import Refused
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.oauth import CODE_VALID, TOKEN_VALID, Org
from tests.emulators.slack_app import App, Clock, refusal

REDIRECT = "https://app.example/slack/oauth_redirect"


@pytest.fixture
def globex(slack: SlackEmulator) -> SlackEmulator:
    """Another workspace, without the app."""
    return slack.add_team("Globex")


def address(slack: SlackEmulator, **changes: str) -> str:
    """Return the URL of the consent page."""
    query = {
        **{"client_id": slack.oauth.client_id, "scope": "chat:write,users:read"},
        **{"redirect_uri": REDIRECT, "state": "s1"},
        **changes,
    }
    return str(URL(slack.authorize_url).with_query(query))


def code(slack: SlackEmulator, place: "SlackEmulator | Org") -> str:
    return URL(slack.oauth.consent(address(slack), place)).query["code"]


async def exchange(app: App, granted: str = "", **changes: Any) -> Any:
    oauth = app.slack.oauth
    given: dict[str, Any] = {
        **{"client_id": oauth.client_id, "client_secret": oauth.client_secret},
        **({"code": granted, "redirect_uri": REDIRECT} if granted else {}),
        **changes,
    }
    return await app.web.oauth_v2_access(**given)


@pytest.fixture
def client(app: App) -> AsyncWebClient:
    """A client without a token."""
    return AsyncWebClient(
        base_url=app.slack.api_url, session=app.session, retry_handlers=[]
    )


async def test_a_workspace_is_installed_with_a_token_of_its_own(
    slack: SlackEmulator, app: App, client: AsyncWebClient, globex: SlackEmulator
) -> None:
    target = URL(slack.oauth.consent(address(slack), globex, "U1"))
    assert target.query["state"] == "s1"
    answer = await exchange(app, target.query["code"])
    assert answer["team"] == {"id": globex.team, "name": "Globex"}
    assert answer["scope"] == "chat:write,users:read"
    assert answer["authed_user"] == {"id": "U1"}
    assert not answer["is_enterprise_install"]
    me = await client.auth_test(token=answer["access_token"])
    assert me["team_id"] == globex.team != slack.team
    assert me["user_id"] == answer["bot_user_id"] == globex.bot_user


async def test_what_is_said_there_is_heard_in_its_name(
    slack: SlackEmulator, app: App, client: AsyncWebClient
) -> None:
    globex = slack.add_team("Globex", installed=True)
    channel = globex.add_channel("general")
    ts = globex.say(globex.add_user("Bob"), channel, f"{globex.mention} hello")
    await slack.until(lambda: len(app.heard) == 2)
    assert {each["team_id"] for each in app.heard} == {globex.team}
    said: dict[str, Any] = {"channel": channel, "thread_ts": ts, "text": "hi"}
    await client.chat_postMessage(token=globex.bot_token, **said)
    assert globex.thread(channel, ts)[-1].text == "hi"
    # The channel does not exist for the other token.
    error, _ = await refusal(client.chat_postMessage(token=slack.bot_token, **said))
    assert error == "channel_not_found"


async def test_the_app_hears_nothing_where_it_is_not_installed(
    slack: SlackEmulator, app: App, globex: SlackEmulator
) -> None:
    globex.say(globex.add_user("Bob"), globex.add_channel("general"), globex.mention)
    await slack.until(lambda: slack.settled)
    assert not slack.deliveries


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "wrong"}, "bad_client_secret"),
        ({"client_id": "1.1"}, "invalid_client_id"),
        ({"code": "wrong"}, "invalid_code"),
        ({"redirect_uri": "https://evil.example/"}, "bad_redirect_uri"),
    ],
)
async def test_a_code_is_good_for_who_asked_for_it(
    app: App, globex: SlackEmulator, changes: dict[str, str], error: str
) -> None:
    found, _ = await refusal(exchange(app, code(app.slack, globex), **changes))
    assert found == error


async def test_a_code_is_good_once_and_ten_minutes(
    app: App, globex: SlackEmulator, clock: Clock
) -> None:
    once, late = code(app.slack, globex), code(app.slack, globex)
    await exchange(app, once)
    assert (await refusal(exchange(app, once)))[0] == "code_already_used"
    clock.ahead += CODE_VALID + 1
    assert (await refusal(exchange(app, late)))[0] == "invalid_code"


async def test_who_cancels_is_sent_back_without_a_code(slack: SlackEmulator) -> None:
    target = slack.oauth.consent(address(slack), slack, allow=False)
    assert dict(URL(target).query) == {"error": "access_denied", "state": "s1"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"client_id": "1.1"}, "invalid_client_id"), ({"scope": ""}, "invalid_scope")],
)
def test_a_wrong_address_shows_an_error(changes: dict[str, str], error: str) -> None:
    slack = SlackEmulator()
    with pytest.raises(Refused, match=error):
        slack.oauth.consent(address(slack, **changes), slack)


async def test_a_browser_consents_by_itself(
    slack: SlackEmulator, app: App, globex: SlackEmulator
) -> None:
    slack.oauth.chosen = globex
    async with app.session.get(address(slack), allow_redirects=False) as answer:
        assert answer.status == 302
        assert answer.headers["Location"].startswith(f"{REDIRECT}?code=")


async def test_a_refresh_token_is_spent_once(
    app: App, client: AsyncWebClient, globex: SlackEmulator, clock: Clock
) -> None:
    oauth = app.slack.oauth
    oauth.rotates = True
    first = await exchange(app, code(app.slack, globex))
    assert first["expires_in"] == TOKEN_VALID
    again = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = await exchange(app, **again)
    assert (await refusal(exchange(app, **again)))[0] == "invalid_refresh_token"
    assert oauth.spent == [first["refresh_token"]] * 2
    # The old token is valid until it expires, the new one longer.
    for token in (first["access_token"], second["access_token"]):
        await client.auth_test(token=token)
    clock.ahead += TOKEN_VALID + 1
    error, _ = await refusal(client.auth_test(token=second["access_token"]))
    assert error == "token_expired"


async def test_an_organisation_has_one_token_for_all_its_workspaces(
    slack: SlackEmulator, app: App, client: AsyncWebClient
) -> None:
    acme = slack.add_org("Acme")
    north, south = (slack.add_team(name, org=acme) for name in ("North", "South"))
    everything = address(slack, scope=",".join(scopes.ALL))
    granted = URL(slack.oauth.consent(everything, acme)).query["code"]
    answer = await exchange(app, granted)
    assert answer["team"] is None
    assert answer["is_enterprise_install"]
    assert answer["enterprise"] == {"id": acme.id, "name": "Acme"}
    token = answer["access_token"]
    me = await client.auth_test(token=token)
    assert me["team_id"] == acme.id
    assert north.bot_user == south.bot_user == answer["bot_user_id"]
    channel = south.add_channel("general")
    ts = south.say(south.add_user("Sue"), channel, "hello")
    await slack.until(lambda: app.heard)
    (heard,) = app.heard
    (authorization,) = heard["authorizations"]
    assert authorization["is_enterprise_install"]
    assert authorization["enterprise_id"] == heard["enterprise_id"] == acme.id
    assert authorization["team_id"] == heard["context_team_id"] == south.team
    said: dict[str, Any] = {"channel": channel, "thread_ts": ts, "text": "hi"}
    await client.chat_postMessage(token=token, **said)
    assert south.thread(channel, ts)[-1].text == "hi"
    missing = client.usergroups_list(token=token)
    assert (await refusal(missing))[0] == "missing_argument"
    await client.usergroups_list(token=token, team_id=south.team)


async def test_removing_the_app_is_told_twice_and_ends_its_token(
    slack: SlackEmulator, app: App, client: AsyncWebClient
) -> None:
    globex = slack.add_team("Globex", installed=True)
    globex.uninstall()
    await slack.until(lambda: len(app.heard) == 2)
    revoked, removed = sorted(
        (each["event"] for each in app.heard), key=lambda event: str(event["type"])
    )[::-1]
    assert revoked["tokens"] == {"oauth": [], "bot": [globex.bot_user]}
    assert removed["type"] == "app_uninstalled"
    error, _ = await refusal(client.auth_test(token=globex.bot_token))
    assert error == "account_inactive"
    await client.auth_test(token=slack.bot_token)


async def test_the_app_can_give_its_token_up(
    slack: SlackEmulator, app: App, client: AsyncWebClient
) -> None:
    globex = slack.add_team("Globex", installed=True)
    assert (await client.auth_revoke(token=globex.bot_token))["revoked"]
    await slack.until(lambda: app.heard)
    assert app.heard[0]["event"]["type"] == "tokens_revoked"
    error, _ = await refusal(client.auth_test(token=globex.bot_token))
    assert error == "token_revoked"


async def test_each_workspace_has_rates_of_its_own(slack: SlackEmulator) -> None:
    globex = slack.add_team("Globex", installed=True)
    channel, other = slack.add_channel("general"), globex.add_channel("general")
    async with aiohttp.ClientSession() as session:
        web = AsyncWebClient(base_url=slack.api_url, session=session, retry_handlers=[])
        said: dict[str, Any] = {"token": slack.bot_token, "channel": channel}
        for _ in range(5):
            await web.chat_postMessage(text="a", **said)
        error, _ = await refusal(web.chat_postMessage(text="a", **said))
        assert error == "ratelimited"
        await web.chat_postMessage(token=globex.bot_token, channel=other, text="b")
    assert len(globex.calls_of("chat.postMessage")) == 1
