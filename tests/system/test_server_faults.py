"""Faults of a platform's servers: errors, HTML pages, broken and late responses, rate
limits. In the end, each answer is complete and shown once."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.emulators.claude.reply import Hold
from tests.support.deep import deep_only, share
from tests.support.fault_harness import EDIT, POST, DiscordStage, SlackStage, Stage

WHOLE = "The capital of France is, as it happens, Paris."

#: How a call may fail, before it had its effect and after that.
FAILURES: dict[str, Callable[[Any, bool], Any]] = {
    "500": lambda make, after: make.status(500, after=after),
    "502": lambda make, after: make.html(502, after=after),
    "a page": lambda make, after: make.html(200, after=after),
    "503": lambda make, after: make.status(503, after=after),
    "reset": lambda make, after: make.cut(after=after),
    "half an answer": lambda make, after: make.half(after=after),
}


def cases(what: str) -> list[tuple[str, bool]]:
    """Return how a post or an edit fails. In the short form, each failure is on one
    side of the effect of a post, and on the other of an edit: what makes them again is
    the same."""
    return [
        (failure, after)
        for number, failure in enumerate(FAILURES)
        for after in share((False, True), number + (what == EDIT), 2)
    ]


#: A call of Slack's with how it fails. In the short form, posts and edits take turns.
SLACK_CASES = [
    (what, case)
    for number, failure in enumerate(FAILURES)
    for what in share((POST, EDIT), number, 2)
    for case in cases(what)
    if case[0] == failure
]


def in_two(stage: Stage, times: int = 1) -> asyncio.Event:
    """Let Claude answer in two pieces, the second once the event is set."""
    gate = asyncio.Event()
    half, rest = "The capital of France", " is, as it happens, Paris."
    for _ in range(times):
        stage.claude.script([half, Hold(gate), rest])
    return gate


async def fail_each(stage: Stage, what: str, cases: list[tuple[str, bool]]) -> None:
    """Play each of `cases`, at once, in a thread of its own."""
    gate = in_two(stage, len(cases))
    rules = {}
    async with stage.played():
        for failure, after in cases:
            thread = await stage.ask(f"and the capital, after {failure} ({after})?")
            fault = FAILURES[failure](stage.faults, after)
            rules[thread] = stage.strike(what, fault, within=thread)
        for thread in rules:
            await stage.begins(thread)
        gate.set()
        for thread in rules:
            await stage.reads(thread, WHOLE)
    assert [rule.struck for rule in rules.values()] == [1] * len(cases)


@pytest.mark.parametrize(("what", "case"), SLACK_CASES, ids=str)
async def test_a_write_that_slack_fails_is_made_again_and_not_twice(
    on_slack: SlackStage, what: str, case: tuple[str, bool]
) -> None:
    await fail_each(on_slack, what, [case])


# At once, since its SDK waits a second before it tries again; on Slack, threads would
# wait for each other.
@pytest.mark.parametrize("what", [POST, EDIT])
async def test_a_write_that_discord_fails_is_made_again_and_not_twice(
    on_discord: DiscordStage, what: str
) -> None:
    await fail_each(on_discord, what, cases(what))


# On Slack, a refused edit is below.
@pytest.mark.parametrize(
    ("stage", "what"),
    [("slack", POST), ("discord", EDIT), *deep_only(("discord", POST))],
    indirect=["stage"],
)
async def test_several_refusals_in_a_row_are_waited_out(
    stage: Stage, what: str
) -> None:
    rule = stage.strike(what, stage.faults.throttle(1), times=2)
    if isinstance(stage, SlackStage):
        # Else a stream would stand in for the post.
        stage.slack.faults.add("chat.startStream", stage.faults.throttle(60))
    gate = in_two(stage)
    async with stage.played():
        thread = await stage.ask()
        if what == EDIT:
            await stage.begins(thread)
        gate.set()
        await stage.reads(thread, WHOLE)
    assert rule.struck == 2


async def test_a_minute_that_slack_asks_for_is_kept_and_outlived(
    on_slack: SlackStage,
) -> None:
    stage = on_slack
    rule = stage.strike(EDIT, stage.faults.throttle(60))
    gate = in_two(stage)
    async with stage.running(grace=0.1):
        thread = await stage.ask()
        await stage.begins(thread)
        gate.set()
        await stage.until(lambda: rule.struck)
        # Others in the workspace are still shown what a post can hold.
        stage.claude.script("Rome.")
        await stage.begins(await stage.ask("and of Italy?"))
        assert len(stage.slack.calls_of("chat.update")) == 1
    # What was final is only written out by the next process.
    async with stage.played():
        await stage.reads(thread, WHOLE)
    assert len(stage.claude.questions) == 2


async def test_nobody_who_stops_waits_for_what_is_only_tidy(
    on_slack: SlackStage,
) -> None:
    stage = on_slack
    stage.claude.script("Paris.")
    async with stage.running(grace=0.1):
        thread = await stage.ask()
        await stage.reads(thread, "Paris.")
        # Another answer is refused an edit, so that no old buttons come off meanwhile.
        rule = stage.strike(EDIT, stage.faults.throttle(600))
        gate = in_two(stage)
        await stage.begins(await stage.ask("and of Italy?"))
        gate.set()
        await stage.until(lambda: rule.struck)
        stage.claude.script("Madrid.")
        stage.say("and of Spain?", thread)
        await stage.reads(thread, "Paris.", "Madrid.")
        began = time.monotonic()
    assert time.monotonic() - began < 60


async def test_a_storm_of_refusals_loses_nothing(on_slack: SlackStage) -> None:
    stage = on_slack
    async with stage.played():
        storm = stage.slack.faults.add("*", stage.faults.throttle(1), times=8)
        threads = []
        for number in range(5):
            stage.claude.script(f"Answer {number}.")
            threads.append(await stage.ask(f"question {number}?"))
        await stage.until(
            lambda: all(len(stage.texts(thread)) == 1 for thread in threads)
        )
        assert storm.struck == 8


async def test_an_answer_that_is_late_is_waited_for(on_slack: SlackStage) -> None:
    stage = on_slack
    gate = in_two(stage)
    late = asyncio.Event()
    stage.strike(POST, stage.faults.hold(late, after=True))
    async with stage.played():
        thread = await stage.ask()
        await stage.begins(thread)
        gate.set()
        late.set()
        await stage.reads(thread, WHOLE)
