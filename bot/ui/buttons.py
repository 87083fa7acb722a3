"""Buttons below an answer. Pure.

Rule: a button carries only the key of its turn, so it works after a restart.
`bot.commands.reply_controls` checks at each press whether the person may do this and
whether it is still possible.
"""

from collections.abc import Iterable

from bot.domain.reply import Control
from bot.domain.turn import Ended, Outcome, Turn
from bot.messages import labels
from bot.ui.elements import Button, Command, Style

_LABELS = {
    Control.STOP: labels.STOP,
    Control.RETRY: labels.RETRY,
    Control.CONTINUE: labels.CONTINUE,
    Control.RECEIPT: labels.RECEIPT,
    Control.SUMMARY: labels.SHOW_SUMMARY,
    Control.READ: labels.READ_FILE,
    Control.FIRST: labels.FIRST_PAGES,
    Control.SKIP: labels.SKIP_FILE,
    Control.ATTACH: labels.ATTACH_FILES,
}

#: The number of first pages of a PDF that people may choose instead of all pages.
FIRST_PAGES = 20

_LIMITS = ("max_tokens", "pause_turn")

#: Outcomes after which an answer can be continued.
CUT = (Ended.STOPPED, Ended.INTERRUPTED)


def buttons(controls: Iterable[Control], turn: str) -> tuple[Button, ...]:
    """Return the buttons of `controls` for the turn with key `turn`.

    Return () if `turn` is "". There is no button for feedback, since each platform asks
    for feedback in its own way.
    """
    if not turn:
        return ()
    return tuple(
        Button(
            _LABELS[each],
            Command(f"{each.value} answer", {"turn": turn}),
            Style.DANGER if each is Control.STOP else Style.PLAIN,
        )
        for each in controls
        if each in _LABELS
    )


def below(
    ended: Outcome | Turn, *, feedback: bool, attach: bool = False
) -> tuple[Control, ...]:
    """Return the controls below a finished answer.

    Feedback is offered if `feedback` is enabled and the answer is complete; attaching
    files, if there is more to `attach`.
    """
    if ended.ended is Ended.REFUSED:
        # A retry would be pointless: Claude would decline again, and a person without
        # access would still have none.
        return ()
    controls = []
    if ended.ended is Ended.DONE and feedback:
        controls.append(Control.FEEDBACK)
    if goes_on(ended.ended, ended.stop_reason, has_text=bool(ended.text.strip())):
        controls.append(Control.CONTINUE)
    if ended.waiting and ended.text.strip():
        controls.append(Control.READ)
        if any(map(has_first, ended.waiting)):
            controls.append(Control.FIRST)
        controls.append(Control.SKIP)
    if attach:
        controls.append(Control.ATTACH)
    controls += [Control.RETRY, Control.RECEIPT]
    if ended.summarised:
        controls.append(Control.SUMMARY)
    return tuple(controls)


def has_first(pages: int) -> bool:
    """Return whether people may choose only the first pages of a file of `pages`."""
    return pages > FIRST_PAGES


def goes_on(ended: Ended | None, stop_reason: str | None, *, has_text: bool) -> bool:
    """Return True if an answer with this outcome can be continued."""
    return has_text and (is_at_limit(ended, stop_reason) or ended in CUT)


def is_at_limit(ended: Ended | None, stop_reason: str | None) -> bool:
    """Return True if an answer with this outcome reached its limit of length or of uses
    of tools.

    An answer that stays after a failed retry has FAILED.
    """
    return ended in (Ended.DONE, Ended.FAILED) and stop_reason in _LIMITS
