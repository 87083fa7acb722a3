"""Faults between Threadkeep and Claude, in the whole program: people read an error in
one sentence, keep the text so far, can ask again, and the thread continues.

Which faults are tried again is tested in tests/unit/claude, and what people read of
each in tests/unit/conversation.
"""

from collections.abc import Sequence

from bot.conversation import outcomes
from tests.emulators.claude.reply import Abort, Fail, Step
from tests.support.fault_harness import DiscordStage, SlackStage, Stage

HALF = "The capital of France is"


async def told_and_asked_again(stage: Stage, steps: Sequence[Step]) -> str:
    """Return the message where Claude takes `steps`; check that a second question is
    answered."""
    stage.claude.script(steps, "Paris.")
    async with stage.played():
        thread = await stage.ask()
        await stage.begins(thread)
        await stage.quiet()
        [text] = stage.texts(thread)
        for word in ("Error", "401", "Exception", "req_"):
            assert word not in text
        stage.say(f"{stage.platform.mention} and now?", thread)
        await stage.reads(thread, text, "Paris.")
    return text


async def test_without_an_answer_people_are_told_and_may_ask_again(
    on_slack: SlackStage,
) -> None:
    assert "operator" in await told_and_asked_again(on_slack, [Fail(401)])


async def test_in_the_middle_what_came_is_kept_and_marked(
    on_discord: DiscordStage,
) -> None:
    text = await told_and_asked_again(on_discord, [HALF, Abort()])
    assert text.startswith(HALF)
    assert "was lost here" in text
    messages = on_discord.claude.questions[-1].body["messages"]
    # What broke off is not taken for the end.
    assert messages[1]["content"] == HALF + outcomes.UNFINISHED
