"""The pages on which people install the app, and their error messages."""

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator

import pytest
from yarl import URL

from adapters.slack import installing
from adapters.slack.check import check
from adapters.slack.config import SlackConfig
from adapters.slack.installing import INSTALL, REDIRECT
from adapters.slack.refusal_log import MOST_REASONS
from bot.cli.sealing import open_sealer
from bot.domain.finding import Grade
from bot.domain.served_workspaces import Served
from bot.errors import ConfigError
from bot.messages import check as check_messages
from bot.messages import config as config_messages
from bot.messages import slack_install as texts
from tests.emulators.slack import rates
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.faults import ALWAYS, status
from tests.support.memory_store import MemoryStore
from tests.support.process import OPERATOR
from tests.support.scripted_model import ScriptedModel
from tests.support.slack_house import KEY, Browser, House, house, oauth_env


@pytest.fixture
async def slack() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator(rates=rates.UNLIMITED, ack_timeout=60) as slack:
        yield slack


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def here(slack: SlackEmulator, store: MemoryStore) -> AsyncIterator[House]:
    async with house(slack, store, ScriptedModel()) as here:
        yield here


def shows(page: str, text: str) -> bool:
    """Return whether a page shows `text`, which may hold an apostrophe."""
    return text.replace("'", "&#x27;") in page


async def test_the_first_page_leads_to_slack_and_asks_for_what_the_manifest_lists(
    here: House, slack: SlackEmulator
) -> None:
    address = URL(await Browser(here).start())
    assert str(address).startswith(slack.authorize_url)
    asked = set(address.query["scope"].split(","))
    assert {"chat:write", "commands", "files:write", "usergroups:read"} < asked
    assert address.query["user_scope"] == ""


async def test_who_consents_has_it(here: House, slack: SlackEmulator) -> None:
    globex = slack.add_team("Globex & Sons")
    status, page = await Browser(here).install(globex, "U1")
    assert status == 200
    assert shows(page, "Globex &amp; Sons can use Threadkeep now.")
    assert f"slack://app?team={globex.team}&amp;id={globex.world.app}" in page
    (row,) = await here.store.installations("slack")
    assert (row.name, row.installed_by) == ("Globex & Sons", "U1")
    assert (row.user, row.bot) == (globex.bot_user, globex.bot_id)


async def test_who_cancels_is_told_that_nothing_happened(here: House) -> None:
    status, page = await Browser(here).install(here.slack, allow=False)
    assert status == 200
    assert shows(page, texts.CANCELLED)
    assert await here.store.installations("slack") == []


async def test_a_way_back_is_good_once(here: House, slack: SlackEmulator) -> None:
    browser = Browser(here)
    back = slack.oauth.consent(await browser.start(), slack)
    assert (await browser.open(back))[0] == 200
    status, page = await browser.open(back)
    assert status == 400
    assert shows(page, texts.USED_STATE)


async def test_a_way_back_is_good_for_ten_minutes(
    here: House, slack: SlackEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser(here)
    back = slack.oauth.consent(await browser.start(), slack)
    later = time.time() + installing.STATE_VALID + 1
    monkeypatch.setattr(time, "time", lambda: later)
    status, page = await browser.open(back)
    assert status == 400
    assert shows(page, texts.USED_STATE)


async def test_a_way_back_is_good_in_the_browser_that_began(
    here: House, slack: SlackEmulator
) -> None:
    """Or else people could be lured into installing for somebody else."""
    mine, theirs = Browser(here), Browser(here)
    back = slack.oauth.consent(await mine.start(), slack)
    await theirs.start()
    for browser in (theirs, Browser(here)):
        status, page = await browser.open(back)
        assert status == 400
        assert shows(page, texts.FOREIGN_STATE)
    assert await here.store.installations("slack") == []
    # It is not spent by that.
    assert (await mine.open(back))[0] == 200


async def test_a_state_that_nobody_issued_is_refused(here: House) -> None:
    browser = Browser(here)
    browser.cookie = "slack-app-oauth-state=made-up"
    status, page = await browser.open(f"{REDIRECT}?code=1&state=made-up")
    assert status == 400
    assert shows(page, texts.USED_STATE)


async def test_forged_ways_back_fill_no_log(
    here: House, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3 * MOST_REASONS):
        await Browser(here).open(f"{REDIRECT}?state=x&code=1")
        await Browser(here).open(f"{REDIRECT}?error=word{number}")
    assert caplog.text.count("slack.not_installed") <= MOST_REASONS + 1


async def test_who_only_looks_whether_the_page_exists_begins_nothing(
    here: House, store: MemoryStore
) -> None:
    async with here.session.head(f"{here.address}{INSTALL}") as answer:
        assert answer.status == 200
        assert "Set-Cookie" not in answer.headers
    (count,) = store.db.execute("SELECT count(*) FROM install_states").fetchone()
    assert count == 0


async def test_a_code_is_good_once(here: House, slack: SlackEmulator) -> None:
    first, second = Browser(here), Browser(here)
    back = URL(slack.oauth.consent(await first.start(), slack))
    await first.open(str(back))
    again = URL(slack.oauth.consent(await second.start(), slack))
    used = again.update_query(code=back.query["code"])
    status, page = await second.open(str(used))
    assert status == 400
    assert shows(page, texts.USED_CODE)


async def test_an_incomplete_answer_is_refused(
    here: House, slack: SlackEmulator
) -> None:
    browser = Browser(here)
    back = URL(slack.oauth.consent(await browser.start(), slack))
    status, page = await browser.open(str(back.without_query_params("code")))
    assert status == 400
    assert shows(page, texts.NO_CODE)


@pytest.mark.parametrize(
    ("error", "shown"),
    [("invalid_scope_requested", "(invalid_scope_requested)"), ("<script>", "(?)")],
)
async def test_slacks_word_for_a_failure_is_shown_as_far_as_it_is_one(
    here: House, error: str, shown: str
) -> None:
    address = URL(REDIRECT).with_query(error=error)
    status, page = await Browser(here).open(str(address))
    assert status == 400
    assert shown in page
    assert "<script>" not in page


async def test_a_wrong_secret_is_the_operators_to_correct(
    here: House, slack: SlackEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    slack.oauth.client_secret = "changedmeanwhile"
    status, page = await Browser(here).install(slack)
    assert status == 400
    assert shows(page, texts.OPERATOR)
    await here.until(lambda: "Slack does not accept SLACK_CLIENT_ID" in caplog.text)
    assert "changedmeanwhile" not in caplog.text
    assert "emulated-code" not in caplog.text


async def test_when_slack_is_away_one_starts_again(
    here: House, slack: SlackEmulator
) -> None:
    slack.faults.add("oauth.v2.access", status(503), times=ALWAYS)
    found, page = await Browser(here).install(slack)
    assert found == 400
    assert shows(page, texts.UNREACHABLE)
    slack.faults.clear()
    assert (await Browser(here).install(slack))[0] == 200


async def test_a_workspace_that_is_not_served_gets_its_token_back(
    slack: SlackEmulator, store: MemoryStore
) -> None:
    globex = slack.add_team("Globex")
    operator = OPERATOR.__class__(
        {}, secret="", admins=frozenset(), served=Served(frozenset({"slack:T0OTHER"}))
    )
    async with house(slack, store, ScriptedModel(), operator=operator) as here:
        status, page = await Browser(here).install(globex)
        assert status == 400
        assert shows(page, texts.NOT_SERVED)
        assert globex.calls_of("auth.revoke")[0].outcome == "ok"
        assert await store.installations("slack") == []


async def test_two_who_install_at_once_both_succeed_and_the_token_is_good(
    here: House, slack: SlackEmulator
) -> None:
    """The later answer of Slack ends the token of the earlier."""
    globex = slack.add_team("Globex")
    browsers = [Browser(here) for _ in range(4)]
    backs = [slack.oauth.consent(await browser.start(), globex) for browser in browsers]
    pages = await asyncio.gather(
        *(b.open(back) for b, back in zip(browsers, backs, strict=True))
    )
    assert [status for status, _ in pages] == [200] * 4
    workspaces = here.adapter._workspaces
    there = await workspaces.get(globex.team)
    await there.client.call("users.info", user=globex.add_user("Pat"))
    assert there.client.web.token == globex.bot_token


async def test_pages_load_nothing_and_are_not_kept(here: House) -> None:
    async with here.session.get(f"{here.address}/slack/install") as answer:
        headers = answer.headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "httponly" in headers["Set-Cookie"].lower()
    assert "secure" in headers["Set-Cookie"].lower()
    async with here.session.get(f"{here.address}/healthz") as answer:
        assert answer.status == 200


async def test_only_a_digest_of_a_state_is_stored(
    here: House, store: MemoryStore
) -> None:
    address = URL(await Browser(here).start())
    rows = "\n".join(store.db.conn.iterdump())
    assert address.query["state"] not in rows
    assert "install_states" in rows


@pytest.mark.parametrize(
    ("secret", "grade", "text"),
    [
        ("", Grade.GOOD, check_messages.INSTALLABLE),
        ("changedmeanwhile", Grade.BAD, "Slack does not accept SLACK_CLIENT_ID"),
    ],
)
async def test_a_check_asks_slack_whether_it_accepts_the_app(
    slack: SlackEmulator, secret: str, grade: Grade, text: str
) -> None:
    env = oauth_env(slack)
    slack.oauth.client_secret = secret or slack.oauth.client_secret
    found = {each.subject: each for each in await check(env)}
    tried = found[check_messages.SLACK_INSTALLATION]
    assert tried.grade is grade
    assert text in tried.text
    assert found[check_messages.SLACK_APP_TOKEN].grade is Grade.GOOD
    assert found[check_messages.SLACK_HTTP].grade is Grade.GOOD
    assert slack.calls_of("auth.test") == []


WHOLE = {
    **{"SLACK_APP_TOKEN": "xapp-1", "SLACK_CLIENT_ID": "1111.2222"},
    **{"SLACK_CLIENT_SECRET": "0123456789abcdef", "THREADKEEP_KEYS": "set"},
}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, config_messages.SLACK_TOKEN_AND_OAUTH),
        ({"SLACK_CLIENT_SECRET": ""}, config_messages.SLACK_OAUTH_HALF),
        ({"SLACK_CLIENT_ID": ""}, config_messages.SLACK_OAUTH_HALF),
        ({"THREADKEEP_KEYS": ""}, config_messages.NO_KEYS),
        ({"SLACK_CLIENT_ID": "one"}, "SLACK_CLIENT_ID must be two numbers"),
        ({"SLACK_CLIENT_SECRET": "xoxb-1"}, "SLACK_CLIENT_SECRET is not a client"),
        ({"SLACK_REDIRECT_URL": "mailto:x"}, "SLACK_REDIRECT_URL"),
        (
            {
                **{"SLACK_CLIENT_ID": "", "SLACK_CLIENT_SECRET": ""},
                **{"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_REDIRECT_URL": "https://x/"},
            },
            config_messages.SLACK_REDIRECT_ALONE,
        ),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, str], text: str) -> None:
    assert SlackConfig.from_env(WHOLE).is_distributed
    with pytest.raises(ConfigError, match=re.escape(text)):
        SlackConfig.from_env({**WHOLE, **changes})


def test_without_cryptography_a_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "storage.encryption", None)
    with pytest.raises(ConfigError, match=re.escape(config_messages.NO_CRYPTOGRAPHY)):
        open_sealer([KEY])
    with pytest.raises(ConfigError, match="keys new"):
        open_sealer([])


async def test_a_flood_of_beginnings_is_refused_and_stored_no_more(
    here: House, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "MOST_BEGUN", 3)
    answers = [await Browser(here).open() for _ in range(5)]
    assert [status for status, _ in answers] == [200, 200, 200, 429, 429]
    assert shows(answers[-1][1], texts.MANY)
    assert store.db.table("install_states").count == 3


async def test_a_name_is_kept_on_one_line(here: House, slack: SlackEmulator) -> None:
    evil = slack.add_team("Acme\nERROR\x1b[31m all is lost\x00" + "x" * 200)
    assert (await Browser(here).install(evil))[0] == 200
    (row,) = await here.store.installations("slack")
    assert row.name.startswith("Acme ERROR [31m all is lost xx")
    assert len(row.name) == installing.MOST_NAME
