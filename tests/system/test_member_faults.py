"""People edit and delete a question before, during and after its answer."""

import asyncio
from collections.abc import Callable

import pytest

from tests.emulators.claude.reply import Hold
from tests.support.fault_harness import DiscordStage, SlackStage, Stage

# What each platform tells of a change does not depend on when it is made.
on_one_each = pytest.mark.parametrize(
    ("stage", "when"), [("slack", "during"), ("discord", "after")], indirect=["stage"]
)


def delete(stage: Stage, thread: str) -> None:
    """Let Alice take her question back."""
    if isinstance(stage, SlackStage):
        stage.slack.delete(stage.general, thread)
    elif isinstance(stage, DiscordStage):
        stage.discord.delete(thread)


def edit(stage: Stage, thread: str, text: str) -> None:
    """Let Alice change her question."""
    if isinstance(stage, SlackStage):
        stage.slack.edit(stage.general, thread, f"{stage.slack.mention} {text}")
    elif isinstance(stage, DiscordStage):
        stage.discord.edit(thread, f"{stage.discord.mention} {text}")


async def read_later(
    stage: Stage, when: str, asked: str, change: Callable[[str], None]
) -> str:
    """Return the text of a question that Claude reads after it was changed, during its
    answer or afterwards; the change itself asks nothing."""
    gate = asyncio.Event()
    stage.claude.script(["It is", Hold(gate), " Paris."], "Two.")
    async with stage.running():
        thread = await stage.ask(asked)
        await stage.begins(thread)
        if when == "after":
            gate.set()
            await stage.reads(thread, "It is Paris.")
            await stage.quiet()
        change(thread)
        await stage.until(lambda: stage.platform.settled)
        gate.set()
        # What is being answered is answered to its end, even if nobody is left to ask.
        await stage.reads(thread, "It is Paris.")
        await stage.quiet()
        stage.say(f"{stage.platform.mention} and then?", thread)
        await stage.reads(thread, "It is Paris.", "Two.")
        await stage.quiet()
    assert len(stage.claude.questions) == 2
    return str(stage.claude.questions[-1].body["messages"])


@on_one_each
async def test_a_question_that_is_taken_back_is_read_no_more(
    stage: Stage, when: str
) -> None:
    asked = "my password is hunter2"
    read = await read_later(stage, when, asked, lambda thread: delete(stage, thread))
    assert "hunter2" not in read


@on_one_each
async def test_a_question_that_is_changed_is_read_as_it_is_then(
    stage: Stage, when: str
) -> None:
    read = await read_later(
        stage, when, "of Frunce?", lambda thread: edit(stage, thread, "of France?")
    )
    assert ("of France?" in read, "of Frunce?" in read) == (True, False)
