"""The controls below an answer that has ended."""

from functools import partial

from bot.domain.reply import Control
from bot.domain.turn import Outcome, Turn
from bot.rendering.file_blocks import has_more_files
from bot.runtime.offload import offload
from bot.settings.effective import EffectiveSettings
from bot.ui import buttons


async def offered_controls(
    ended: Outcome | Turn, settings: EffectiveSettings | None, *, attaches: bool
) -> tuple[Control, ...]:
    """Return the controls below an answer.

    `attaches` says whether the answer can have files. Without `settings`, no control
    for feedback or files is offered.
    """
    if settings is None:
        return buttons.below(ended, feedback=False)
    more = False
    if attaches and ended.text:
        find = partial(has_more_files, ended.text, settings.attach_lines)
        more = await offload(find, len(ended.text))
    return buttons.below(ended, feedback=settings.on("feedback"), attach=more)
