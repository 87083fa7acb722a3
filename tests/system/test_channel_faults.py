"""Faults of a channel or thread while an answer is written there: the answer ends, the
request to Claude is closed, and no write is retried for ever."""

import asyncio
from collections.abc import Callable

import pytest

from tests.emulators.claude.reply import Hold
from tests.support.fault_harness import DiscordStage, SlackStage, Stage

HALF, REST = "The capital of France", " is, as it happens, Paris."

SLACK: dict[str, Callable[[SlackStage, str], object]] = {
    "the channel is archived": lambda s, _: s.slack.archive(s.general),
    "the thread is locked": lambda s, _: s.slack.faults.add(
        "chat.update",
        s.faults.error("restricted_action_thread_locked"),
        times=s.faults.ALWAYS,
    ),
    "our reply is deleted": lambda s, thread: s.slack.delete(
        s.general, s.slack.thread(s.general, thread)[-1].ts
    ),
}

DISCORD: dict[str, Callable[[DiscordStage, str], object]] = {
    "the thread is deleted": lambda s, thread: s.discord.delete_channel(thread),
    "our reply is deleted": lambda s, thread: s.discord.delete(
        next(each.id for each in s.discord.messages(thread) if each.bot)
    ),
}


@pytest.mark.parametrize("fate", SLACK)
async def test_on_slack_an_answer_ends_with_its_place(
    on_slack: SlackStage, fate: str
) -> None:
    stage = on_slack
    await ends(stage, lambda thread: SLACK[fate](stage, thread))
    # One refusal says it; asking on would be of no use.
    refused = [c for c in stage.slack.calls_of("chat.update") if c.outcome != "ok"]
    assert len(refused) <= 1


@pytest.mark.parametrize("fate", DISCORD)
async def test_on_discord_an_answer_ends_with_its_place(
    on_discord: DiscordStage, fate: str
) -> None:
    await ends(on_discord, lambda thread: DISCORD[fate](on_discord, thread))


async def ends(stage: Stage, happens: Callable[[str], object]) -> None:
    """Let something happen to the place of an answer that is half written, and see it
    end, also in the database."""
    more = asyncio.Event()
    stage.claude.script([HALF, Hold(more), REST, Hold(asyncio.Event())])
    async with stage.running():
        thread = await stage.ask()
        await stage.begins(thread)
        happens(thread)
        more.set()
        await stage.claude.until(lambda: stage.claude.disconnects == 1, 20)
        await stage.quiet()
        facts = await stage.store.spending(0.0)
    assert [each.turns for each in facts] == [1]
