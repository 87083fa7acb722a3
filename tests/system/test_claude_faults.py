"""Faults between Threadkeep and Claude: people read an error in one sentence, keep the
text so far, can ask again, and the thread continues."""

import itertools
from collections.abc import Sequence
from typing import TypeVar

import pytest

from bot.conversation import outcomes
from tests.emulators.claude.reply import (
    Abort,
    End,
    Error,
    Fail,
    Stall,
    Step,
    Stop,
)
from tests.support.deep import DEEP
from tests.support.fault_harness import DiscordStage, SlackStage, Stage

T = TypeVar("T")

HALF = "The capital of France is"
#: Steps of Claude's, and what the answer is to say of it below.
BEFORE: dict[str, tuple[Sequence[Step], str]] = {
    "401": ([Fail(401)], "operator"),
    "400": ([Fail(400)], "Please rephrase"),
    "429": ([Fail(429, headers={"retry-after": "300"})], "busy"),
    "refusal": ([Stop("refusal")], "declined"),
    "an empty answer": ([Stop("end_turn")], "empty answer"),
    "thought through": ([Stop("max_tokens")], "ran out of room"),
}
MIDWAY: dict[str, tuple[Sequence[Step], str]] = {
    "an error event": ([HALF, Error()], "was lost here"),
    "a clean end too soon": ([HALF, End()], "was lost here"),
    "a reset": ([HALF, Abort()], "was lost here"),
    "a stall": ([HALF, Stall()], "was lost here"),
    "a refusal": ([HALF, Stop("refusal")], "declined to continue"),
    "max_tokens": ([HALF, Stop("max_tokens")], "reached its length limit"),
}

PLATFORMS = ("slack", "discord")


def each_on_one(faults: Sequence[T]) -> list[tuple[str, T]]:
    """Return each of `faults` with one of the platforms in turn; with every one under
    `make deep`. What is told does not depend on the platform."""
    if DEEP:
        return list(itertools.product(PLATFORMS, faults))
    return list(zip(itertools.cycle(PLATFORMS), faults))


async def told_and_asked_again(stage: Stage, steps: Sequence[Step]) -> str:
    """Return the message where Claude takes `steps`; check that a second question is
    answered."""
    stage.claude.script(steps, "Paris.")
    async with stage.played():
        thread = await stage.ask()
        await stage.begins(thread)
        await stage.quiet()
        [text] = stage.texts(thread)
        for word in ("Error", "400", "401", "429", "Exception", "req_"):
            assert word not in text
        stage.say(mentioning(stage, "and now?"), thread)
        await stage.reads(thread, text, "Paris.")
    return text


@pytest.mark.parametrize(("stage", "fault"), each_on_one([*BEFORE]), indirect=["stage"])
async def test_without_an_answer_people_are_told_and_may_ask_again(
    stage: Stage, fault: str
) -> None:
    steps, told = BEFORE[fault]
    assert told in await told_and_asked_again(stage, steps)


@pytest.mark.parametrize(
    ("stage", "fault"),
    each_on_one([Fail(500), Fail(529), Fail(503), Abort()]),
    indirect=["stage"],
    ids=str,
)
async def test_what_may_pass_is_tried_again_unseen(stage: Stage, fault: Step) -> None:
    stage.claude.script([fault], "Paris.")
    async with stage.played():
        await stage.reads(await stage.ask(), "Paris.")


@pytest.mark.parametrize(("stage", "fault"), each_on_one([*MIDWAY]), indirect=["stage"])
async def test_in_the_middle_what_came_is_kept_and_marked(
    stage: Stage, fault: str
) -> None:
    steps, told = MIDWAY[fault]
    stage.silence = 1.0 if fault == "a stall" else stage.silence
    text = await told_and_asked_again(stage, steps)
    assert text.startswith(HALF)
    assert told in text
    read = [each["content"] for each in stage.claude.questions[-1].body["messages"]]
    # What was refused is read no more; what broke off is not taken for the end.
    refused = fault == "a refusal"
    assert any(HALF in each for each in read) is not refused
    assert any(outcomes.UNFINISHED in each for each in read) is (
        not refused and fault != "max_tokens"
    )


async def test_when_nobody_answers_it_is_tried_again(stage: Stage) -> None:
    # It must not give up before there is somebody.
    stage.back_off = 1.0
    stage.claude.script("Paris.")
    async with stage.played():
        await stage.claude.refuse()
        thread = await stage.ask()
        await stage.until(lambda: is_announced(stage, thread))
        await stage.claude.accept()
        await stage.reads(thread, "Paris.")


def is_announced(stage: Stage, thread: str) -> bool:
    """Return whether people see that an answer is on its way."""
    if isinstance(stage, SlackStage):
        return bool(stage.slack.status(stage.general, thread))
    assert isinstance(stage, DiscordStage)
    return bool(stage.discord.calls_of("POST", f"/channels/{thread}/typing"))


def mentioning(stage: Stage, text: str) -> str:
    """Return `text`, addressed to the bot."""
    return f"{stage.platform.mention} {text}"
