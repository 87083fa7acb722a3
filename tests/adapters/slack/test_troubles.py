"""Errors and refusals of Slack neither lose nor double anything."""

import asyncio
import logging
from collections.abc import AsyncIterator
from functools import partial
from typing import NoReturn

import pytest

from adapters.slack import interactions
from adapters.slack.adapter import connect
from adapters.slack.client import open_client
from adapters.slack.config import SlackConfig
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import Change
from bot.errors import AccessRevoked, ConfigError, StorageFull, ThreadLost
from bot.runtime import fencing
from tests.adapters.slack.conftest import Office
from tests.adapters.slack.conftest import shared_office as office
from tests.emulators.slack import table_blocks
from tests.emulators.slack.calls import Call
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.faults import ALWAYS, cut, error, html, throttle
from tests.support.deep import deep_only
from tests.support.memory_store import MemoryStore
from tests.support.process import running, slack_env
from tests.support.scripted_model import ScriptedModel
from tests.support.store_helpers import quiet
from tests.support.triage_requests import sorted_as

__all__ = ["office"]


async def test_a_post_that_was_made_but_never_confirmed_is_found_again(
    office: Office,
) -> None:
    office.slack.faults.add("chat.postMessage", cut(after=True))
    office.model.script("Paris.")
    ts = office.ask("?")
    await office.answered(ts, "Paris.")
    assert len(office.slack.calls_of("chat.postMessage")) == 1


async def test_a_post_that_was_not_made_is_made_again(office: Office) -> None:
    office.slack.faults.add("chat.postMessage", cut(), times=2)
    office.model.script("Paris.")
    ts = office.ask("?")
    await office.answered(ts, "Paris.")


@pytest.mark.parametrize(
    "fault",
    [html(502), html(429), cut(after=True)],
    ids=str,
)
async def test_an_edit_that_fails_is_made_again(office: Office, fault: object) -> None:
    office.slack.faults.add("chat.update", fault)  # type: ignore[arg-type]
    office.model.script("Paris.")
    ts = office.ask("?")
    await office.slack.until(lambda: office.replies(ts) == ["Paris."])


async def test_a_rate_limit_is_waited_out_and_not_met_again(own_office: Office) -> None:
    # Else a stream would be started meanwhile.
    own_office.slack.faults.add("chat.startStream", error("channel_type_not_supported"))
    rule = own_office.slack.faults.add("chat.postMessage", throttle(1), times=1)
    own_office.model.script("Paris.")
    ts = own_office.ask("?")
    await own_office.answered(ts, "Paris.")
    assert rule.struck == 1
    first, second = own_office.slack.calls_of("chat.postMessage")[:2]
    assert second.at - first.at >= 1.0


async def test_a_thread_that_is_gone_ends_the_answer(office: Office) -> None:
    gate = asyncio.Event()
    office.model.script("It is Paris.", gate)
    office.slack.faults.add("chat.postMessage", error("is_archived"))
    office.ask("?")
    await office.slack.until(lambda: office.model.hung_up)
    other = office.ask("elsewhere")
    await office.settled(other)
    assert len(office.slack.calls_of("chat.postMessage")) == 2


async def test_what_slack_cannot_render_is_shown_plainly(office: Office) -> None:
    unfit = error("invalid_blocks")
    office.slack.faults.add(
        "chat.postMessage", unfit, times=9, when=lambda call: bool(call.value("blocks"))
    )
    office.model.script("**Paris** & <!here>.")
    ts = office.ask("?")
    await office.answered(ts, "**Paris** &amp; &lt;\u200b!here&gt;.")
    assert office.slack.pings == []


def has_blocks(call: Call) -> bool:
    return bool(call.value("blocks"))


LONG = "\n\n".join(f"Paragraph {n}: " + "some words to read. " * 12 for n in range(34))


def words(texts: list[str]) -> list[str]:
    """Return the words of `texts`, without their layout."""
    return " ".join(texts).split()


@pytest.mark.parametrize(
    ("method", "code", "size"),
    [
        ("chat.postMessage", "invalid_blocks", 4_500),
        ("chat.update", "msg_too_long", 13_000),
        *deep_only(
            ("chat.update", "msg_blocks_too_long", 8_200),
            ("chat.postMessage", "invalid_blocks_format", 8_200),
            ("chat.update", "invalid_blocks", 13_000),
        ),
    ],
)
async def test_an_answer_whose_layout_slack_refuses_is_shown_to_its_end(
    office: Office, method: str, code: str, size: int
) -> None:
    refused = error(code)
    office.slack.faults.add(method, refused, times=ALWAYS, when=has_blocks)
    text = (LONG * 3)[:size] + " ENDTOKEN"
    half = len(text) // 2
    office.model.script(text[:half], text[half:])
    ts = office.ask("?")
    await office.slack.until(
        lambda: words(office.replies(ts)) == words([text]),
    )


async def test_one_refused_block_among_many_costs_the_others_nothing(
    office: Office,
) -> None:
    for method in ("chat.postMessage", "chat.update"):
        office.slack.faults.add(
            *(method, error("invalid_blocks")),
            times=ALWAYS,
            when=lambda call: "| bad |" in str(call.value("blocks")),
        )
    office.slack.faults.add(
        *("chat.startStream", error("invalid_blocks")),
        times=ALWAYS,
        when=lambda call: "| bad |" in str(call.value("chunks")),
    )
    table = "| a | b |\n|---|---|\n| bad | & |\n"
    office.model.script(f"{LONG}\n\n{table}\n{LONG}")
    ts = office.ask("?")
    await office.slack.until(
        lambda: words(office.replies(ts))[-500:] == words([LONG])[-500:],
    )
    seen = office.slack.world.thread(office.general, ts)[1:]
    plain = [each.text for each in seen if not each.blocks]
    assert len(plain) == 1
    assert "| bad | &amp; |" in plain[0]


def has_large_table(call: Call) -> bool:
    """Return whether a block holds a table beyond the sizes of a `table` (facts
    A5.4)."""
    lines = [
        line.strip().strip("|").split("|")
        for block in call.value("blocks") or ()
        for line in str(block.get("text")).splitlines()
        if line.startswith("|")
    ]
    cells = [cell.strip() for line in lines for cell in line]
    return (
        len(lines) > table_blocks.MOST_ROWS + 2
        or any(len(line) > table_blocks.MOST_COLUMNS for line in lines)
        or sum(map(len, cells)) > table_blocks.MOST_CHARACTERS
        or "" in cells
    )


@pytest.mark.parametrize(
    ("rows", "columns", "cell"),
    [(101, 21, "y"), (30, 3, "long " * 24), (5, 3, "")],
)
async def test_no_cell_of_a_table_that_slack_refuses_is_lost(
    office: Office, rows: int, columns: int, cell: str
) -> None:
    for method in ("chat.postMessage", "chat.update"):
        office.slack.faults.add(
            *(method, error("invalid_blocks")), times=ALWAYS, when=has_large_table
        )
    await office.show_all()
    head = f"|{' h |' * columns}\n|{'---|' * columns}\n"
    body = "".join(f"| row{n} |{f' {cell} |' * (columns - 1)}\n" for n in range(rows))
    office.model.script(f"Before.\n\n{head}{body}\nENDTOKEN")
    ts = office.ask("?")
    await office.slack.until(
        lambda: "".join(office.replies(ts)).endswith("ENDTOKEN"),
    )
    shown = "\n".join(office.replies(ts))
    labels = [line.split()[1] for line in shown.splitlines() if "| row" in line]
    assert labels == [f"row{n}" for n in range(rows)]
    assert cell == "" or shown.count(cell.strip()) >= rows * (columns - 1)


async def test_plain_text_of_signs_that_slack_escapes_is_cut_until_it_fits(
    office: Office,
) -> None:
    for method in ("chat.postMessage", "chat.update"):
        office.slack.faults.add(
            *(method, error("invalid_blocks")), times=ALWAYS, when=has_blocks
        )
    office.model.script("> `a` & b\n", "&" * 5_000, "END")
    ts = office.ask("?")
    await office.slack.until(
        lambda: "".join(office.replies(ts)).endswith("END"),
    )
    shown = "".join(office.replies(ts))
    assert shown.count("&amp;") == 5_001
    # A quote with code in it would have Slack show nothing at all.
    assert shown.startswith("\u200b&gt; `a`")


async def test_an_answer_that_slack_refuses_in_any_form_ends(office: Office) -> None:
    office.slack.faults.add(
        "chat.postMessage",
        error("invalid_blocks"),
        times=ALWAYS,
        when=lambda call: "no way" in str(call.arguments),
    )
    office.model.script("no way")
    office.model.script("Yes.")
    office.ask("?")
    await office.slack.until(lambda: len(office.model.requests) == 1)
    other = office.ask("?")
    await office.answered(other, "Yes.")


async def test_what_a_command_says_is_shown_if_its_blocks_are_refused(
    office: Office,
) -> None:
    refused = error("invalid_blocks")
    for method in ("chat.postMessage", "chat.postEphemeral"):
        office.slack.faults.add(method, refused, times=ALWAYS, when=has_blocks)
    office.ask("help")
    await office.slack.until(lambda: office.slack.ephemerals(office.alice))
    await office.slack.until(lambda: office.slack.settled)
    told = "\n".join(each.text for each in office.slack.ephemerals(office.alice))
    assert "Mention me with a question" in told
    assert "*help*: How to talk" in told


async def test_a_result_is_posted_if_its_blocks_are_refused(office: Office) -> None:
    office.slack.faults.add(
        "chat.postMessage", error("invalid_blocks"), times=ALWAYS, when=has_blocks
    )
    office.model.script(sorted_as(summary="The export broke."))
    ts = office.slack.say(office.alice, office.general, "Export is broken!")
    office.slack.shortcut(office.bob, office.general, ts, interactions.TRIAGE)
    await office.answered(ts, "🟠 · *bug* · *high*\nThe export broke.")


async def test_a_response_is_shown_if_its_blocks_are_refused(
    own_office: Office,
) -> None:
    own_office.slack.hooks.refuses.add("bug")
    own_office.slack.faults.add(
        "chat.postMessage", error("not_in_channel"), times=ALWAYS
    )
    own_office.model.script(sorted_as(summary="The export broke."))
    ts = own_office.slack.say(own_office.alice, own_office.general, "Export is broken!")
    own_office.slack.shortcut(
        own_office.bob, own_office.general, ts, interactions.TRIAGE
    )
    await own_office.slack.until(lambda: own_office.slack.ephemerals(own_office.bob))
    [told] = own_office.slack.ephemerals(own_office.bob)
    assert "The export broke." in told.text


async def test_without_the_status_scope_it_works_and_asks_once(
    own_office: Office,
) -> None:
    own_office.slack.refuse_status("missing_scope")
    for text in ("one", "two"):
        await own_office.settled(own_office.ask(text))
    assert len(own_office.slack.calls_of("assistant.threads.setStatus")) == 1


async def test_without_names_people_are_told_apart_by_id(own_office: Office) -> None:
    own_office.slack.granted.discard("users:read")
    ts = own_office.ask(f"ask <@{own_office.bob}>")
    await own_office.settled(ts)
    assert f"ask @{own_office.bob}" in own_office.prompts()[0]
    assert f'author="{own_office.alice}"' in own_office.prompts()[0]


async def test_a_thread_it_may_not_read_is_answered_from_what_it_heard(
    own_office: Office,
) -> None:
    own_office.slack.granted.discard("channels:history")
    ts = own_office.slack.say(own_office.alice, own_office.general, "it fails")
    own_office.ask("why?", thread_ts=ts)
    await own_office.settled(ts)
    assert "why?" in own_office.prompts()[0]
    assert "it fails" not in own_office.prompts()[0]


async def test_a_lost_connection_is_made_again_and_nothing_is_lost(
    own_office: Office,
) -> None:
    await own_office.slack.socket.disconnect("refresh_requested")
    ts = own_office.ask("hello")
    await own_office.settled(ts)
    assert own_office.slack.socket.opened >= 2


@pytest.fixture
async def bare() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator(ack_timeout=0.2, retries=(0, 0.05, 0.1)) as slack:
        yield slack


async def test_what_cannot_be_stored_is_not_acknowledged_and_comes_again(
    bare: SlackEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    channel, alice = bare.add_channel("general"), bare.add_user("Alice")
    store = MemoryStore()
    full = FullOnce(store)
    async with running(bare, full, ScriptedModel()):  # type: ignore[arg-type]
        ts = bare.say(alice, channel, f"{bare.mention} my secret plan")
        await bare.until(
            lambda: (
                [s.text for s in bare.thread(channel, ts) if s.bot] == ["Understood."]
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

    async def receive(self, *arguments: object, **more: object) -> object:
        if self.refused < 2:
            self.refused += 1
            raise StorageFull("the disk is full")
        return await self._store.receive(*arguments, **more)  # type: ignore[attr-defined]


class FullForRatings(MemoryStore):
    """A store whose disk is full when somebody rates an answer."""

    async def record_feedback(
        self, thread: ThreadKey, turn: str, good: bool
    ) -> NoReturn:
        raise StorageFull("the disk is full")


async def test_what_cannot_be_noted_is_said(bare: SlackEmulator) -> None:
    channel, alice = bare.add_channel("general"), bare.add_user("Alice")
    store = FullForRatings()
    here = Scope("slack", bare.team, channel)
    await store.change_settings([Change(here, "feedback", "on")], who=alice, now=1.0)
    async with running(bare, store, ScriptedModel()):
        ts = bare.say(alice, channel, f"{bare.mention} hello")
        await bare.until(lambda: [e for e in bare.thread(channel, ts) if e.bot])
        await quiet(store)
        [reply] = [each for each in bare.thread(channel, ts) if each.bot]
        bare.press_feedback(alice, channel, reply.ts, True)
        await bare.until(lambda: bare.ephemerals(alice))
    [told] = bare.ephemerals(alice)
    assert (told.text, told.thread_ts) == (StorageFull.user_text, ts)


async def test_a_revoked_token_ends_it_with_a_sentence(
    bare: SlackEmulator,
) -> None:
    channel, alice = bare.add_channel("general"), bare.add_user("Alice")

    async def serve() -> None:
        store = MemoryStore()
        async with (
            running(bare, store, ScriptedModel()) as app,
        ):
            bare.revoke()
            bare.say(alice, channel, f"{bare.mention} hello")
            await bare.until(lambda: not app.platforms.active)

    with pytest.raises(AccessRevoked, match="reinstall"):
        await asyncio.wait_for(serve(), 60)


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


async def test_a_call_that_may_not_be_made_any_more_is_not_made() -> None:
    async def lost() -> None:
        raise ThreadLost("another process answers")

    async with SlackEmulator() as slack:
        channel = slack.add_channel("general")
        async with open_client(SlackConfig.from_env(slack_env(slack))) as client:
            post = partial(client.call, "chat.postMessage", channel=channel)
            with fencing.checked_by(lost), pytest.raises(ThreadLost):
                await post(text="late")
            await post(text="hello")
        assert len(slack.calls_of("chat.postMessage")) == 1
