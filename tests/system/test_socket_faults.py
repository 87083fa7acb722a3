"""Repeated, late, out-of-order and missing events. Each question is answered once."""

import asyncio
import random

import pytest

from storage.reading import Where
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Hold
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.socketmode import Delivery
from tests.support.deep import rounds
from tests.support.fault_harness import DiscordStage, SlackStage

WHEN = ("before", "during", "after")


@pytest.mark.parametrize("when", WHEN)
async def test_what_slack_delivers_again_is_answered_once(
    on_slack: SlackStage, when: str
) -> None:
    stage, gate = on_slack, asyncio.Event()
    stage.claude.script(["It is", Hold(gate), " Paris."])
    async with stage.played():
        thread = await stage.ask()
        await stage.until(lambda: stage.slack.deliveries)
        told = list(stage.slack.deliveries)
        if when == "before":
            again(stage, told)
        await stage.begins(thread)
        if when == "during":
            again(stage, told)
        gate.set()
        await stage.reads(thread, "It is Paris.")
        if when == "after":
            await stage.quiet()
            again(stage, told)
            await stage.quiet()
        assert stage.texts(thread) == ["It is Paris."]
    assert len(stage.claude.questions) == 1


def again(stage: SlackStage, told: list[Delivery]) -> None:
    """Let Slack deliver the same events once more."""
    for each in told:
        stage.slack.socket.deliver(each.payload)


async def test_events_of_a_thread_come_in_any_order(on_slack: SlackStage) -> None:
    stage, gate = on_slack, asyncio.Event()
    stage.claude.script([Hold(gate), "One."], "Two.")
    async with stage.played():
        thread = await stage.ask("first")
        await stage.claude.until(lambda: bool(stage.claude.questions), 10)
        with stage.slack.feed.backwards():
            for word in ("second", "third", "fourth"):
                stage.say(word, thread)
        await stage.until(lambda: stage.slack.settled)
        gate.set()
        await stage.reads(thread, "One.", "Two.")
    read = stage.claude.questions[-1].body["messages"][-1]["content"]
    words = ["second", "third", "fourth"]
    assert sorted(words, key=read.index) == words


@pytest.mark.parametrize(
    ("when", "how"),
    [("idle", "refreshed"), ("streaming", "cut")],
)
async def test_a_socket_that_goes_is_made_again_and_nothing_is_lost(
    on_slack: SlackStage, when: str, how: str
) -> None:
    stage, gate = on_slack, asyncio.Event()
    stage.claude.script(["It is", Hold(gate), " Paris."], "Rome.")
    async with stage.played():
        thread = await stage.ask()
        await stage.begins(thread)
        if when == "idle":
            gate.set()
            await stage.reads(thread, "It is Paris.")
            await stage.quiet()
        if how == "cut":
            stage.slack.socket.cut()
        else:
            await stage.slack.socket.disconnect()
        other = await stage.ask("and of Italy?")
        await stage.reads(other, "Rome.")
        gate.set()
        await stage.reads(thread, "It is Paris.")


async def test_a_socket_that_goes_before_the_acknowledgement(
    on_slack: SlackStage,
) -> None:
    stage = on_slack
    stage.claude.script("Paris.")
    async with stage.played():
        stage.slack.socket.freeze()
        thread = await stage.ask()
        await stage.until(lambda: any(d.attempts for d in stage.slack.deliveries))
        stage.slack.socket.cut()
        await stage.reads(thread, "Paris.")
    assert len(stage.claude.questions) == 1


@pytest.mark.parametrize("resumable", [True, False], ids=["resumed", "invalid"])
async def test_a_discord_session_that_goes_while_an_answer_streams(
    on_discord: DiscordStage, resumable: bool
) -> None:
    stage, gate = on_discord, asyncio.Event()
    stage.claude.script(["It is", Hold(gate), " Paris."], "Two.")
    async with stage.played():
        thread = await stage.ask()
        await stage.begins(thread)
        stage.discord.gateway.invalidate(resumable=resumable)
        stage.say("and then?", thread)
        gate.set()
        await stage.reads(thread, "It is Paris.", "Two.")


async def test_hundreds_of_events_in_a_second(
    claude: ClaudeEmulator, database: Where
) -> None:
    claude.always("Understood.")
    chance = random.Random(5)
    # A busy machine does not acknowledge all of them within a second or three, and
    # repeats that come faster than they are taken in would only grow.
    async with SlackEmulator(ack_timeout=30.0) as slack:
        stage = SlackStage(slack, claude, database)
        async with stage.played():
            thread = await stage.ask("listen")
            await stage.reads(thread, "Understood.")
            await stage.quiet()
            for number in range(count := rounds(200, 1_000)):
                where = thread if chance.random() < 0.5 else None
                note = f"note {number}"
                slack.say(stage.bob, stage.general, note, thread_ts=where)
            await stage.until(lambda: slack.settled)
            await stage.quiet()
            assert all(each.acked for each in slack.deliveries)
    said = [q.body["messages"][-1]["content"] for q in stage.claude.questions]
    # Half of them were said in its thread, and answered together.
    answered = sum(each.count("note ") for each in said)
    assert 0.4 * count < answered < 0.6 * count


async def test_a_question_of_thirty_thousand_characters(on_slack: SlackStage) -> None:
    stage = on_slack
    stage.claude.script("That is long.")
    async with stage.played():
        thread = await stage.ask("x" * 30_000)
        await stage.reads(thread, "That is long.")
    assert "x" * 30_000 in stage.claude.questions[0].body["messages"][0]["content"]
