"""When Slack fails, refuses or forgets: nothing lost, nothing doubled."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.slack.adapter import connect
from bot.errors import AccessRevoked, ConfigError, StorageFull
from storage.store import open_store
from tests.adapters.slack.conftest import Office
from tests.emulators.claude.reply import Hold
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.faults import cut, error, html, status, throttle
from tests.support.process import running, slack_env
from tests.support.scripted_model import ScriptedModel


async def test_a_post_that_was_made_but_never_confirmed_is_found_again(
    office: Office,
) -> None:
    office.slack.faults.add("chat.postMessage", cut(after=True))
    office.claude.script("Paris.")
    ts = office.ask("?")
    await office.answered(ts, "Paris.")
    assert len(office.slack.calls_of("chat.postMessage")) == 1


async def test_a_post_that_was_not_made_is_made_again(office: Office) -> None:
    office.slack.faults.add("chat.postMessage", cut(), times=2)
    office.claude.script("Paris.")
    ts = office.ask("?")
    await office.answered(ts, "Paris.")


@pytest.mark.parametrize(
    "fault",
    [status(500), status(503), html(502), html(429), cut(), cut(after=True)],
    ids=str,
)
async def test_an_edit_that_fails_is_made_again(office: Office, fault: object) -> None:
    office.slack.faults.add("chat.update", fault)  # type: ignore[arg-type]
    office.claude.script("Paris.")
    ts = office.ask("?")
    await office.slack.until(lambda: office.replies(ts) == ["Paris."], timeout=20)


async def test_a_rate_limit_is_waited_out_and_not_met_again(office: Office) -> None:
    rule = office.slack.faults.add("chat.postMessage", throttle(1), times=1)
    office.claude.script("Paris.")
    ts = office.ask("?")
    await office.answered(ts, "Paris.")
    assert rule.struck == 1
    first, second = office.slack.calls_of("chat.postMessage")[:2]
    assert second.at - first.at >= 1.0


@pytest.mark.parametrize(
    "code", ["is_archived", "channel_not_found", "message_not_found", "not_in_channel"]
)
async def test_a_thread_that_is_gone_ends_the_answer(office: Office, code: str) -> None:
    gate = asyncio.Event()
    office.claude.script(["It is Paris.", Hold(gate)])
    office.slack.faults.add("chat.postMessage", error(code))
    office.ask("?")
    await office.claude.until(lambda: office.claude.disconnects == 1)
    other = office.ask("elsewhere")
    await office.settled(other)
    assert len(office.slack.calls_of("chat.postMessage")) == 2


async def test_what_slack_cannot_render_is_shown_plainly(office: Office) -> None:
    unfit = error("invalid_blocks")
    office.slack.faults.add(
        "chat.postMessage", unfit, times=9, when=lambda call: bool(call.value("blocks"))
    )
    office.claude.script("**Paris** & <!here>.")
    ts = office.ask("?")
    await office.answered(ts, "**Paris** &amp; &lt;\u200b!here&gt;.")
    assert office.slack.pings == []


async def test_without_the_status_scope_it_works_and_asks_once(office: Office) -> None:
    office.slack.refuse_status("missing_scope")
    for text in ("one", "two"):
        await office.settled(office.ask(text))
    assert len(office.slack.calls_of("assistant.threads.setStatus")) == 1


async def test_without_names_people_are_told_apart_by_id(office: Office) -> None:
    office.slack.granted.discard("users:read")
    ts = office.ask(f"ask <@{office.bob}>")
    await office.settled(ts)
    assert f"ask @{office.bob}" in office.prompts()[0]
    assert f'author="{office.alice}"' in office.prompts()[0]


async def test_a_thread_it_may_not_read_is_answered_from_what_it_heard(
    office: Office,
) -> None:
    office.slack.granted.discard("channels:history")
    ts = office.slack.say(office.alice, office.general, "it fails")
    office.ask("why?", thread_ts=ts)
    await office.settled(ts)
    assert "why?" in office.prompts()[0]
    assert "it fails" not in office.prompts()[0]


async def test_an_app_that_slack_caps_reads_the_beginning_of_a_thread(
    tmp_path: Path,
) -> None:
    async with (
        SlackEmulator(replies_cap=15) as slack,
        open_store(tmp_path / "t.db") as store,
    ):
        channel, alice = slack.add_channel("general"), slack.add_user("Alice")
        ts = slack.say(alice, channel, "it fails")
        for number in range(40):
            slack.say(alice, channel, f"detail {number}.", thread_ts=ts)
        model = ScriptedModel()
        async with running(slack, store, model):
            slack.say(alice, channel, f"{slack.mention} why?", thread_ts=ts)
            await slack.until(
                lambda: (
                    [s.text for s in slack.thread(channel, ts) if s.bot]
                    == ["Understood."]
                )
            )
    asked = model.requests[0].messages[0].content
    assert "it fails" in asked
    assert "detail 13." in asked
    assert "detail 14." not in asked
    assert "why?" in asked


async def test_a_thread_that_one_page_holds_is_read_in_one_call(tmp_path: Path) -> None:
    async with SlackEmulator() as slack, open_store(tmp_path / "t.db") as store:
        channel, alice = slack.add_channel("general"), slack.add_user("Alice")
        ts = slack.say(alice, channel, "it fails")
        for number in range(250):
            slack.say(alice, channel, f"detail {number}.", thread_ts=ts)
        model = ScriptedModel()
        async with running(slack, store, model):
            slack.say(alice, channel, f"{slack.mention} why?", thread_ts=ts)
            await slack.until(
                lambda: (
                    [s.text for s in slack.thread(channel, ts) if s.bot]
                    == ["Understood."]
                )
            )
        assert len(slack.calls_of("conversations.replies")) == 1
    asked = model.requests[0].messages[0].content
    assert [f">detail {n}.<" in asked for n in range(250)] == [True] * 250
    assert asked.count(">it fails<") == 1


async def test_a_lost_connection_is_made_again_and_nothing_is_lost(
    office: Office,
) -> None:
    await office.slack.socket.disconnect("refresh_requested")
    ts = office.ask("hello")
    await office.settled(ts)
    assert office.slack.socket.opened >= 2


@pytest.fixture
async def bare() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator(ack_timeout=0.2, retries=(0, 0.05, 0.1)) as slack:
        yield slack


async def test_what_cannot_be_stored_is_not_acknowledged_and_comes_again(
    bare: SlackEmulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    channel, alice = bare.add_channel("general"), bare.add_user("Alice")
    async with open_store(tmp_path / "t.db") as store:
        full = FullOnce(store)
        async with running(bare, full, ScriptedModel()):  # type: ignore[arg-type]
            ts = bare.say(alice, channel, f"{bare.mention} my secret plan")
            await bare.until(
                lambda: (
                    [s.text for s in bare.thread(channel, ts) if s.bot]
                    == ["Understood."]
                )
            )
    assert full.refused >= 1
    assert "slack.not_acknowledged the disk is full" in caplog.text
    assert "secret plan" not in caplog.text


class FullOnce:
    """A store whose disk is full for the first two deliveries."""

    def __init__(self, store: object) -> None:
        self._store = store
        self.refused = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def receive(self, *arguments: object) -> object:
        if self.refused < 2:
            self.refused += 1
            raise StorageFull("the disk is full")
        return await self._store.receive(*arguments)  # type: ignore[attr-defined]


async def test_a_revoked_token_ends_it_with_a_sentence(
    bare: SlackEmulator, tmp_path: Path
) -> None:
    channel, alice = bare.add_channel("general"), bare.add_user("Alice")

    async def serve() -> None:
        async with (
            open_store(tmp_path / "t.db") as store,
            running(bare, store, ScriptedModel()) as app,
        ):
            bare.revoke()
            bare.say(alice, channel, f"{bare.mention} hello")
            await bare.until(lambda: not app.platforms.active)

    with pytest.raises(AccessRevoked, match="reinstall"):
        await asyncio.wait_for(serve(), 10)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SLACK_BOT_TOKEN": ""}, "SLACK_BOT_TOKEN is not set"),
        ({"SLACK_APP_TOKEN": ""}, "SLACK_APP_TOKEN is not set"),
        ({"SLACK_BOT_TOKEN": "xapp-1-secret"}, "SLACK_BOT_TOKEN must begin with xoxb-"),
        ({"SLACK_APP_TOKEN": "xoxb-secret"}, "SLACK_APP_TOKEN must begin with xapp-"),
        ({"SLACK_BOT_TOKEN": "xoxb-secret"}, "SLACK_BOT_TOKEN is not accepted"),
        ({"SLACK_APP_TOKEN": "xapp-secret"}, "SLACK_APP_TOKEN is not accepted"),
        ({"SLACK_API_URL": "http://127.0.0.1:1/api/"}, "Slack cannot be reached"),
        ({"SLACK_API_URL": "slack"}, "SLACK_API_URL must be a URL"),
    ],
)
async def test_a_wrong_setting_is_one_sentence_without_the_token(
    bare: SlackEmulator, change: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        async with connect({**slack_env(bare), **change}):
            pass
    assert "secret" not in str(caught.value)
    assert bare.bot_token not in str(caught.value)


async def test_socket_mode_switched_off_says_where_to_switch_it_on(
    bare: SlackEmulator,
) -> None:
    bare.socket_mode = False
    with pytest.raises(ConfigError, match="switch on Socket Mode"):
        async with connect(slack_env(bare)):
            pass


async def test_the_log_has_no_token_and_nothing_that_people_say(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await office.settled(office.ask("my secret plan"))
        # By the time that a second one is answered the first is done and logged.
        await office.settled(office.ask("my secret plan"))
    assert "turn.done" in caplog.text
    for word in ("secret plan", office.slack.bot_token, office.slack.app_token):
        assert word not in caplog.text
