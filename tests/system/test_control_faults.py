"""The buttons below answers on both platforms, pressed by the asker, by others, and
after a restart."""

import asyncio
from dataclasses import dataclass

from bot.messages.commands import NOT_YOURS
from tests.emulators.claude.reply import Hold, Stop
from tests.emulators.discord.people import Seen
from tests.support.fault_harness import DiscordStage, SlackStage, Stage

HALF = "The capital of France"


@dataclass(frozen=True, slots=True)
class Finger:
    """Presses buttons below the bot's last message in a thread."""

    stage: Stage
    thread: str

    def shows(self, label: str) -> bool:
        """Return whether there is such a button."""
        return label.lower() in self._buttons()

    async def press(self, label: str, *, bob: bool = False) -> str:
        """Let Alice, or Bob, press a button; what they are told alone, if anything."""
        stage, thread, who = self.stage, self.thread, self.stage.bob
        who = who if bob else stage.alice
        custom_id = self._buttons()[label.lower()]
        if isinstance(stage, SlackStage):
            before = len(stage.slack.ephemerals(who))
            ts = stage.slack.thread(stage.general, thread)[-1].ts
            sent = stage.slack.press(who, stage.general, ts, custom_id)
            await stage.until(lambda: sent.acked)
            await stage.until(lambda: stage.slack.settled)
            told = stage.slack.ephemerals(who)[before:]
            return told[-1].text if told else ""
        assert isinstance(stage, DiscordStage)
        asked = stage.discord.click(who, self._last(stage).id, custom_id)
        await stage.until(lambda: asked.acked)
        await stage.until(lambda: stage.discord.settled)
        found = asked.response.message if asked.response else None
        return found.text if found and found.ephemeral_for else ""

    def _buttons(self) -> dict[str, str]:
        """Return the action or id of each button, by its label in lower case."""
        stage = self.stage
        if isinstance(stage, SlackStage):
            seen = stage.slack.thread(stage.general, self.thread)[-1]
            return {each.label.lower(): each.action for each in seen.controls}
        assert isinstance(stage, DiscordStage)
        buttons = self._last(stage).buttons
        ids = [each for each in buttons if each.startswith("do:")]
        return {each.removeprefix("do:").split(".")[0]: each for each in ids}

    def _last(self, stage: DiscordStage) -> Seen:
        """Return the bot's last message that all see."""
        there = stage.discord.messages(self.thread)
        return [each for each in there if each.bot and not each.ephemeral_for][-1]


async def test_stop_then_retry_after_a_restart(stage: Stage) -> None:
    never = Hold(asyncio.Event())
    stage.claude.script([HALF, never], "It is Paris.")
    async with stage.running():
        thread = await stage.ask()
        finger = Finger(stage, thread)
        await stage.until(lambda: finger.shows("Stop"))
        assert await finger.press("Stop", bob=True) == NOT_YOURS
        assert await finger.press("Stop") == ""
        await stage.reads(thread, f"{HALF}\n\n_Stopped._")
        await stage.until(lambda: finger.shows("Retry"))
        assert not finger.shows("Stop")
        await stage.quiet()
    async with stage.played():
        assert await finger.press("Retry", bob=True) == NOT_YOURS
        await finger.press("Retry")
        await stage.reads(thread, "It is Paris.")


async def test_an_answer_that_was_cut_goes_on_below(stage: Stage) -> None:
    stage.claude.script([HALF, Stop("max_tokens")], "is Paris.")
    async with stage.played():
        thread = await stage.ask()
        finger = Finger(stage, thread)
        await stage.until(lambda: finger.shows("Continue"))
        await stage.quiet()
        assert await finger.press("Continue") == ""
        await stage.until(lambda: stage.texts(thread)[-1] == "is Paris.")
