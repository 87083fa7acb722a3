"""The buttons below answers on Discord, pressed by the asker, by others, and after a
restart. Those on Slack are in test_scale_controls."""

import asyncio
from dataclasses import dataclass

from bot.messages.commands import NOT_YOURS
from tests.emulators.claude.reply import Hold
from tests.emulators.discord.people import Seen
from tests.support.fault_harness import DiscordStage

HALF = "The capital of France"


@dataclass(frozen=True, slots=True)
class Finger:
    """Presses buttons below the bot's last message in a thread."""

    stage: DiscordStage
    thread: str

    def shows(self, label: str) -> bool:
        """Return whether there is such a button."""
        return label.lower() in self._buttons()

    async def press(self, label: str, *, bob: bool = False) -> str:
        """Let Alice, or Bob, press a button; what they are told alone, if anything."""
        stage = self.stage
        who = stage.bob if bob else stage.alice
        custom_id = self._buttons()[label.lower()]
        asked = stage.discord.click(who, self._last().id, custom_id)
        await stage.until(lambda: asked.acked)
        await stage.until(lambda: stage.discord.settled)
        found = asked.response.message if asked.response else None
        return found.text if found and found.ephemeral_for else ""

    def _buttons(self) -> dict[str, str]:
        """Return the id of each button, by its label in lower case."""
        buttons = self._last().buttons
        ids = [each for each in buttons if each.startswith("do:")]
        return {each.removeprefix("do:").split(".")[0]: each for each in ids}

    def _last(self) -> Seen:
        """Return the bot's last message that all see."""
        there = self.stage.discord.messages(self.thread)
        return [each for each in there if each.bot and not each.ephemeral_for][-1]


async def test_stop_then_retry_after_a_restart(on_discord: DiscordStage) -> None:
    stage = on_discord
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
